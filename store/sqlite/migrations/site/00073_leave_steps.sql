-- +goose Up
-- Who approved the steps of a request for leave before its last: accounts of 16 bytes, in
-- their order.
ALTER TABLE leave_requests ADD COLUMN approvals BLOB;
