-- +goose Up
-- When somebody asked something that may be asked a few times an hour. Who is a keyed digest.
CREATE TABLE tries (
    org  TEXT    NOT NULL,
    site TEXT    NOT NULL,
    who  BLOB    NOT NULL,
    at   INTEGER NOT NULL
);
CREATE INDEX tries_who ON tries (org, site, who, at);
CREATE INDEX tries_at ON tries (at);
