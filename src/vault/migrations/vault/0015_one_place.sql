-- A face that ends at one place while its consent goes on: why, where in the log, and a certificate of its own.
ALTER TABLE dropped_doors ADD COLUMN reason TEXT NOT NULL DEFAULT 'withdrawn';
ALTER TABLE dropped_doors ADD COLUMN log_n INTEGER NOT NULL DEFAULT 0;
ALTER TABLE certificates ADD COLUMN gate BLOB REFERENCES gates (id);  -- the one place; NULL: every place of the consent

-- Every issue of one card number, ended ones too.
CREATE INDEX cards_by_number ON cards (number_hash);
