-- +goose Up
-- Entries are added and never changed. Amounts are minor units of the entry's currency.
CREATE TABLE entries (
    org      TEXT    NOT NULL,
    site     TEXT    NOT NULL,
    number   INTEGER NOT NULL, -- 1, 2, 3, … without a gap
    key      TEXT    NOT NULL, -- of the event
    kind     TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    heard    INTEGER NOT NULL,
    booked   INTEGER NOT NULL,
    stay     BLOB    NOT NULL,
    amount   INTEGER NOT NULL,
    currency TEXT    NOT NULL,
    tax      INTEGER NOT NULL,
    provider TEXT    NOT NULL,
    payment  TEXT    NOT NULL,
    object   TEXT    NOT NULL,
    notice   TEXT    NOT NULL,
    by       TEXT    NOT NULL,
    reason   TEXT    NOT NULL,
    charge   BLOB,             -- how a charge came about, as JSON
    PRIMARY KEY (org, site, number)
);
CREATE UNIQUE INDEX entries_key ON entries (org, site, key);
CREATE INDEX entries_stay ON entries (org, site, stay, number);
CREATE INDEX entries_payment ON entries (org, site, provider, payment, number) WHERE payment <> '';
CREATE INDEX entries_booked ON entries (org, site, booked);

CREATE TABLE postings (
    org     TEXT    NOT NULL,
    site    TEXT    NOT NULL,
    entry   INTEGER NOT NULL,
    n       INTEGER NOT NULL,
    account TEXT    NOT NULL,
    amount  INTEGER NOT NULL, -- debit positive
    PRIMARY KEY (org, site, entry, n)
) WITHOUT ROWID;

-- The sums of the postings, so that nobody adds up years.
CREATE TABLE balances (
    org      TEXT    NOT NULL,
    site     TEXT    NOT NULL,
    account  TEXT    NOT NULL,
    currency TEXT    NOT NULL,
    amount   INTEGER NOT NULL,
    PRIMARY KEY (org, site, account, currency)
) WITHOUT ROWID;

-- What each stay owes; a row that came to nothing goes.
CREATE TABLE owed (
    org      TEXT    NOT NULL,
    site     TEXT    NOT NULL,
    stay     BLOB    NOT NULL,
    currency TEXT    NOT NULL,
    amount   INTEGER NOT NULL,
    PRIMARY KEY (org, site, stay, currency)
) WITHOUT ROWID;

-- Events that came before what they are about, as JSON.
CREATE TABLE waiting (
    org      TEXT    NOT NULL,
    site     TEXT    NOT NULL,
    provider TEXT    NOT NULL,
    payment  TEXT    NOT NULL,
    kind     TEXT    NOT NULL,
    object   TEXT    NOT NULL,
    heard    INTEGER NOT NULL,
    event    BLOB    NOT NULL,
    PRIMARY KEY (org, site, provider, payment, kind, object)
) WITHOUT ROWID;

CREATE TABLE closings (
    org      TEXT    NOT NULL,
    site     TEXT    NOT NULL,
    day      TEXT    NOT NULL,
    first    INTEGER NOT NULL,
    last     INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    by       TEXT    NOT NULL,
    content  BLOB    NOT NULL, -- turnover, balances and digest, as JSON
    PRIMARY KEY (org, site, day)
) WITHOUT ROWID;

CREATE TABLE checkouts (
    org     TEXT    NOT NULL,
    site    TEXT    NOT NULL,
    id      BLOB    NOT NULL,
    begun   INTEGER NOT NULL,
    state   TEXT    NOT NULL,
    content BLOB    NOT NULL, -- as JSON
    PRIMARY KEY (org, site, id)
);
CREATE INDEX checkouts_open ON checkouts (org, site, begun) WHERE state IN ('begun', 'open');

CREATE TABLE refund_orders (
    org      TEXT    NOT NULL,
    site     TEXT    NOT NULL,
    id       BLOB    NOT NULL,
    at       INTEGER NOT NULL,
    state    TEXT    NOT NULL,
    provider TEXT    NOT NULL,
    payment  TEXT    NOT NULL,
    amount   INTEGER NOT NULL,
    content  BLOB    NOT NULL, -- as JSON
    PRIMARY KEY (org, site, id)
);
CREATE INDEX refund_orders_payment ON refund_orders (org, site, provider, payment);
CREATE INDEX refund_orders_asked ON refund_orders (org, site, at) WHERE state = 'asked';

-- Audit leaves, as site.db has them.
CREATE TABLE leaves (
    position INTEGER PRIMARY KEY,
    hash     BLOB NOT NULL,
    leaf     BLOB NOT NULL
);
