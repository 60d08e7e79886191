-- +goose Up
-- The public keys that the key store may be used with, by their short names: one, or
-- two while a rotation goes on. A key comes in only by the vault process, while the
-- private half of one that stands here is open; table vault keeps the last of them.
CREATE TABLE public_keys (
    name   TEXT    PRIMARY KEY NOT NULL,
    public BLOB    NOT NULL,
    at     INTEGER NOT NULL -- Unix milliseconds
);
CREATE INDEX chains_by_recipient ON chains (recipient);

-- +goose Down
DROP INDEX chains_by_recipient;
DROP TABLE public_keys;
