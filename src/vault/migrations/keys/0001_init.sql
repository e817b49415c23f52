-- keys.db, shape 1. SQLCipher under HKDF(master key, realm, "keys.db"). One small key a person, nothing else.

-- Which vault.db this file belongs to.
CREATE TABLE belongs (
    site BLOB PRIMARY KEY NOT NULL CHECK (length(site) = 16)
) STRICT;

-- The key that seals one person's columns in vault.db. Without this row those columns cannot be read by anybody.
CREATE TABLE person_keys (
    resident BLOB PRIMARY KEY NOT NULL CHECK (length(resident) = 16), -- random id
    sealing_key BLOB NOT NULL CHECK (length(sealing_key) = 32),       -- random, XChaCha20-Poly1305
    made_at INTEGER NOT NULL                                          -- ms since 1970
) STRICT, WITHOUT ROWID;
