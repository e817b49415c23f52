-- The gate's store, version 4. SQLCipher seals the whole file; no column can hold a name, a unit or a picture.

CREATE TABLE settings (
    one             INTEGER PRIMARY KEY CHECK (one = 1),
    gate            BLOB NOT NULL CHECK (length(gate) = 16),          -- this gate's random id
    realm           TEXT NOT NULL CHECK (realm IN ('real', 'practice')),
    identity        BLOB NOT NULL,                                    -- this gate's keys (channel, sealing, receipts)
    engine          TEXT NOT NULL,                                    -- the only face engine it matches
    takes_faces     INTEGER NOT NULL CHECK (takes_faces IN (0, 1)),
    offline_hours   INTEGER NOT NULL CHECK (offline_hours BETWEEN 1 AND 720),
    passlog_days    INTEGER NOT NULL CHECK (passlog_days BETWEEN 0 AND 30),
    station_pin     BLOB CHECK (length(station_pin) = 32),            -- fingerprint of the paired station; NULL: not paired
    station_seal    BLOB CHECK (length(station_seal) = 32),           -- its sealing key, learned at its first hello
    station_sign    BLOB CHECK (length(station_sign) = 32),           -- its signing key, learned likewise
    station_site    BLOB CHECK (length(station_site) = 16),
    last_contact    INTEGER NOT NULL,                                 -- ms since 1970; faces stop when it is too old
    last_instant    INTEGER NOT NULL,                                 -- latest instant seen; a clock before it has jumped back
    faces_stopped   INTEGER NOT NULL DEFAULT 0 CHECK (faces_stopped IN (0, 1)), -- the station stopped all faces here
    stop_sequence   INTEGER NOT NULL DEFAULT 0,                       -- latest stop or resumption, by the station's order
    transform_salt  BLOB NOT NULL CHECK (length(transform_salt) = 32) -- with the store's key: how templates are turned here
) STRICT;

CREATE TABLE faces (
    template        BLOB PRIMARY KEY CHECK (length(template) = 16),   -- random number, all that is known of a person
    engine          TEXT NOT NULL,
    vector          BLOB NOT NULL CHECK (length(vector) = 512),       -- 128 float32, little endian: the turned template
    ends_on         INTEGER NOT NULL,                                 -- last day, days since 1970 (China time)
    frozen          INTEGER NOT NULL DEFAULT 0 CHECK (frozen IN (0, 1)),
    op              BLOB NOT NULL CHECK (length(op) = 16),
    digest          BLOB NOT NULL CHECK (length(digest) = 32),        -- of the template as handed over: stays when it is turned anew
    kept            BLOB NOT NULL CHECK (length(kept) = 32)           -- of this row as it is kept
) STRICT, WITHOUT ROWID;

CREATE TABLE spent (                                                  -- random numbers that can never be used again
    template        BLOB PRIMARY KEY CHECK (length(template) = 16)
) STRICT, WITHOUT ROWID;

CREATE TABLE cards (
    uid             BLOB PRIMARY KEY CHECK (length(uid) BETWEEN 4 AND 10),
    ends_on         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE card_order (                                             -- latest operation of a card, also of a removed one
    card            BLOB PRIMARY KEY CHECK (length(card) = 32),       -- SHA-256 of gate id and number
    sequence        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE ops (                                                    -- operations done: a repeat gets the same receipt
    op              BLOB PRIMARY KEY CHECK (length(op) = 16),
    request_digest  BLOB NOT NULL CHECK (length(request_digest) = 32),
    receipt         BLOB NOT NULL,
    done_at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE openings (                                               -- that the door was asked to open, not for whom
    id              BLOB PRIMARY KEY CHECK (length(id) = 16),
    at              INTEGER NOT NULL,
    way             TEXT NOT NULL CHECK (way IN ('card', 'face')),
    door            TEXT NOT NULL CHECK (door IN ('opened', 'failed'))
) STRICT, WITHOUT ROWID;

CREATE INDEX openings_at ON openings (at);
