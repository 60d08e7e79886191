-- +goose Up
-- The site's rule book: groups, rules, schedules and holidays, each as flow/rulebook
-- writes it. Times are microseconds since 1970 in UTC.
CREATE TABLE rule_items (
    org      TEXT    NOT NULL,
    site     TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    id       TEXT    NOT NULL,
    revision INTEGER NOT NULL,
    body     BLOB    NOT NULL,
    PRIMARY KEY (org, site, kind, id)
) WITHOUT ROWID;

CREATE TABLE group_members (
    org      TEXT NOT NULL,
    site     TEXT NOT NULL,
    group_id TEXT NOT NULL,
    subject  BLOB NOT NULL,
    PRIMARY KEY (org, site, group_id, subject)
) WITHOUT ROWID;
CREATE INDEX group_members_subject ON group_members (org, site, subject);

-- Every version of it: what the change was that made it.
CREATE TABLE rule_changes (
    org     TEXT    NOT NULL,
    site    TEXT    NOT NULL,
    version INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    by      TEXT    NOT NULL,
    event   TEXT    NOT NULL,
    kind    TEXT    NOT NULL,
    id      TEXT    NOT NULL,
    body    BLOB,
    PRIMARY KEY (org, site, version)
) WITHOUT ROWID;

CREATE TABLE rule_change_members (
    org     TEXT    NOT NULL,
    site    TEXT    NOT NULL,
    version INTEGER NOT NULL,
    subject BLOB    NOT NULL,
    PRIMARY KEY (org, site, version, subject)
) WITHOUT ROWID;
CREATE INDEX rule_change_members_subject ON rule_change_members (org, site, subject);
