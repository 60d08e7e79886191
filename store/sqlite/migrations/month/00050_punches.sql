-- +goose Up
-- Punches are in the month of their id's time. One made of a passage has its id.
CREATE TABLE punches (
    org       TEXT    NOT NULL,
    site      TEXT    NOT NULL,
    id        BLOB    NOT NULL,
    subject   BLOB    NOT NULL,
    source    TEXT    NOT NULL,
    at_site   TEXT    NOT NULL,
    gate      TEXT    NOT NULL,
    direction TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    zone      TEXT    NOT NULL,
    made      INTEGER NOT NULL,
    PRIMARY KEY (org, site, id)
) WITHOUT ROWID;
CREATE INDEX punches_subject ON punches (org, site, subject, id);
