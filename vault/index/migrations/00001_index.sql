-- +goose Up
CREATE TABLE places (
    place INTEGER PRIMARY KEY,
    org   TEXT NOT NULL,
    site  TEXT NOT NULL,
    UNIQUE (org, site)
);

-- One row a passage and one a subject's record.
CREATE TABLE docs (
    doc     INTEGER PRIMARY KEY,
    place   INTEGER NOT NULL,
    kind    INTEGER NOT NULL CHECK (kind IN (1, 2)), -- record, passage
    id      BLOB    NOT NULL,                        -- the subject's, the passage's
    subject BLOB    NOT NULL,
    at      INTEGER NOT NULL, -- Unix milliseconds
    gate    TEXT    NOT NULL,
    reading TEXT    NOT NULL,
    class   TEXT    NOT NULL, -- the day chain that its values hang on
    day     TEXT    NOT NULL,
    text    TEXT    NOT NULL, -- what an answer shows
    UNIQUE (place, kind, id)
);
CREATE INDEX docs_by_time ON docs (place, at, doc);
CREATE INDEX docs_by_subject ON docs (place, subject, kind, at, doc);
CREATE INDEX docs_by_day ON docs (place, class, day);

-- What can be searched for, each text once. A term without postings is deleted.
CREATE TABLE terms (
    term  INTEGER PRIMARY KEY,
    place INTEGER NOT NULL,
    field INTEGER NOT NULL,
    text  TEXT    NOT NULL,
    UNIQUE (place, field, text)
);
CREATE TABLE postings (
    term INTEGER NOT NULL,
    at   INTEGER NOT NULL,
    doc  INTEGER NOT NULL,
    PRIMARY KEY (term, at, doc)
) WITHOUT ROWID;
CREATE INDEX postings_by_doc ON postings (doc, term);

-- The characters that occur in plates: plates that are one character off are looked
-- up one by one, so that no second table of half plates has to be kept and erased.
CREATE TABLE alphabet (
    place INTEGER NOT NULL,
    char  INTEGER NOT NULL, -- its Unicode number
    PRIMARY KEY (place, char)
) WITHOUT ROWID;

CREATE TABLE progress (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    position INTEGER NOT NULL, -- of the last leaf of the committed log that was dealt with
    until    INTEGER NOT NULL, -- that leaf's time, Unix milliseconds
    removed  INTEGER NOT NULL  -- 1: rows were removed since the file was written anew
);
INSERT INTO progress VALUES (1, 0, 0, 0);

-- +goose Down
DROP TABLE progress;
DROP TABLE alphabet;
DROP TABLE postings;
DROP TABLE terms;
DROP TABLE docs;
DROP TABLE places;
