-- Backups, what gates keep of the keys to them, and constraints that carry the law.

-- Which number of the note about erasures a gate keeps.
CREATE TABLE gate_epochs (
    gate BLOB PRIMARY KEY NOT NULL REFERENCES gates (id),
    generation BLOB NOT NULL CHECK (length(generation) = 16),
    number INTEGER NOT NULL,
    kept_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Backups that were made and read back. Nothing of anybody.
CREATE TABLE backups (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    generation BLOB NOT NULL CHECK (length(generation) = 16),
    made_at INTEGER NOT NULL,
    made_by BLOB NOT NULL REFERENCES staff (id),
    people INTEGER NOT NULL,
    records INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    drilled_at INTEGER                   -- last drill that restored it
) STRICT, WITHOUT ROWID;

-- No face operation without a current consent and a card in force (P13, P16). A day is China's.
CREATE TRIGGER capture_needs_a_current_consent BEFORE INSERT ON captures
    WHEN NOT EXISTS (SELECT 1 FROM consents WHERE id = NEW.consent AND ended_at IS NULL
        AND ends_on >= (NEW.begun_at + 28800000) / 86400000)
    BEGIN SELECT RAISE(ABORT, 'no current consent'); END;
CREATE TRIGGER capture_needs_a_card BEFORE INSERT ON captures
    WHEN EXISTS (SELECT 1 FROM consents WHERE id = NEW.consent)
        AND NOT EXISTS (SELECT 1 FROM cards JOIN consents ON consents.resident = cards.resident
        WHERE consents.id = NEW.consent AND cards.ended_at IS NULL
        AND cards.ends_on >= (NEW.begun_at + 28800000) / 86400000)
    BEGIN SELECT RAISE(ABORT, 'a card comes first'); END;
CREATE TRIGGER consent_needs_a_card BEFORE INSERT ON consents
    WHEN NOT EXISTS (SELECT 1 FROM cards WHERE resident = NEW.resident AND ended_at IS NULL)
    BEGIN SELECT RAISE(ABORT, 'a card comes first'); END;
CREATE TRIGGER consent_needs_a_read_notice BEFORE INSERT ON consents
    WHEN NOT EXISTS (SELECT 1 FROM showings WHERE resident = NEW.resident AND text_sha256 = NEW.text_sha256
        AND reached_end_at IS NOT NULL)
    BEGIN SELECT RAISE(ABORT, 'the notice was not read to its end'); END;
CREATE TRIGGER held_needs_a_capture BEFORE INSERT ON held
    WHEN NOT EXISTS (SELECT 1 FROM consent_gates WHERE consent = NEW.consent AND gate = NEW.gate)
    BEGIN SELECT RAISE(ABORT, 'the consent does not name this gate'); END;
CREATE TRIGGER nothing_wakes_what_ended BEFORE INSERT ON outbox
    WHEN NEW.kind = 'thaw' AND EXISTS (SELECT 1 FROM consents WHERE id = NEW.consent AND ended_at IS NOT NULL)
    BEGIN SELECT RAISE(ABORT, 'the consent has ended'); END;
CREATE TRIGGER consents_keep BEFORE DELETE ON consents
    BEGIN SELECT RAISE(ABORT, 'a consent is evidence'); END;
