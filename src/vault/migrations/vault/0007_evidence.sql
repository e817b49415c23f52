-- vault.db, evidence: what names a person in the log, what was shown, heads kept by gates, exports.

-- What opens a record of the log that concerns a person: a salt and who, which ids, which document. The record itself
-- holds a commitment to it. Without the person's key nobody can read it, and the tree still verifies.
CREATE TABLE log_details (
    n INTEGER PRIMARY KEY,
    resident BLOB CHECK (resident IS NULL OR length(resident) = 16), -- whose key seals it; NULL: the station's
    sealed BLOB NOT NULL                 -- sealed: person (or station)
) STRICT;
CREATE INDEX log_details_by_resident ON log_details (resident) WHERE resident IS NOT NULL;
CREATE TRIGGER log_details_stay BEFORE UPDATE ON log_details
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER log_details_keep BEFORE DELETE ON log_details
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER log_heads_stay BEFORE UPDATE ON log_heads
    BEGIN SELECT RAISE(ABORT, 'a signed head stays'); END;
CREATE TRIGGER log_heads_keep BEFORE DELETE ON log_heads
    BEGIN SELECT RAISE(ABORT, 'a signed head stays'); END;

-- From what a text on a person's screen was made: the showing record, whose SHA-256 is in the log.
CREATE TABLE showing_records (
    showing BLOB PRIMARY KEY NOT NULL REFERENCES showings (id),
    sealed BLOB NOT NULL                 -- sealed: person
) STRICT, WITHOUT ROWID;

-- The newest head of this log that a gate was seen to keep, and what is wrong with it, if so.
CREATE TABLE gate_heads (
    gate BLOB PRIMARY KEY NOT NULL REFERENCES gates (id),
    size INTEGER NOT NULL,
    note TEXT NOT NULL,                  -- cosigned by the gate
    seen_at INTEGER NOT NULL,
    conflict TEXT CHECK (conflict IN ('ahead', 'differs', 'other-key'))
) STRICT, WITHOUT ROWID;

-- To whom the log was given. Kept with the log.
CREATE TABLE log_exports (
    n INTEGER PRIMARY KEY,               -- the record that says so
    authority TEXT NOT NULL,
    case_number TEXT NOT NULL,
    made_at INTEGER NOT NULL
) STRICT;
