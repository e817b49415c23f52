-- Card boards (UHPPOTE): gates of a second kind, cards only, over a wire without authentication. Each hangs on its row in gates, which names
-- no keys (32 zeros) and takes no faces.
CREATE TABLE boards (
    gate BLOB PRIMARY KEY NOT NULL REFERENCES gates (id),
    serial INTEGER NOT NULL UNIQUE CHECK (serial BETWEEN 1 AND 4294967295),
    doors INTEGER NOT NULL CHECK (doors BETWEEN 1 AND 15), -- bit 0 is door 1
    card_format TEXT NOT NULL CHECK (card_format IN ('wiegand-26', 'wiegand-34'))
) STRICT, WITHOUT ROWID;

-- A board never gets a face, nor anything about one.
CREATE TRIGGER board_takes_no_faces BEFORE UPDATE OF takes_faces ON gates
    WHEN NEW.takes_faces = 1 AND EXISTS (SELECT 1 FROM boards WHERE gate = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'a card board takes no faces'); END;
CREATE TRIGGER board_has_no_consent BEFORE INSERT ON consent_gates
    WHEN EXISTS (SELECT 1 FROM boards WHERE gate = NEW.gate)
    BEGIN SELECT RAISE(ABORT, 'a card board takes no faces'); END;
CREATE TRIGGER board_holds_cards_only BEFORE INSERT ON held
    WHEN EXISTS (SELECT 1 FROM boards WHERE gate = NEW.gate)
    BEGIN SELECT RAISE(ABORT, 'a card board takes no faces'); END;
CREATE TRIGGER board_is_told_cards_only BEFORE INSERT ON outbox
    WHEN NEW.kind NOT IN ('put-card', 'remove-card') AND EXISTS (SELECT 1 FROM boards WHERE gate = NEW.gate)
    BEGIN SELECT RAISE(ABORT, 'a card board is told of cards only'); END;
