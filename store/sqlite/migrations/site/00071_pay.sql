-- +goose Up
-- What people are paid by; sealed. Times are microseconds since 1970 in UTC.
CREATE TABLE pay_terms (
    org     TEXT    NOT NULL,
    site    TEXT    NOT NULL,
    subject BLOB    NOT NULL,
    first   TEXT    NOT NULL, -- the first day on which they count
    id      BLOB    NOT NULL,
    sealed  BLOB    NOT NULL,
    by      BLOB    NOT NULL,
    made    INTEGER NOT NULL,
    PRIMARY KEY (org, site, subject, first)
) WITHOUT ROWID;
CREATE UNIQUE INDEX pay_terms_id ON pay_terms (org, site, id);

-- Pay of closed periods that was asked for, and by whom approved.
CREATE TABLE pay_runs (
    org         TEXT    NOT NULL,
    site        TEXT    NOT NULL,
    id          BLOB    NOT NULL,
    first       TEXT    NOT NULL,
    last        TEXT    NOT NULL,
    by          BLOB    NOT NULL,
    made        INTEGER NOT NULL,
    approved_by BLOB    NOT NULL,
    approved    INTEGER,
    version     INTEGER NOT NULL,
    closed      INTEGER,
    done        INTEGER,
    people      INTEGER NOT NULL,
    problems    INTEGER NOT NULL,
    PRIMARY KEY (org, site, id)
) WITHOUT ROWID;

-- What came of a run: sealed by the vault, NULL where there is a problem in its place.
CREATE TABLE payslips (
    org     TEXT    NOT NULL,
    site    TEXT    NOT NULL,
    id      BLOB    NOT NULL,
    run     BLOB    NOT NULL,
    subject BLOB    NOT NULL,
    first   TEXT    NOT NULL,
    last    TEXT    NOT NULL,
    problem TEXT    NOT NULL,
    sealed  BLOB,
    made    INTEGER NOT NULL,
    PRIMARY KEY (org, site, id)
);
CREATE INDEX payslips_subject ON payslips (org, site, subject);
CREATE INDEX payslips_run ON payslips (org, site, run);
