-- vault.db, promises: a guardian's name and phone end with the duty to keep them, not with the person's key.

ALTER TABLE guardians ADD COLUMN phone_ended_at INTEGER;     -- phone overwritten
ALTER TABLE guardians ADD COLUMN name_ended_at INTEGER;      -- name and signature overwritten

-- A check is still not edited; its name and phone can be overwritten with nothing, once.
DROP TRIGGER guardian_stays;
CREATE TRIGGER guardian_stays BEFORE UPDATE OF id, resident, role, proof, checked_by, checked_at ON guardians
    BEGIN SELECT RAISE(ABORT, 'a check is not edited'); END;
CREATE TRIGGER guardian_name_ends BEFORE UPDATE OF name ON guardians
    WHEN NEW.name <> x'' OR NEW.name_ended_at IS NULL BEGIN SELECT RAISE(ABORT, 'a check is not edited'); END;
CREATE TRIGGER guardian_phone_ends BEFORE UPDATE OF phone ON guardians
    WHEN NEW.phone <> x'' OR NEW.phone_ended_at IS NULL BEGIN SELECT RAISE(ABORT, 'a check is not edited'); END;

-- The same for the signature of a guardian under a young person's consent.
DROP TRIGGER party_stays;
CREATE TRIGGER party_stays BEFORE UPDATE OF consent, given_by, guardian, view, statement, signed_at ON consent_parties
    BEGIN SELECT RAISE(ABORT, 'a consent is not edited'); END;
CREATE TRIGGER party_signature_ends BEFORE UPDATE OF signature ON consent_parties
    WHEN OLD.signature IS NULL OR NEW.signature IS NOT x''
        OR NOT EXISTS (SELECT 1 FROM guardians WHERE id = OLD.guardian AND name_ended_at IS NOT NULL)
    BEGIN SELECT RAISE(ABORT, 'a consent is not edited'); END;
