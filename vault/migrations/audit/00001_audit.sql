-- +goose Up
-- Every opening of sealed data, written before anything is released.
CREATE TABLE disclosures (
    id       BLOB    PRIMARY KEY NOT NULL,
    at       INTEGER NOT NULL, -- Unix milliseconds
    operator TEXT    NOT NULL,
    role     TEXT    NOT NULL,
    purpose  TEXT    NOT NULL,
    reason   BLOB    NOT NULL, -- sealed; empty for none
    items    TEXT    NOT NULL, -- a JSON array of table/row/field
    units    INTEGER NOT NULL
);

-- The Merkle log (RFC 6962): its leaves, and the hashes of its complete subtrees,
-- numbered as golang.org/x/mod/sumdb/tlog numbers them.
CREATE TABLE leaves (
    n        INTEGER PRIMARY KEY, -- from 0, without gaps
    position INTEGER UNIQUE,      -- in the gate's own files; NULL for what the vault recorded itself
    leaf     BLOB NOT NULL
);
CREATE TABLE hashes (
    i    INTEGER PRIMARY KEY,
    hash BLOB NOT NULL
);

-- The key bundles that were written with backups, and when storage drops them.
CREATE TABLE bundles (
    id      BLOB    PRIMARY KEY NOT NULL,
    at      INTEGER NOT NULL, -- Unix milliseconds
    target  TEXT    NOT NULL,
    expires INTEGER NOT NULL
);

-- +goose Down
DROP TABLE bundles;
DROP TABLE hashes;
DROP TABLE leaves;
DROP TABLE disclosures;
