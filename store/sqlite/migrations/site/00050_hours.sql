-- +goose Up
-- The book of hours: shifts, teams, rosters, rules and calendars, each as flow/timesheet
-- writes it. Times are microseconds since 1970 in UTC; NULL stands for the zero time, and
-- for nobody.
CREATE TABLE hours_items (
    org      TEXT    NOT NULL,
    site     TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    revision INTEGER NOT NULL,
    subject  BLOB,
    body     BLOB    NOT NULL,
    PRIMARY KEY (org, site, kind, id)
) WITHOUT ROWID;
CREATE INDEX hours_items_subject ON hours_items (org, site, subject) WHERE subject IS NOT NULL;

-- Every version of it: what the change was that made it.
CREATE TABLE hours_changes (
    org     TEXT    NOT NULL,
    site    TEXT    NOT NULL,
    version INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    by      TEXT    NOT NULL,
    event   TEXT    NOT NULL,
    kind    TEXT    NOT NULL,
    id      TEXT    NOT NULL,
    subject BLOB,
    body    BLOB,
    PRIMARY KEY (org, site, version)
) WITHOUT ROWID;
CREATE INDEX hours_changes_item ON hours_changes (org, site, kind, id, version);
CREATE INDEX hours_changes_subject ON hours_changes (org, site, subject) WHERE subject IS NOT NULL;

-- How far the committed log was followed for punches.
CREATE TABLE punch_cursor (
    org      TEXT    NOT NULL,
    site     TEXT    NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (org, site)
) WITHOUT ROWID;

-- reason is sealed.
CREATE TABLE time_corrections (
    org        TEXT    NOT NULL,
    site       TEXT    NOT NULL,
    id         BLOB    NOT NULL,
    subject    BLOB    NOT NULL,
    kind       TEXT    NOT NULL,
    punch      BLOB    NOT NULL,
    at         INTEGER,
    direction  TEXT    NOT NULL,
    at_site    TEXT    NOT NULL,
    reason     BLOB,
    by         BLOB    NOT NULL,
    made       INTEGER NOT NULL,
    state      TEXT    NOT NULL,
    decided_by BLOB    NOT NULL,
    decided    INTEGER,
    PRIMARY KEY (org, site, id)
) WITHOUT ROWID;
CREATE INDEX time_corrections_subject ON time_corrections (org, site, subject);
CREATE INDEX time_corrections_state ON time_corrections (org, site, state, id);

CREATE TABLE leave_requests (
    org        TEXT    NOT NULL,
    site       TEXT    NOT NULL,
    id         BLOB    NOT NULL,
    subject    BLOB    NOT NULL,
    kind       TEXT    NOT NULL,
    begins     INTEGER NOT NULL,
    ends       INTEGER NOT NULL,
    reason     BLOB,
    by         BLOB    NOT NULL,
    made       INTEGER NOT NULL,
    state      TEXT    NOT NULL,
    decided_by BLOB    NOT NULL,
    decided    INTEGER,
    PRIMARY KEY (org, site, id)
) WITHOUT ROWID;
CREATE INDEX leave_requests_subject ON leave_requests (org, site, subject);
CREATE INDEX leave_requests_state ON leave_requests (org, site, state, id);

CREATE TABLE pay_periods (
    org      TEXT    NOT NULL,
    site     TEXT    NOT NULL,
    first    TEXT    NOT NULL,
    last     TEXT    NOT NULL,
    state    TEXT    NOT NULL,
    version  INTEGER NOT NULL,
    closed   INTEGER,
    by       BLOB    NOT NULL,
    asked    BLOB    NOT NULL,
    reopened BLOB    NOT NULL, -- the two accounts, 32 bytes
    PRIMARY KEY (org, site, first, last)
) WITHOUT ROWID;
