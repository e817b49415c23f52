-- vault.db, relay: a gate is filled by another gate of the same consent; a gate is replaced at its door.

-- A template is on its way from one gate to another, or cannot go. Nothing of a face: ids and digests of requests.
CREATE TABLE fills (
    consent BLOB NOT NULL REFERENCES consents (id),
    gate BLOB NOT NULL REFERENCES gates (id),
    state TEXT NOT NULL CHECK (state IN ('asked', 'waits', 'sent', 'closed')),
    op BLOB CHECK (length(op) = 16),               -- sent: the operation that went out
    request_digest BLOB CHECK (length(request_digest) = 32), -- sent: SHA-256 of it, for its receipt
    attempts INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER NOT NULL,
    reason TEXT,                                   -- closed: the gate's reason code
    PRIMARY KEY (consent, gate),
    CHECK ((state = 'sent') = (op IS NOT NULL AND request_digest IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- A gate that took the place of another at the same door; approved by a second person.
CREATE TABLE replacements (
    gate BLOB PRIMARY KEY NOT NULL REFERENCES gates (id),
    replaces BLOB NOT NULL UNIQUE REFERENCES gates (id),
    begun_at INTEGER NOT NULL,
    done_at INTEGER,                               -- every face that another gate had is there
    faces INTEGER,                                 -- how many
    digest BLOB CHECK (length(digest) = 32)        -- over their random numbers and digests
) STRICT, WITHOUT ROWID;

-- The gate that stands at a named door now. What was signed stays in `gate`.
ALTER TABLE consent_gates ADD COLUMN taken_over_by BLOB REFERENCES gates (id);
CREATE INDEX consent_gates_by_gate ON consent_gates (gate);
CREATE INDEX consent_gates_by_follower ON consent_gates (taken_over_by) WHERE taken_over_by IS NOT NULL;
CREATE INDEX held_by_gate ON held (gate);
CREATE INDEX card_gates_by_gate ON card_gates (gate);

-- What a consent names is a door: the gate that stands there now may hold the face, and never a card board.
DROP TRIGGER held_needs_a_capture;
CREATE TRIGGER held_needs_a_capture BEFORE INSERT ON held
    WHEN NOT EXISTS (SELECT 1 FROM consent_gates WHERE consent = NEW.consent AND NEW.gate IN (gate, taken_over_by))
    BEGIN SELECT RAISE(ABORT, 'the consent does not name this gate'); END;
CREATE TRIGGER board_takes_over_no_consent BEFORE UPDATE OF taken_over_by ON consent_gates
    WHEN EXISTS (SELECT 1 FROM boards WHERE gate = NEW.taken_over_by)
    BEGIN SELECT RAISE(ABORT, 'a card board takes no faces'); END;
