-- +goose Up
-- The numbers of invoices: 1, 2, 3, … in each year, without a gap. What one is of has one number.
CREATE TABLE invoices (
    org    TEXT    NOT NULL,
    site   TEXT    NOT NULL,
    year   INTEGER NOT NULL,
    number INTEGER NOT NULL,
    key    TEXT    NOT NULL, -- the account, the month, and a digest of what it says
    at     INTEGER NOT NULL,
    PRIMARY KEY (org, site, year, number)
);
CREATE UNIQUE INDEX invoices_key ON invoices (org, site, key);
