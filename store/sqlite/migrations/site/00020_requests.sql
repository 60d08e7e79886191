-- +goose Up
-- What people ask about their own data. note and answer are sealed.
CREATE TABLE requests (
    org      TEXT    NOT NULL,
    site     TEXT    NOT NULL,
    id       BLOB    NOT NULL,
    kind     TEXT    NOT NULL,
    subject  BLOB, -- NULL where nobody enrolled is meant
    opened   INTEGER NOT NULL,
    due      INTEGER NOT NULL,
    extended INTEGER NOT NULL,
    done     INTEGER,
    outcome  TEXT    NOT NULL,
    note     BLOB,
    answer   BLOB,
    PRIMARY KEY (org, site, id)
) WITHOUT ROWID;
CREATE INDEX requests_subject ON requests (org, site, subject);
