-- keys.db, shape 3. A person's keys are sealed under the person's leaves of the tree, and the tree under the epoch secret of this number, which is
-- in the file epoch.key and is destroyed at each erasure. SQL cannot seal: the program does at the first opening, and drops the plain table then.
ALTER TABLE person_keys RENAME TO person_keys_plain;
CREATE TABLE person_keys (
    resident BLOB PRIMARY KEY NOT NULL CHECK (length(resident) = 16), -- random id
    sealing_key BLOB NOT NULL CHECK (length(sealing_key) = 72),       -- random; sealed under the leaf for the evidence
    identity_key BLOB CHECK (length(identity_key) = 72),              -- random; sealed under the leaf for the identity, gone with it
    made_at INTEGER NOT NULL,                                         -- ms since 1970
    place INTEGER NOT NULL UNIQUE CHECK (place >= 0)
) STRICT, WITHOUT ROWID;

-- Which epoch secret seals `branches`; 0 while they are in plain, until the first opening.
ALTER TABLE epoch ADD COLUMN secret_number INTEGER NOT NULL DEFAULT 0 CHECK (secret_number >= 0);
