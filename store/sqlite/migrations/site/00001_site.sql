-- +goose Up
-- Times are microseconds since 1970 in UTC; NULL stands for the zero time.
CREATE TABLE subjects (
    org      TEXT    NOT NULL,
    site     TEXT    NOT NULL,
    id       BLOB    NOT NULL,
    kind     TEXT    NOT NULL,
    status   TEXT    NOT NULL,
    enrolled INTEGER,
    record   BLOB,
    PRIMARY KEY (org, site, id)
) WITHOUT ROWID;

CREATE TABLE photos (
    org     TEXT    NOT NULL,
    site    TEXT    NOT NULL,
    subject BLOB    NOT NULL,
    n       INTEGER NOT NULL,
    blob    BLOB    NOT NULL,
    kind    TEXT    NOT NULL,
    digest  BLOB    NOT NULL,
    PRIMARY KEY (org, site, subject, n)
) WITHOUT ROWID;

-- A consent that was withdrawn and given again is two rows.
CREATE TABLE consents (
    org       TEXT    NOT NULL,
    site      TEXT    NOT NULL,
    subject   BLOB    NOT NULL,
    purpose   TEXT    NOT NULL,
    given     INTEGER NOT NULL,
    withdrawn INTEGER,
    how       TEXT    NOT NULL,
    reference BLOB,
    PRIMARY KEY (org, site, subject, purpose, given)
) WITHOUT ROWID;

CREATE TABLE devices (
    org  TEXT NOT NULL,
    site TEXT NOT NULL,
    id   TEXT NOT NULL,
    kind TEXT NOT NULL,
    gate TEXT NOT NULL,
    PRIMARY KEY (org, site, id)
) WITHOUT ROWID;

CREATE TABLE intents (
    id   BLOB PRIMARY KEY,
    verb TEXT NOT NULL,
    body BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE leaves (
    position INTEGER PRIMARY KEY,
    hash     BLOB NOT NULL,
    leaf     BLOB NOT NULL
);

-- Positions below next were handed out to this or an earlier run.
CREATE TABLE leaf_positions (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    next INTEGER NOT NULL
);
INSERT INTO leaf_positions (one, next) VALUES (1, 1);
