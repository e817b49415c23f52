-- Who decides for whom: guardians, wards, what a child or ward answered, and forms that are signed on paper.
-- "sealed: person" is under the key of the person who is guarded, as in shape 1. No number and no copy of a document has a column.

-- Adults under guardianship, as staff saw proof of it. An adult who is not here decides alone.
CREATE TABLE wards (
    resident BLOB PRIMARY KEY NOT NULL REFERENCES residents (id),
    marked_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One check in person of one guardian. A newer check ends the older one; a consent keeps the one it was given under.
CREATE TABLE guardians (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    resident BLOB NOT NULL REFERENCES residents (id),
    name BLOB NOT NULL,                  -- sealed: person
    phone BLOB NOT NULL,                 -- sealed: person; may be empty
    role TEXT NOT NULL CHECK (role IN ('father', 'mother', 'spouse', 'adult child', 'other guardian')),
    proof TEXT NOT NULL CHECK (proof IN ('household book', 'birth certificate', 'guardianship paper', 'court decision')),
    checked_by BLOB NOT NULL REFERENCES staff (id),
    checked_at INTEGER NOT NULL,
    ended_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX one_guardian_at_the_desk ON guardians (resident) WHERE ended_at IS NULL;

-- What a child or ward answered in words of their own, on the resident window.
CREATE TABLE views (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    resident BLOB NOT NULL REFERENCES residents (id),
    showing BLOB NOT NULL REFERENCES showings (id),
    guardian BLOB NOT NULL REFERENCES guardians (id),
    answer TEXT NOT NULL CHECK (answer IN ('no', 'yes')),
    heard_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX views_by_resident ON views (resident);

-- Consents that are not an adult's own. A consent without a row here is the person's own and nobody else's.
CREATE TABLE consent_parties (
    consent BLOB PRIMARY KEY NOT NULL REFERENCES consents (id),
    given_by TEXT NOT NULL CHECK (given_by IN
        ('own, guardian informed', 'guardian of a child under fourteen', 'guardian of an adult')),
    guardian BLOB NOT NULL REFERENCES guardians (id),
    view BLOB UNIQUE REFERENCES views (id), -- the person's own yes; used for one consent only
    statement BLOB NOT NULL,             -- sealed: person; the words the guardian signed
    signature BLOB,                      -- sealed: person; the guardian's, where the consent's own is the young person's
    signed_at INTEGER NOT NULL,
    CHECK ((given_by = 'own, guardian informed') = (view IS NULL)),
    CHECK ((given_by = 'own, guardian informed') = (signature IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- Forms signed on paper instead of on the screen.
CREATE TABLE paper_forms (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    resident BLOB NOT NULL REFERENCES residents (id),
    words_sha256 BLOB NOT NULL CHECK (length(words_sha256) = 32), -- of the one sentence or statement that is signed
    body BLOB NOT NULL,                  -- sealed: person; the form, byte for byte as printed
    made_at INTEGER NOT NULL,
    seen_by BLOB REFERENCES staff (id),
    seen_at INTEGER,
    consent BLOB REFERENCES consents (id), -- the one consent it was used for
    CHECK ((seen_by IS NULL) = (seen_at IS NULL)),
    CHECK (consent IS NULL OR seen_at IS NOT NULL)
) STRICT, WITHOUT ROWID;

-- The law as a wall: no camera under a consent for a minor or a ward that nobody else stands behind.
CREATE TRIGGER capture_of_a_minor_needs_a_guardian BEFORE INSERT ON captures
    WHEN NOT EXISTS (SELECT 1 FROM consent_parties WHERE consent = NEW.consent)
        AND EXISTS (SELECT 1 FROM consents JOIN residents ON residents.id = consents.resident
            WHERE consents.id = NEW.consent
                AND (age_band <> 2 OR EXISTS (SELECT 1 FROM wards WHERE wards.resident = residents.id)))
    BEGIN SELECT RAISE(ABORT, 'a minor or a ward needs the guardian steps'); END;
CREATE TRIGGER consent_needs_the_persons_yes BEFORE INSERT ON consent_parties
    WHEN NEW.view IS NOT NULL AND NOT EXISTS (SELECT 1 FROM views JOIN consents ON consents.resident = views.resident
        WHERE views.id = NEW.view AND consents.id = NEW.consent AND answer = 'yes')
    BEGIN SELECT RAISE(ABORT, 'the person did not say yes'); END;
CREATE TRIGGER view_stays BEFORE UPDATE ON views BEGIN SELECT RAISE(ABORT, 'an answer is not edited'); END;
CREATE TRIGGER party_stays BEFORE UPDATE ON consent_parties BEGIN SELECT RAISE(ABORT, 'a consent is not edited'); END;
CREATE TRIGGER guardian_stays BEFORE UPDATE OF id, resident, name, phone, role, proof, checked_by, checked_at ON guardians
    BEGIN SELECT RAISE(ABORT, 'a check is not edited'); END;
CREATE TRIGGER seen_form_stays BEFORE UPDATE OF id, resident, words_sha256, body, made_at ON paper_forms
    BEGIN SELECT RAISE(ABORT, 'a form is not edited'); END;
