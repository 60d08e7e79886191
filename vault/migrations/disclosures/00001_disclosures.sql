-- +goose Up
CREATE TABLE disclosures (
    id       BLOB    PRIMARY KEY NOT NULL,
    at       INTEGER NOT NULL, -- Unix milliseconds
    operator TEXT    NOT NULL,
    purpose  TEXT    NOT NULL,
    reason   TEXT    NOT NULL,
    items    TEXT    NOT NULL, -- a JSON array of table/row/field
    units    INTEGER NOT NULL
);

-- +goose Down
DROP TABLE disclosures;
