-- +goose Up
-- Options of gatehouse.yml that were changed while the server ran.
CREATE TABLE settings (
    org   TEXT    NOT NULL,
    site  TEXT    NOT NULL,
    name  TEXT    NOT NULL,
    value TEXT    NOT NULL,
    at    INTEGER NOT NULL,
    PRIMARY KEY (org, site, name)
) WITHOUT ROWID;
