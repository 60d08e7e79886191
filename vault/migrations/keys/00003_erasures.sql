-- +goose Up
-- How many rows an erasure deleted, over every attempt at it.
CREATE TABLE erasures (
    id     BLOB    PRIMARY KEY NOT NULL,
    chains INTEGER NOT NULL
);

-- How long each class of a site's days is kept, and since when that holds. Days are
-- expired by this and not by whoever asks.
CREATE TABLE retention (
    n     INTEGER PRIMARY KEY AUTOINCREMENT,
    org   TEXT    NOT NULL,
    site  TEXT    NOT NULL,
    class TEXT    NOT NULL,
    keep  INTEGER NOT NULL, -- milliseconds
    since INTEGER NOT NULL  -- Unix milliseconds
);
CREATE INDEX retention_by_class ON retention (org, site, class, n);

-- Legal holds. Their keys are sealed to the vault key as a chain's seed is, and keep
-- the held items' secrets of day chains that have expired.
CREATE TABLE holds (
    id        BLOB    PRIMARY KEY NOT NULL,
    org       TEXT    NOT NULL,
    site      TEXT    NOT NULL,
    subject   BLOB    NOT NULL, -- zero for a day
    day       TEXT    NOT NULL, -- empty for a subject
    operator  TEXT    NOT NULL,
    reason    BLOB    NOT NULL, -- sealed
    made      INTEGER NOT NULL, -- Unix milliseconds
    until     INTEGER NOT NULL,
    lifted    INTEGER NOT NULL, -- 0 while it is in force
    recipient TEXT    NOT NULL, -- the public key that the hold's key is sealed to
    enc       BLOB    NOT NULL,
    sealed    BLOB    NOT NULL
);
CREATE INDEX holds_by_subject ON holds (org, site, subject);

-- Of a held subject: the secrets of single positions of day chains, sealed under the
-- hold's key. Nothing else of those days can be opened with them.
CREATE TABLE held_items (
    org      TEXT    NOT NULL,
    site     TEXT    NOT NULL,
    chain    BLOB    NOT NULL,
    position INTEGER NOT NULL,
    hold     BLOB    NOT NULL,
    sealed   BLOB    NOT NULL,
    PRIMARY KEY (org, site, chain, position, hold)
) WITHOUT ROWID;

-- Of a held day: the rows that expired.
CREATE TABLE held_chains (
    org       TEXT    NOT NULL,
    site      TEXT    NOT NULL,
    id        BLOB    NOT NULL,
    hold      BLOB    NOT NULL,
    class     TEXT    NOT NULL,
    day       TEXT    NOT NULL,
    recipient TEXT    NOT NULL,
    created   INTEGER NOT NULL,
    enc       BLOB    NOT NULL,
    sealed    BLOB    NOT NULL,
    PRIMARY KEY (org, site, id, hold)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE held_chains;
DROP TABLE held_items;
DROP TABLE holds;
DROP TABLE retention;
DROP TABLE erasures;
