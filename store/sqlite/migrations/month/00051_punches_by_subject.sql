-- +goose Up
-- One person's month lies together, so that a page reads a few blocks and not one for each
-- punch. An id is there once, whoever's it is.
CREATE TABLE punches_of (
    org       TEXT    NOT NULL,
    site      TEXT    NOT NULL,
    subject   BLOB    NOT NULL,
    id        BLOB    NOT NULL,
    source    TEXT    NOT NULL,
    at_site   TEXT    NOT NULL,
    gate      TEXT    NOT NULL,
    direction TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    zone      TEXT    NOT NULL,
    made      INTEGER NOT NULL,
    PRIMARY KEY (org, site, subject, id)
) WITHOUT ROWID;
INSERT INTO punches_of (org, site, subject, id, source, at_site, gate, direction, at, zone, made)
    SELECT org, site, subject, id, source, at_site, gate, direction, at, zone, made FROM punches;
DROP TABLE punches;
ALTER TABLE punches_of RENAME TO punches;
CREATE UNIQUE INDEX punches_id ON punches (org, site, id);
