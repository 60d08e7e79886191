-- +goose Up
-- The body of a release holds its operator's reason, so it is sealed from now on; what
-- the list of releases shows stands beside it. The vault process seals what an earlier
-- version left in clear at its next start (summary is empty there).
ALTER TABLE releases ADD COLUMN summary TEXT NOT NULL DEFAULT ''; -- JSON: the request without reason, salt and items
ALTER TABLE releases ADD COLUMN count INTEGER NOT NULL DEFAULT 0; -- of its items

-- +goose Down
ALTER TABLE releases DROP COLUMN count;
ALTER TABLE releases DROP COLUMN summary;
