-- +goose Up
-- Chains' rows on their way to the vault's machine, in the order in which they were
-- made. Their seeds are sealed to the vault's public key.
CREATE TABLE rows (
    n      INTEGER PRIMARY KEY AUTOINCREMENT,
    row    TEXT NOT NULL, -- JSON: everything but the next two
    enc    BLOB NOT NULL,
    sealed BLOB NOT NULL
);

-- +goose Down
DROP TABLE rows;
