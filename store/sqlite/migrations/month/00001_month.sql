-- +goose Up
-- Times are microseconds since 1970 in UTC; NULL stands for the zero time.
CREATE TABLE passages (
    org        TEXT    NOT NULL,
    site       TEXT    NOT NULL,
    id         BLOB    NOT NULL,
    gate       TEXT    NOT NULL,
    device     TEXT    NOT NULL,
    direction  TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    subject    BLOB    NOT NULL,
    known      INTEGER NOT NULL,
    frames     INTEGER NOT NULL,
    granted    INTEGER NOT NULL,
    reason     TEXT    NOT NULL,
    rule       TEXT    NOT NULL,
    latency    INTEGER NOT NULL, -- microseconds
    outcome    TEXT    NOT NULL,
    outcome_at INTEGER,
    PRIMARY KEY (org, site, id)
) WITHOUT ROWID;
CREATE INDEX passages_gate ON passages (org, site, gate, id);
CREATE INDEX passages_at ON passages (org, site, at, granted, reason);

-- Apart from the passages, so that a list of them reads few pages.
CREATE TABLE details (
    org     TEXT NOT NULL,
    site    TEXT NOT NULL,
    passage BLOB NOT NULL,
    sealed  BLOB NOT NULL,
    PRIMARY KEY (org, site, passage)
) WITHOUT ROWID;

CREATE TABLE evidence (
    org     TEXT    NOT NULL,
    site    TEXT    NOT NULL,
    passage BLOB    NOT NULL,
    n       INTEGER NOT NULL,
    blob    BLOB    NOT NULL,
    kind    TEXT    NOT NULL,
    digest  BLOB    NOT NULL,
    PRIMARY KEY (org, site, passage, n)
) WITHOUT ROWID;

-- The audit leaves, which are the outbox as well: whoever follows the log keeps
-- the last position that it has dealt with.
CREATE TABLE leaves (
    position INTEGER PRIMARY KEY,
    hash     BLOB NOT NULL,
    leaf     BLOB NOT NULL
);
