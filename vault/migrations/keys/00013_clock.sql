-- +goose Up
-- The last time that was believed, while the clock stands ahead of it.
CREATE TABLE clock (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    wall INTEGER NOT NULL -- Unix milliseconds
);

-- +goose Down
DROP TABLE clock;
