-- +goose Up
-- What the log is called, and what it cosigns other logs with.
CREATE TABLE log (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    origin   TEXT    NOT NULL,
    witness  BLOB    NOT NULL, -- the seed of the key that cosigns
    unsealed INTEGER NOT NULL  -- the last leaf about it says that the vault is open
);

-- The keys that sign checkpoints, one after the other; only the last has a seed.
CREATE TABLE signers (
    n    INTEGER PRIMARY KEY, -- from 1, without gaps
    vkey TEXT NOT NULL,
    seed BLOB
);

-- One a minute is kept; the last one is replaced while its minute runs.
CREATE TABLE checkpoints (
    n    INTEGER PRIMARY KEY, -- from 1, without gaps
    size INTEGER NOT NULL,
    at   INTEGER NOT NULL, -- Unix milliseconds
    note TEXT    NOT NULL  -- signed
);

-- The newest checkpoint that each of this log's witnesses has taken.
CREATE TABLE witnesses (
    name TEXT    PRIMARY KEY NOT NULL, -- the verifier key, or "file:" and the path's digest
    size INTEGER NOT NULL,
    note TEXT    NOT NULL -- with the cosignature, if there is one
);

-- The newest checkpoint of each log that this one is a witness for.
CREATE TABLE witnessed (
    origin TEXT    PRIMARY KEY NOT NULL,
    size   INTEGER NOT NULL,
    note   TEXT    NOT NULL
);

-- +goose Down
DROP TABLE witnessed;
DROP TABLE witnesses;
DROP TABLE checkpoints;
DROP TABLE signers;
DROP TABLE log;
