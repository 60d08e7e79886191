-- +goose Up
-- How a consent was recorded: the language of the notice, whether a guardian agreed, and
-- the operator's id.
ALTER TABLE consents ADD COLUMN notice TEXT NOT NULL DEFAULT '';
ALTER TABLE consents ADD COLUMN guardian INTEGER NOT NULL DEFAULT 0;
ALTER TABLE consents ADD COLUMN recorder TEXT NOT NULL DEFAULT '';

-- Lists are read from the index alone: a row carries a sealed record of 4 KiB or more.
CREATE INDEX subjects_roll ON subjects (org, site, enrolled, id, kind, status);
