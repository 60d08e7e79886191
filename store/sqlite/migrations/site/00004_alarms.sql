-- +goose Up
-- Alarms, until somebody has acknowledged them and after. Times are microseconds since
-- 1970 in UTC; NULL stands for the zero time.
CREATE TABLE alarms (
    org          TEXT    NOT NULL,
    site         TEXT    NOT NULL,
    id           BLOB    NOT NULL,
    at           INTEGER NOT NULL,
    kind         TEXT    NOT NULL,
    operator     TEXT    NOT NULL,
    purpose      TEXT    NOT NULL,
    scope        TEXT    NOT NULL,
    device       TEXT    NOT NULL,
    gate         TEXT    NOT NULL,
    acknowledged INTEGER,
    by           TEXT    NOT NULL,
    PRIMARY KEY (org, site, id)
) WITHOUT ROWID;
CREATE INDEX alarms_open ON alarms (org, site, id) WHERE acknowledged IS NULL;
