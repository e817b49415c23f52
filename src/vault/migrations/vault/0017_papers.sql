-- Keys that a gate signed with before it was paired anew under another one: its receipts from then are checked with them.
CREATE TABLE gate_keys_before (
    gate BLOB NOT NULL REFERENCES gates (id),
    sign_key BLOB NOT NULL CHECK (length(sign_key) = 32),
    until INTEGER NOT NULL,                     -- when another key took its place
    PRIMARY KEY (gate, sign_key)
) STRICT, WITHOUT ROWID;
