-- +goose Up
-- Under which alias the audit log names a subject whose data was disclosed. The row goes
-- with the subject: then nobody can tell whom the alias stood for.
CREATE TABLE aliases (
    org     TEXT NOT NULL,
    site    TEXT NOT NULL,
    subject BLOB NOT NULL,
    salt    BLOB NOT NULL,
    alias   BLOB NOT NULL,
    PRIMARY KEY (org, site, subject)
) WITHOUT ROWID;
CREATE INDEX aliases_by_alias ON aliases (org, site, alias);

-- +goose Down
DROP TABLE aliases;
