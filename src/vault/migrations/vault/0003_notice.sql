-- vault.db: signed site files, versions of the notice with who must be told, impact assessments, entrusted parties, signs.

-- What the site wrote, signed by the station (COSE_Sign1); each names the one before it. Replaces `facts`.
CREATE TABLE site_files (
    number INTEGER PRIMARY KEY NOT NULL,
    file BLOB NOT NULL,
    recorded_at INTEGER NOT NULL
) STRICT;

-- Versions of the notice at this site: what each part of it said.
CREATE TABLE notice_versions (
    number INTEGER PRIMARY KEY NOT NULL,
    major INTEGER NOT NULL,
    minor INTEGER NOT NULL,
    in_use_on INTEGER NOT NULL,
    answer_by INTEGER,                   -- last day to answer; none where nobody is asked
    parts TEXT NOT NULL,                 -- JSON: label of the part, its words
    UNIQUE (major, minor)
) STRICT;

-- Who must be told of, or asked about, a version.
CREATE TABLE notice_news (
    version INTEGER NOT NULL REFERENCES notice_versions (number),
    consent BLOB NOT NULL REFERENCES consents (id),
    asks INTEGER NOT NULL CHECK (asks IN (0, 1)),
    told_at INTEGER,
    told_on TEXT CHECK (told_on IN ('screen', 'paper')),
    answer TEXT CHECK (answer IN ('again', 'no', 'unanswered')),
    answered_at INTEGER,
    PRIMARY KEY (version, consent)
) STRICT, WITHOUT ROWID;
CREATE INDEX notice_news_by_consent ON notice_news (consent);

-- Gates at which a consent's face stopped with a version, until the person has answered.
CREATE TABLE notice_stopped (
    version INTEGER NOT NULL REFERENCES notice_versions (number),
    consent BLOB NOT NULL REFERENCES consents (id),
    gate BLOB NOT NULL REFERENCES gates (id),
    ended_at INTEGER,
    PRIMARY KEY (version, consent, gate)
) STRICT, WITHOUT ROWID;
CREATE INDEX notice_stopped_by_consent ON notice_stopped (consent);

-- Impact assessments (COSE_Sign1).
CREATE TABLE assessments (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    record BLOB NOT NULL,
    registered_at INTEGER NOT NULL,
    staff BLOB NOT NULL
) STRICT;

-- Days of major incidents, after which an assessment is made anew.
CREATE TABLE incidents (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    happened_on INTEGER NOT NULL,
    entered_at INTEGER NOT NULL,
    staff BLOB NOT NULL
) STRICT;

-- Entrusted parties: companies, no residents.
CREATE TABLE entrusted (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    fields TEXT NOT NULL,                -- JSON: name, contact, task, kinds, measures, contract number
    begins_on INTEGER NOT NULL,
    ends_on INTEGER NOT NULL,
    entered_at INTEGER NOT NULL
) STRICT;
CREATE TRIGGER entrusted_stays BEFORE UPDATE OF number, fields, begins_on, entered_at ON entrusted
    BEGIN SELECT RAISE(ABORT, 'an entry is not edited'); END;
CREATE TRIGGER entrusted_never_longer BEFORE UPDATE OF ends_on ON entrusted WHEN NEW.ends_on > OLD.ends_on
    BEGIN SELECT RAISE(ABORT, 'a term is not extended'); END;

-- When a sign with these words was posted; no gate means the desk.
CREATE TABLE signs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    gate BLOB REFERENCES gates (id),
    words_sha256 BLOB NOT NULL CHECK (length(words_sha256) = 32),
    posted_on INTEGER NOT NULL,
    entered_at INTEGER NOT NULL,
    staff BLOB NOT NULL
) STRICT;

-- Records of processing are kept at least three years; this program has no way to give them up.
CREATE TRIGGER site_files_stay BEFORE UPDATE ON site_files BEGIN SELECT RAISE(ABORT, 'kept three years'); END;
CREATE TRIGGER site_files_keep BEFORE DELETE ON site_files BEGIN SELECT RAISE(ABORT, 'kept three years'); END;
CREATE TRIGGER assessments_stay BEFORE UPDATE ON assessments BEGIN SELECT RAISE(ABORT, 'kept three years'); END;
CREATE TRIGGER assessments_keep BEFORE DELETE ON assessments BEGIN SELECT RAISE(ABORT, 'kept three years'); END;
CREATE TRIGGER incidents_stay BEFORE UPDATE ON incidents BEGIN SELECT RAISE(ABORT, 'kept three years'); END;
CREATE TRIGGER incidents_keep BEFORE DELETE ON incidents BEGIN SELECT RAISE(ABORT, 'kept three years'); END;
CREATE TRIGGER entrusted_keep BEFORE DELETE ON entrusted BEGIN SELECT RAISE(ABORT, 'kept three years'); END;
CREATE TRIGGER signs_stay BEFORE UPDATE ON signs BEGIN SELECT RAISE(ABORT, 'kept three years'); END;
CREATE TRIGGER signs_keep BEFORE DELETE ON signs BEGIN SELECT RAISE(ABORT, 'kept three years'); END;
CREATE TRIGGER notice_versions_keep BEFORE DELETE ON notice_versions
    BEGIN SELECT RAISE(ABORT, 'kept three years'); END;
CREATE TRIGGER notice_versions_stay BEFORE UPDATE ON notice_versions
    WHEN OLD.number > 1 OR EXISTS (SELECT 1 FROM showings)
    BEGIN SELECT RAISE(ABORT, 'a version that was shown stays'); END;
