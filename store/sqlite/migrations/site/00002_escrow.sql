-- +goose Up
-- The archive's copies of working-set items, sealed to the vault, from which the
-- working set is rebuilt.
CREATE TABLE escrow (
    org     TEXT NOT NULL,
    site    TEXT NOT NULL,
    kind    TEXT NOT NULL,
    row     BLOB NOT NULL,
    subject BLOB NOT NULL,
    sealed  BLOB NOT NULL,
    PRIMARY KEY (org, site, kind, row)
) WITHOUT ROWID;
CREATE INDEX escrow_subject ON escrow (org, site, subject);
