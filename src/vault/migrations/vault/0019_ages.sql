-- The note about what ended, which every gate is given after each change, asks for the oldest in force and for what ended last.
CREATE INDEX consents_by_age ON consents (signed_at) WHERE ended_at IS NULL;
CREATE INDEX cards_by_age ON cards (issued_at) WHERE ended_at IS NULL;
CREATE INDEX consents_by_end ON consents (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX cards_by_end ON cards (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX residents_by_end ON residents (closed_at) WHERE closed_at IS NOT NULL;
