-- +goose Up
-- The erasure list also names whose templates were forgotten: kind 'templates', class
-- 'template', and in day the time, so that it can happen to somebody again.
CREATE TABLE removals_next (
    n       INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL, -- Unix milliseconds
    org     TEXT    NOT NULL,
    site    TEXT    NOT NULL,
    kind    TEXT    NOT NULL CHECK (kind IN ('subject', 'day', 'templates')),
    subject BLOB    NOT NULL, -- empty for days
    class   TEXT    NOT NULL,
    day     TEXT    NOT NULL,
    UNIQUE (org, site, kind, subject, class, day)
);
INSERT INTO removals_next SELECT n, at, org, site, kind, subject, class, day FROM removals ORDER BY n;
DROP TABLE removals;
ALTER TABLE removals_next RENAME TO removals;

-- +goose Down
DELETE FROM removals WHERE kind = 'templates';
