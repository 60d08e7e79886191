-- +goose Up
-- Messages to webhooks: what they are about, and how they are doing.
CREATE TABLE deliveries (
    org      TEXT    NOT NULL,
    site     TEXT    NOT NULL,
    webhook  BLOB    NOT NULL,
    id       BLOB    NOT NULL,
    kind     TEXT    NOT NULL,
    passage  BLOB    NOT NULL,
    at       INTEGER NOT NULL,
    state    TEXT    NOT NULL,
    attempts INTEGER NOT NULL,
    next     INTEGER,
    tried    INTEGER,
    answer   INTEGER NOT NULL,
    code     TEXT    NOT NULL,
    PRIMARY KEY (org, site, webhook, id)
) WITHOUT ROWID;
CREATE INDEX deliveries_due ON deliveries (org, site, state, next);

-- Up to where the log was followed for them.
CREATE TABLE delivery_cursor (
    org    TEXT    NOT NULL,
    site   TEXT    NOT NULL,
    cursor INTEGER NOT NULL,
    PRIMARY KEY (org, site)
) WITHOUT ROWID;
