-- How a showing of a notice was read (rule P17b). Goes with its showing.
CREATE TABLE showing_reading (
    showing BLOB PRIMARY KEY NOT NULL REFERENCES showings (id) ON DELETE CASCADE,
    sections_ms TEXT NOT NULL,           -- JSON list: how long some of each section was on screen, in ms
    letters_percent INTEGER NOT NULL,
    high_contrast INTEGER NOT NULL CHECK (high_contrast IN (0, 1)),
    read_aloud INTEGER NOT NULL CHECK (read_aloud IN (0, 1))
) STRICT, WITHOUT ROWID;
