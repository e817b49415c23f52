-- vault.db, shape 20. Name, unit and card numbers, and changes of them, are sealed under a key of the identity, which goes with it, not under the
-- person's own, which stays to the evidence's term. The program seals them anew at the first unlock.
-- A change of one of them is emptied when the identity is erased; apart from that a change is not edited.
DROP TRIGGER change_stays;
CREATE TRIGGER change_stays BEFORE UPDATE OF n, resident, field, old, new, changed_at, changed_by ON changes
    WHEN NOT (NEW.n = OLD.n AND NEW.resident = OLD.resident AND NEW.field = OLD.field AND NEW.changed_at = OLD.changed_at
        AND NEW.changed_by = OLD.changed_by AND length(NEW.old) = 0 AND length(NEW.new) = 0
        AND EXISTS (SELECT 1 FROM residents WHERE id = OLD.resident AND identity_ended_at IS NOT NULL))
    BEGIN SELECT RAISE(ABORT, 'a change is not edited'); END;
