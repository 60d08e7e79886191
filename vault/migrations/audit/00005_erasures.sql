-- +goose Up
-- Erasures, with what their certificates say. leaf is the number of the certificate's
-- leaf, NULL until everything is done.
CREATE TABLE erasures (
    id        BLOB    PRIMARY KEY NOT NULL,
    org       TEXT    NOT NULL,
    site      TEXT    NOT NULL,
    subject   BLOB    NOT NULL, -- the id that was erased
    begun     INTEGER NOT NULL, -- Unix milliseconds
    operator  TEXT    NOT NULL,
    reason    BLOB    NOT NULL, -- sealed; empty for none
    erased_at INTEGER NOT NULL DEFAULT 0,
    chains    INTEGER NOT NULL DEFAULT 0,
    passages  INTEGER NOT NULL DEFAULT 0,
    final_at  INTEGER NOT NULL DEFAULT 0,
    leaf      INTEGER
);
CREATE INDEX erasures_by_time ON erasures (begun);
CREATE INDEX erasures_by_subject ON erasures (org, site, subject);

-- +goose Down
DROP TABLE erasures;
