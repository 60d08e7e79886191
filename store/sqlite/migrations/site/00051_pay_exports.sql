-- +goose Up
-- Hours of closed periods that were asked for as a file, and by whom approved.
CREATE TABLE pay_exports (
    org         TEXT    NOT NULL,
    site        TEXT    NOT NULL,
    id          BLOB    NOT NULL,
    first       TEXT    NOT NULL,
    last        TEXT    NOT NULL,
    format      TEXT    NOT NULL,
    recipients  TEXT    NOT NULL,
    by          BLOB    NOT NULL,
    made        INTEGER NOT NULL,
    approved_by BLOB    NOT NULL,
    approved    INTEGER,
    written     INTEGER,
    PRIMARY KEY (org, site, id)
) WITHOUT ROWID;
