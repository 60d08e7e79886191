-- +goose Up
-- The Ed25519 seed that signs backups' manifests; it is made at the first backup and
-- goes on with a restored log.
CREATE TABLE backup_signer (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    seed BLOB NOT NULL
);

-- +goose Down
DROP TABLE backup_signer;
