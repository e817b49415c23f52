-- Cameras that this desk knows. Nothing of anybody.
CREATE TABLE cameras (
    name TEXT NOT NULL,                  -- what the maker calls it
    place TEXT NOT NULL,                 -- its socket, as the operating system names it
    since INTEGER NOT NULL,
    accepted_by BLOB REFERENCES staff (id),  -- NULL: it was there at this vault's first look
    PRIMARY KEY (name, place)
) STRICT, WITHOUT ROWID;
