-- +goose Up
-- Entries of the list of the denied had their vehicle's id, which leaves keep after its erasure.
UPDATE parking_items SET id = lower(hex(randomblob(16))) WHERE kind = 'denied' AND id = lower(hex(subject));
