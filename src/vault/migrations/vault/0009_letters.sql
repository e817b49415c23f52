-- vault.db, letters: incidents with the people they concern, reports to the authority, the end of a manager's work.

-- What was entered of an incident. The words may name places and firms, so they are sealed; no resident is in them.
CREATE TABLE incident_cases (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    sealed BLOB NOT NULL,                -- sealed: station; JSON
    entered_at INTEGER NOT NULL,
    staff BLOB NOT NULL
) STRICT;

-- Whom it concerns, fixed when it is entered; and when and how each was told.
CREATE TABLE incident_people (
    incident INTEGER NOT NULL REFERENCES incident_cases (number),
    resident BLOB NOT NULL REFERENCES residents (id),
    enrolled INTEGER NOT NULL CHECK (enrolled IN (0, 1)), -- a gate held a template then
    told_at INTEGER,
    told_how TEXT CHECK (told_how IN ('by-phone', 'by-message', 'by-letter', 'by-public-notice')),
    PRIMARY KEY (incident, resident),
    CHECK ((told_at IS NULL) = (told_how IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_people_by_resident ON incident_people (resident);

-- Reports to an authority.
CREATE TABLE incident_reports (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    incident INTEGER NOT NULL REFERENCES incident_cases (number),
    reported_to TEXT NOT NULL,           -- an office, as typed
    reported_at INTEGER NOT NULL,
    staff BLOB NOT NULL
) STRICT;

-- The manager leaves: every face of the site ended in the transaction that wrote this row.
CREATE TABLE site_ends (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    processor TEXT NOT NULL,             -- the company that leaves: name and credit code
    uscc TEXT NOT NULL,
    receiver TEXT NOT NULL,              -- who takes over the registers, as typed
    ended_at INTEGER NOT NULL,
    staff BLOB NOT NULL,
    approved_by BLOB NOT NULL,
    papers_at INTEGER                    -- when the papers were last written
) STRICT;

CREATE TRIGGER incident_cases_stay BEFORE UPDATE ON incident_cases
    BEGIN SELECT RAISE(ABORT, 'kept three years'); END;
CREATE TRIGGER incident_cases_keep BEFORE DELETE ON incident_cases
    BEGIN SELECT RAISE(ABORT, 'kept three years'); END;
CREATE TRIGGER incident_people_keep BEFORE DELETE ON incident_people
    BEGIN SELECT RAISE(ABORT, 'kept three years'); END;
CREATE TRIGGER incident_people_once BEFORE UPDATE ON incident_people WHEN OLD.told_at IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'who was told stays told'); END;
CREATE TRIGGER incident_reports_stay BEFORE UPDATE ON incident_reports
    BEGIN SELECT RAISE(ABORT, 'kept three years'); END;
CREATE TRIGGER incident_reports_keep BEFORE DELETE ON incident_reports
    BEGIN SELECT RAISE(ABORT, 'kept three years'); END;
CREATE TRIGGER site_ends_stay BEFORE UPDATE OF number, processor, uscc, receiver, ended_at, staff, approved_by
    ON site_ends BEGIN SELECT RAISE(ABORT, 'kept three years'); END;
CREATE TRIGGER site_ends_keep BEFORE DELETE ON site_ends BEGIN SELECT RAISE(ABORT, 'kept three years'); END;
