-- +goose Up
-- Who keeps a key bundle beyond its time, and why.
ALTER TABLE bundles ADD COLUMN holder TEXT NOT NULL DEFAULT '';
ALTER TABLE bundles ADD COLUMN reason BLOB NOT NULL DEFAULT x''; -- sealed

-- +goose Down
ALTER TABLE bundles DROP COLUMN reason;
ALTER TABLE bundles DROP COLUMN holder;
