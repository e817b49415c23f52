-- vault.db, shape 1. SQLCipher under HKDF(master key, realm, "vault.db").
-- "sealed: person" is XChaCha20-Poly1305 under the person's key in keys.db, bound to the row and the column.
-- "sealed: station" is the same under a key derived from the master key.
-- "keyed hash" is HMAC-SHA256 under a derived key.
-- All times are ms since 1970 (UTC); all days are days since 1970-01-01 (China). Ids are 16 random bytes.
-- There is no column for anything made from a picture, sealed or not: that rests in gates only.

-- What belongs to the station: 'site' (16 bytes) and 'realm', plain; 'evidence-key' and 'identity', sealed: station.
CREATE TABLE station (
    name TEXT PRIMARY KEY NOT NULL,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE staff (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    shown_name BLOB NOT NULL,            -- sealed: station
    made_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Facts of the site for the legal texts (public when posted).
CREATE TABLE facts (
    key TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE gates (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    shown_name TEXT NOT NULL,
    place TEXT NOT NULL,
    capture_area TEXT NOT NULL,
    other_way TEXT NOT NULL,
    why_needed TEXT NOT NULL,
    address TEXT NOT NULL,
    tls_pin BLOB NOT NULL CHECK (length(tls_pin) = 32),   -- SHA-256 of a public key
    seal_key BLOB NOT NULL CHECK (length(seal_key) = 32), -- public
    sign_key BLOB NOT NULL CHECK (length(sign_key) = 32), -- public
    takes_faces INTEGER NOT NULL CHECK (takes_faces IN (0, 1)),
    paired_at INTEGER NOT NULL,
    card_way_tested_at INTEGER,
    key_changed_at INTEGER               -- stopped since then, until paired again
) STRICT, WITHOUT ROWID;

CREATE TABLE residents (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    name BLOB NOT NULL,                  -- sealed: person
    unit BLOB NOT NULL,                  -- sealed: person
    unit_hash BLOB NOT NULL,             -- keyed hash of the normalised unit
    age_band INTEGER NOT NULL CHECK (age_band IN (0, 1, 2)),
    next_band_on INTEGER,
    ends_on INTEGER NOT NULL,
    recorded_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX residents_by_unit ON residents (unit_hash);

-- Keyed hashes of a person's surname forms, so that a surname can be matched within one unit.
CREATE TABLE resident_surnames (
    resident BLOB NOT NULL REFERENCES residents (id),
    surname_hash BLOB NOT NULL,
    PRIMARY KEY (resident, surname_hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE cards (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    resident BLOB NOT NULL REFERENCES residents (id),
    number BLOB NOT NULL,                -- sealed: person
    number_hash BLOB NOT NULL,           -- keyed hash
    ends_on INTEGER NOT NULL,
    issued_at INTEGER NOT NULL,
    ended_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX one_card_in_force_a_person ON cards (resident) WHERE ended_at IS NULL;
CREATE UNIQUE INDEX one_person_a_card ON cards (number_hash) WHERE ended_at IS NULL;

CREATE TABLE card_gates (
    card BLOB NOT NULL REFERENCES cards (id),
    gate BLOB NOT NULL REFERENCES gates (id),
    place INTEGER NOT NULL,              -- order as ticked
    PRIMARY KEY (card, gate)
) STRICT, WITHOUT ROWID;

-- The exact texts that were shown, once each.
CREATE TABLE texts (
    sha256 BLOB PRIMARY KEY NOT NULL CHECK (length(sha256) = 32),
    body TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE showings (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    resident BLOB NOT NULL REFERENCES residents (id),
    notice_id TEXT NOT NULL,
    notice_version TEXT NOT NULL,
    language TEXT NOT NULL,
    text_sha256 BLOB NOT NULL REFERENCES texts (sha256),
    opened_at INTEGER NOT NULL,
    reached_end_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX showings_by_resident ON showings (resident);

CREATE TABLE refusals (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    resident BLOB NOT NULL REFERENCES residents (id),
    showing BLOB NOT NULL REFERENCES showings (id),
    refused_at INTEGER NOT NULL,
    lifted_at INTEGER                    -- the person's own card tap, nothing else
) STRICT;
CREATE INDEX refusals_by_resident ON refusals (resident);

CREATE TABLE consents (
    id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
    resident BLOB NOT NULL REFERENCES residents (id),
    link BLOB NOT NULL UNIQUE CHECK (length(link) = 16), -- the random number that gates know
    notice_id TEXT NOT NULL,
    notice_version TEXT NOT NULL,
    language TEXT NOT NULL,
    text_sha256 BLOB NOT NULL REFERENCES texts (sha256),
    sentence BLOB NOT NULL,              -- sealed: person
    signature BLOB NOT NULL,             -- sealed: person; strokes or a typed name
    ends_on INTEGER NOT NULL,
    signed_at INTEGER NOT NULL,
    evidence BLOB NOT NULL,              -- COSE_Sign1 over the consent record; random ids only
    ended_at INTEGER,
    end_reason TEXT
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX one_current_consent_a_person ON consents (resident) WHERE ended_at IS NULL;

CREATE TABLE consent_gates (
    consent BLOB NOT NULL REFERENCES consents (id),
    gate BLOB NOT NULL REFERENCES gates (id),
    place INTEGER NOT NULL,              -- order as named
    PRIMARY KEY (consent, gate)
) STRICT, WITHOUT ROWID;

-- The camera was open under a consent. A row without over_at after a crash means that the capture was lost.
CREATE TABLE captures (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    consent BLOB NOT NULL REFERENCES consents (id),
    begun_at INTEGER NOT NULL,
    over_at INTEGER,
    lost_at INTEGER,
    lost_told INTEGER NOT NULL DEFAULT 0 CHECK (lost_told IN (0, 1))
) STRICT;

-- Which gate signed that it holds something under a consent's random number.
CREATE TABLE held (
    consent BLOB NOT NULL REFERENCES consents (id),
    gate BLOB NOT NULL REFERENCES gates (id),
    digest BLOB NOT NULL CHECK (length(digest) = 32), -- computed by the gate at its read-back
    receipt BLOB NOT NULL,                            -- as signed by the gate
    since INTEGER NOT NULL,
    recognised_at INTEGER,
    erased_at INTEGER,
    PRIMARY KEY (consent, gate)
) STRICT, WITHOUT ROWID;

-- Operations on their way to gates; written together with what they announce.
CREATE TABLE outbox (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, -- never goes back
    op BLOB NOT NULL UNIQUE CHECK (length(op) = 16),
    gate BLOB NOT NULL REFERENCES gates (id),
    rank INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('erase', 'freeze', 'remove-card', 'put-card')),
    consent BLOB REFERENCES consents (id),      -- erase, freeze
    card BLOB REFERENCES cards (id),            -- cards; the number stays sealed there
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'wedged', 'superseded')),
    attempts INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER NOT NULL,
    queued_at INTEGER NOT NULL,
    settled_at INTEGER,
    reason TEXT,                                -- the gate's reason code
    receipt BLOB,                               -- as signed by the gate
    CHECK ((kind IN ('erase', 'freeze')) = (consent IS NOT NULL)),
    CHECK ((kind IN ('remove-card', 'put-card')) = (card IS NOT NULL))
) STRICT;
CREATE INDEX outbox_queue ON outbox (gate, state, rank, sequence);
CREATE INDEX outbox_by_consent ON outbox (consent) WHERE consent IS NOT NULL;
CREATE INDEX outbox_by_card ON outbox (card) WHERE card IS NOT NULL;

-- The evidence log: records (random ids and labels only), the nodes of its RFC 6962 tree, and signed heads.
CREATE TABLE log (
    n INTEGER PRIMARY KEY,
    record BLOB NOT NULL
) STRICT;
CREATE TABLE log_nodes (
    i INTEGER PRIMARY KEY,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE TABLE log_heads (
    size INTEGER PRIMARY KEY,
    note TEXT NOT NULL
) STRICT;

-- A past event is never edited by this program.
CREATE TRIGGER log_stays BEFORE UPDATE ON log BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER log_keeps BEFORE DELETE ON log BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER log_nodes_stay BEFORE UPDATE ON log_nodes BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER log_nodes_keep BEFORE DELETE ON log_nodes BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER consent_stays BEFORE UPDATE OF id, resident, link, notice_id, notice_version, language, text_sha256,
    sentence, signature, ends_on, signed_at, evidence ON consents
    BEGIN SELECT RAISE(ABORT, 'a consent is not edited'); END;
CREATE TRIGGER ended_consent_stays BEFORE UPDATE OF ended_at ON consents WHEN OLD.ended_at IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'an ended consent stays ended'); END;
