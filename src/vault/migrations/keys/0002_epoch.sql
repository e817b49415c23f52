-- A place in the tree of erasable keys for every person, and the tree itself (`punctures`). A place is given once.
CREATE TABLE person_keys_anew (
    resident BLOB PRIMARY KEY NOT NULL CHECK (length(resident) = 16), -- random id
    sealing_key BLOB NOT NULL CHECK (length(sealing_key) = 32),       -- random, XChaCha20-Poly1305
    made_at INTEGER NOT NULL,                                         -- ms since 1970
    place INTEGER NOT NULL UNIQUE CHECK (place >= 0)
) STRICT, WITHOUT ROWID;
INSERT INTO person_keys_anew (resident, sealing_key, made_at, place)
    SELECT resident, sealing_key, made_at, row_number() OVER (ORDER BY made_at, resident) - 1 FROM person_keys;
DROP TABLE person_keys;
ALTER TABLE person_keys_anew RENAME TO person_keys;

-- What opens the backups: cut smaller at each erasure, kept by the gates too. Written by the program at its first opening.
CREATE TABLE epoch (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    generation BLOB NOT NULL CHECK (length(generation) = 16), -- random; another one when the tree is dealt anew
    number INTEGER NOT NULL CHECK (number >= 0),              -- grows with every erasure and every ending
    branches BLOB NOT NULL,                                   -- the tree: keys
    next_place INTEGER NOT NULL CHECK (next_place >= 0),
    told BLOB NOT NULL CHECK (length(told) = 32)              -- SHA-256 of what gates are told under this number
) STRICT;
