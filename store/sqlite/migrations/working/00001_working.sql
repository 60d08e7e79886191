-- +goose Up
CREATE TABLE items (
    org     TEXT NOT NULL,
    site    TEXT NOT NULL,
    kind    TEXT NOT NULL,
    row     BLOB NOT NULL,
    subject BLOB NOT NULL,
    sealed  BLOB NOT NULL,
    PRIMARY KEY (org, site, kind, row)
) WITHOUT ROWID;
CREATE INDEX items_subject ON items (org, site, subject);
