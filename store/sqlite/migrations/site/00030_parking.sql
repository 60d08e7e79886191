-- +goose Up
-- How far a follower of the log got that keeps what it makes in other files.
CREATE TABLE followers (
    org      TEXT    NOT NULL,
    site     TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (org, site, name)
) WITHOUT ROWID;

CREATE TABLE tariffs (
    org      TEXT    NOT NULL,
    site     TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    revision INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    by       TEXT    NOT NULL,
    body     BLOB    NOT NULL,
    PRIMARY KEY (org, site, name, revision)
) WITHOUT ROWID;

-- Passes, reservations, quotas, lists and validations. subject and stay are zero where there is none.
CREATE TABLE parking_items (
    org     TEXT    NOT NULL,
    site    TEXT    NOT NULL,
    kind    TEXT    NOT NULL,
    id      TEXT    NOT NULL,
    subject BLOB    NOT NULL,
    stay    BLOB    NOT NULL,
    body    BLOB    NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (org, site, kind, id)
) WITHOUT ROWID;
CREATE INDEX parking_items_subject ON parking_items (org, site, subject);

CREATE TABLE rights_used (
    org     TEXT NOT NULL,
    site    TEXT NOT NULL,
    by_right BLOB NOT NULL,
    stay    BLOB NOT NULL,
    PRIMARY KEY (org, site, by_right, stay)
) WITHOUT ROWID;
