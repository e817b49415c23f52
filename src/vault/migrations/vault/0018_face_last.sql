-- A face is sent to a gate, and a paused one taken up again, only under a consent in force and beside a card in force (P13, P16).
CREATE TRIGGER sending_needs_a_current_consent BEFORE INSERT ON fills
    WHEN NEW.state = 'sent' AND NOT EXISTS (SELECT 1 FROM consents WHERE id = NEW.consent AND ended_at IS NULL)
    BEGIN SELECT RAISE(ABORT, 'no current consent'); END;
CREATE TRIGGER sending_again_needs_a_current_consent BEFORE UPDATE OF state ON fills
    WHEN NEW.state = 'sent' AND NOT EXISTS (SELECT 1 FROM consents WHERE id = NEW.consent AND ended_at IS NULL)
    BEGIN SELECT RAISE(ABORT, 'no current consent'); END;
CREATE TRIGGER sending_needs_a_card BEFORE INSERT ON fills
    WHEN NEW.state = 'sent' AND NOT EXISTS (SELECT 1 FROM cards JOIN consents ON consents.resident = cards.resident
        WHERE consents.id = NEW.consent AND cards.ended_at IS NULL)
    BEGIN SELECT RAISE(ABORT, 'a card comes first'); END;
CREATE TRIGGER sending_again_needs_a_card BEFORE UPDATE OF state ON fills
    WHEN NEW.state = 'sent' AND NOT EXISTS (SELECT 1 FROM cards JOIN consents ON consents.resident = cards.resident
        WHERE consents.id = NEW.consent AND cards.ended_at IS NULL)
    BEGIN SELECT RAISE(ABORT, 'a card comes first'); END;
CREATE TRIGGER thaw_needs_a_card BEFORE INSERT ON outbox
    WHEN NEW.kind = 'thaw' AND NOT EXISTS (SELECT 1 FROM cards JOIN consents ON consents.resident = cards.resident
        WHERE consents.id = NEW.consent AND cards.ended_at IS NULL)
    BEGIN SELECT RAISE(ABORT, 'a card comes first'); END;
