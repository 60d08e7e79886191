-- +goose Up
-- Shifts that two people want to exchange, and what became of it. entries are the roster's,
-- written with the approval, and applied afterwards.
CREATE TABLE shift_swaps (
    org        TEXT    NOT NULL,
    site       TEXT    NOT NULL,
    id         BLOB    NOT NULL,
    subject    BLOB    NOT NULL, -- the first, who asked
    other      BLOB    NOT NULL,
    first_day  TEXT    NOT NULL,
    second_day TEXT    NOT NULL,
    agreed     BLOB    NOT NULL, -- the two accounts, 32 bytes
    decided_by BLOB    NOT NULL,
    state      TEXT    NOT NULL,
    made       INTEGER NOT NULL,
    decided    INTEGER,
    entries    BLOB,
    applied    INTEGER,
    PRIMARY KEY (org, site, id)
) WITHOUT ROWID;
CREATE INDEX shift_swaps_subject ON shift_swaps (org, site, subject);
CREATE INDEX shift_swaps_other ON shift_swaps (org, site, other);
