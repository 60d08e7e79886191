-- +goose Up
-- Where letters about a request go; sealed.
ALTER TABLE requests ADD COLUMN contact BLOB;
