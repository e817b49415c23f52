-- vault.db: requests about one's own information, corrections, refusal of processing, the deceased.
-- "sealed: person" as in 0001; a request of somebody who is not in the register is "sealed: station".

-- Every request, numbered; a number is never used again. What was received and what was decided is not edited.
CREATE TABLE requests (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    resident BLOB REFERENCES residents (id),    -- NULL: somebody who is not in the register
    kind TEXT NOT NULL,
    came TEXT NOT NULL,
    identity TEXT NOT NULL,
    asker BLOB NOT NULL,                        -- sealed: who asked, when it is not the resident
    words BLOB NOT NULL,                        -- sealed: what was asked, in short
    received_at INTEGER NOT NULL,
    due_on INTEGER NOT NULL,
    received_by BLOB REFERENCES staff (id),     -- NULL: the person's own act on the resident window
    outcome TEXT CHECK (outcome IN ('granted', 'refused')),
    decided_at INTEGER,
    decided_by BLOB REFERENCES staff (id),      -- NULL: granted by the program at once
    answer BLOB,                                -- sealed: what was done; of a refusal the letter, byte for byte
    letter_sha256 BLOB CHECK (length(letter_sha256) = 32),
    done_at INTEGER,
    CHECK ((outcome IS NULL) = (decided_at IS NULL)),
    CHECK (done_at IS NULL OR outcome IS NOT NULL),
    -- PIPL 50: no refusal without its letter.
    CHECK (outcome IS NOT 'refused' OR (answer IS NOT NULL AND letter_sha256 IS NOT NULL AND decided_by IS NOT NULL))
) STRICT;
CREATE INDEX requests_open ON requests (due_on) WHERE done_at IS NULL;
CREATE INDEX requests_by_resident ON requests (resident);
CREATE TRIGGER request_stays BEFORE UPDATE OF n, resident, kind, came, identity, asker, words, received_at, due_on, received_by
    ON requests BEGIN SELECT RAISE(ABORT, 'a request is not edited'); END;
CREATE TRIGGER decision_stays BEFORE UPDATE OF outcome, decided_at, decided_by, letter_sha256 ON requests
    WHEN OLD.outcome IS NOT NULL BEGIN SELECT RAISE(ABORT, 'a decision is not edited'); END;
CREATE TRIGGER done_request_stays BEFORE UPDATE ON requests WHEN OLD.done_at IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'a request that is done stays done'); END;

-- What a field of a record was and became (PIPL 46).
CREATE TABLE changes (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    resident BLOB NOT NULL REFERENCES residents (id),
    field TEXT NOT NULL,
    old BLOB NOT NULL,                          -- sealed: person
    new BLOB NOT NULL,                          -- sealed: person
    changed_at INTEGER NOT NULL,
    changed_by BLOB NOT NULL REFERENCES staff (id),
    confirmed_at INTEGER                        -- by the person's own card tap
) STRICT;
CREATE INDEX changes_by_resident ON changes (resident);
CREATE TRIGGER change_stays BEFORE UPDATE OF n, resident, field, old, new, changed_at, changed_by ON changes
    BEGIN SELECT RAISE(ABORT, 'a change is not edited'); END;

-- The person refuses any processing of a face (PIPL 44), until lifting it with the own card.
CREATE TABLE restrictions (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    resident BLOB NOT NULL REFERENCES residents (id),
    since INTEGER NOT NULL,
    entered_by BLOB REFERENCES staff (id),      -- NULL: the person's own act on the resident window
    lifted_at INTEGER
) STRICT;
CREATE UNIQUE INDEX one_restriction_a_person ON restrictions (resident) WHERE lifted_at IS NULL;

-- A resident who has died (PIPL 49): who of the near kin came, and that the relation was looked at. No copies.
CREATE TABLE deceased (
    resident BLOB PRIMARY KEY NOT NULL REFERENCES residents (id),
    kin BLOB NOT NULL,                          -- sealed: person
    relation BLOB NOT NULL,                     -- sealed: person
    noted_at INTEGER NOT NULL,
    noted_by BLOB NOT NULL REFERENCES staff (id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER no_consent_against_a_refusal BEFORE INSERT ON consents
    WHEN EXISTS (SELECT 1 FROM restrictions WHERE resident = NEW.resident AND lifted_at IS NULL)
    BEGIN SELECT RAISE(ABORT, 'the person refuses any processing of a face'); END;
CREATE TRIGGER no_consent_of_the_dead BEFORE INSERT ON consents
    WHEN EXISTS (SELECT 1 FROM deceased WHERE resident = NEW.resident)
    BEGIN SELECT RAISE(ABORT, 'the person has died'); END;
