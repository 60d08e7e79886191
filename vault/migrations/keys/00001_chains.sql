-- +goose Up
-- One row a chain. Ids grow with time, so that rows are appended.
CREATE TABLE chains (
    org       TEXT    NOT NULL,
    site      TEXT    NOT NULL,
    id        BLOB    NOT NULL,
    kind      TEXT    NOT NULL CHECK (kind IN ('subject', 'day')),
    subject   BLOB    NOT NULL, -- zero for day chains
    class     TEXT    NOT NULL, -- empty for subject chains
    day       TEXT    NOT NULL, -- YYYY-MM-DD, UTC; empty for subject chains
    recipient TEXT    NOT NULL, -- the public key that the seed is sealed to
    created   INTEGER NOT NULL, -- Unix milliseconds
    enc       BLOB    NOT NULL,
    sealed    BLOB    NOT NULL,
    PRIMARY KEY (org, site, id)
);
CREATE INDEX chains_by_subject ON chains (org, site, subject) WHERE kind = 'subject';
CREATE INDEX chains_by_day ON chains (org, site, class, day) WHERE kind = 'day';

-- What the key store belongs to: the vault's public key that it was begun with.
CREATE TABLE vault (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    public BLOB NOT NULL
);

-- What was erased and what has expired: opaque ids and days, nothing else. The search
-- index drops what they name, and a restored backup is brought up to this list first.
CREATE TABLE removals (
    n       INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL, -- Unix milliseconds
    org     TEXT    NOT NULL,
    site    TEXT    NOT NULL,
    kind    TEXT    NOT NULL CHECK (kind IN ('subject', 'day')),
    subject BLOB    NOT NULL, -- empty for days
    class   TEXT    NOT NULL,
    day     TEXT    NOT NULL,
    UNIQUE (org, site, kind, subject, class, day)
);

-- +goose Down
DROP TABLE removals;
DROP TABLE vault;
DROP TABLE chains;
