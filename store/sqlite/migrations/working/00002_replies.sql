-- +goose Up
-- What requests with a key of their own were answered, for a day.
CREATE TABLE replies (
    org    TEXT    NOT NULL,
    site   TEXT    NOT NULL,
    key    BLOB    NOT NULL,
    print  BLOB    NOT NULL,
    at     INTEGER NOT NULL,
    status INTEGER NOT NULL, -- 0: begun
    sealed BLOB    NOT NULL,
    PRIMARY KEY (org, site, key)
) WITHOUT ROWID;
CREATE INDEX replies_at ON replies (org, site, at);
