-- vault.db, shape 2: several operators, their roles, training and undertakings (rules P51-1, P51-4).

-- The one account of shape 1 made the vault: a supervisor.
ALTER TABLE staff ADD COLUMN role TEXT NOT NULL DEFAULT 'supervisor'
    CHECK (role IN ('front-desk', 'supervisor', 'technician', 'auditor'));
ALTER TABLE staff ADD COLUMN disabled_at INTEGER;

-- The newest row of an account counts; an account works for a year from it.
CREATE TABLE trainings (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    staff BLOB NOT NULL REFERENCES staff (id),
    trained_on INTEGER NOT NULL,         -- day
    recorded_by BLOB NOT NULL REFERENCES staff (id),
    recorded_at INTEGER NOT NULL
) STRICT;
CREATE INDEX trainings_by_staff ON trainings (staff);

-- Internal rules and undertaking of confidentiality, read to the end and signed by the person with their own name.
CREATE TABLE undertakings (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    staff BLOB NOT NULL REFERENCES staff (id),
    rules_id TEXT NOT NULL,
    rules_version TEXT NOT NULL,
    language TEXT NOT NULL,
    text_sha256 BLOB NOT NULL REFERENCES texts (sha256),
    signature BLOB NOT NULL,             -- sealed: station; the name as typed
    signed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX undertakings_by_staff ON undertakings (staff);

CREATE TRIGGER trainings_stay BEFORE UPDATE ON trainings BEGIN SELECT RAISE(ABORT, 'a training is not edited'); END;
CREATE TRIGGER undertakings_stay BEFORE UPDATE ON undertakings
    BEGIN SELECT RAISE(ABORT, 'an undertaking is not edited'); END;
