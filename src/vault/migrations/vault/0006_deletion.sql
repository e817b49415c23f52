-- vault.db, deletion: pausing, dropping doors, stopping all faces, certificates, closing records, retention.

-- The outbox takes more kinds of operations. SQLite cannot change a CHECK, so the table is made anew; sequence numbers stay.
CREATE TABLE outbox_anew (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT, -- never goes back
    op BLOB NOT NULL UNIQUE CHECK (length(op) = 16),
    gate BLOB NOT NULL REFERENCES gates (id),
    rank INTEGER NOT NULL,
    kind TEXT NOT NULL
        CHECK (kind IN ('stop', 'resume', 'erase', 'freeze', 'thaw', 'remove-card', 'put-card')),
    consent BLOB REFERENCES consents (id),      -- erase, freeze, thaw
    link BLOB CHECK (length(link) = 16),        -- erase of a number that no consent here knows
    card BLOB REFERENCES cards (id),            -- cards; the number stays sealed there
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'wedged', 'superseded')),
    attempts INTEGER NOT NULL DEFAULT 0,
    not_before INTEGER NOT NULL,
    queued_at INTEGER NOT NULL,
    settled_at INTEGER,
    read_back_at INTEGER,                       -- the gate was asked again and told what the operation should have led to
    reason TEXT,                                -- the gate's reason code
    receipt BLOB,                               -- as signed by the gate
    CHECK ((kind IN ('remove-card', 'put-card')) = (card IS NOT NULL)),
    CHECK (kind NOT IN ('freeze', 'thaw') OR consent IS NOT NULL),
    CHECK (kind <> 'erase' OR (consent IS NULL) <> (link IS NULL)),
    CHECK (kind NOT IN ('stop', 'resume') OR (consent IS NULL AND link IS NULL))
) STRICT;
INSERT INTO outbox_anew (sequence, op, gate, rank, kind, consent, card, state, attempts, not_before, queued_at,
    settled_at, reason, receipt)
    SELECT sequence, op, gate, rank, kind, consent, card, state, attempts, not_before, queued_at, settled_at, reason,
        receipt FROM outbox;
DROP TABLE outbox;
ALTER TABLE outbox_anew RENAME TO outbox;
CREATE INDEX outbox_queue ON outbox (gate, state, rank, sequence);
CREATE INDEX outbox_by_consent ON outbox (consent) WHERE consent IS NOT NULL;
CREATE INDEX outbox_by_card ON outbox (card) WHERE card IS NOT NULL;

-- A face was paused and taken up again, at the person's word. The consent stays as it was signed.
CREATE TABLE pauses (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    consent BLOB NOT NULL REFERENCES consents (id),
    paused_at INTEGER NOT NULL,
    resumed_at INTEGER
) STRICT;
CREATE UNIQUE INDEX one_pause_a_consent ON pauses (consent) WHERE resumed_at IS NULL;

-- A door that the person took out of a consent. The consent stays as it was signed; this amends it.
CREATE TABLE dropped_doors (
    consent BLOB NOT NULL REFERENCES consents (id),
    gate BLOB NOT NULL REFERENCES gates (id),
    dropped_at INTEGER NOT NULL,
    PRIMARY KEY (consent, gate)
) STRICT, WITHOUT ROWID;

-- All faces of a gate, or (gate NULL) of the site, were stopped; resuming is a deliberate act.
CREATE TABLE face_stops (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    gate BLOB REFERENCES gates (id),
    stopped_at INTEGER NOT NULL,
    resumed_at INTEGER
) STRICT;

ALTER TABLE gates ADD COLUMN retired_at INTEGER;     -- taken out of use; what it held is being erased, or is
ALTER TABLE gates ADD COLUMN contact_at INTEGER;     -- the station's last contact, never earlier than the gate's own
ALTER TABLE gates ADD COLUMN offline_hours INTEGER;  -- its contact lease, as it states it

-- Somebody went to a gate that does not answer and switched its face function off.
CREATE TABLE switch_offs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    gate BLOB NOT NULL REFERENCES gates (id),
    done_at INTEGER NOT NULL,            -- as entered
    done_by BLOB NOT NULL,               -- sealed: station; who went there
    entered_at INTEGER NOT NULL
) STRICT;

-- How a consent ended: its place in the log.
CREATE TABLE endings (
    consent BLOB PRIMARY KEY NOT NULL REFERENCES consents (id),
    log_n INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Stubs of deletion certificates: random ids only.
CREATE TABLE certificates (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    consent BLOB NOT NULL REFERENCES consents (id),
    supplement_of BLOB,
    complete INTEGER NOT NULL CHECK (complete IN (0, 1)),
    issued_at INTEGER NOT NULL,
    handed_at INTEGER,                   -- printed or saved for the person
    says BLOB NOT NULL CHECK (length(says) = 32), -- SHA-256 of what it says of the gates: the same state, the same certificate
    statement BLOB NOT NULL              -- COSE_Sign1
) STRICT;
CREATE INDEX certificates_by_consent ON certificates (consent);

ALTER TABLE residents ADD COLUMN closed_at INTEGER;
ALTER TABLE residents ADD COLUMN close_reason TEXT;
ALTER TABLE residents ADD COLUMN identity_ended_at INTEGER;  -- name, unit and card numbers overwritten
ALTER TABLE residents ADD COLUMN evidence_ended_at INTEGER;  -- the person's key destroyed

-- What was ended and erased by rule.
CREATE TABLE retention_runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    run_at INTEGER NOT NULL,
    faces INTEGER NOT NULL,
    records INTEGER NOT NULL,
    identities INTEGER NOT NULL,
    evidence INTEGER NOT NULL
) STRICT;
