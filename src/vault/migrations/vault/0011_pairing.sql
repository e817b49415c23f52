-- Gates that are told to erase everybody and to forget this station, after they were taken out of use. No people.
CREATE TABLE unpairings (
    op BLOB PRIMARY KEY NOT NULL CHECK (length(op) = 16),
    gate BLOB NOT NULL REFERENCES gates (id),
    asked_at INTEGER NOT NULL,
    settled_at INTEGER,                         -- signed for, refused, or overtaken by a new pairing
    receipt BLOB,                               -- as signed by the gate; NULL: refused or overtaken
    reason TEXT                                 -- the gate's reason code, or 'paired-again'
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX unpairing_open ON unpairings (gate) WHERE settled_at IS NULL;
