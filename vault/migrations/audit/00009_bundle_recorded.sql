-- +goose Up
-- How long the log was when a bundle was first written down: who was certified later may
-- be in it, whatever the clock said.
ALTER TABLE bundles ADD COLUMN recorded INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE bundles DROP COLUMN recorded;
