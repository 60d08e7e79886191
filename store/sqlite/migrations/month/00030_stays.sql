-- +goose Up
-- Stays by the month of their entry, exits by their own. could holds ids of 16 bytes, one
-- after the other; correction is sealed.
CREATE TABLE stays (
    org           TEXT    NOT NULL,
    site          TEXT    NOT NULL,
    id            BLOB    NOT NULL,
    car_park      TEXT    NOT NULL,
    subject       BLOB    NOT NULL,
    known         INTEGER NOT NULL,
    class         TEXT    NOT NULL,
    entry_gate    TEXT    NOT NULL,
    exit_gate     TEXT    NOT NULL,
    entry_passage BLOB    NOT NULL,
    exit_passage  BLOB    NOT NULL,
    entered       INTEGER NOT NULL,
    left_at       INTEGER,
    lost_ticket   INTEGER NOT NULL,
    state         TEXT    NOT NULL,
    reason        TEXT    NOT NULL,
    by_right      BLOB    NOT NULL,
    quota         TEXT    NOT NULL,
    charge        BLOB,
    owed          INTEGER NOT NULL,
    booked        INTEGER NOT NULL,
    by            TEXT    NOT NULL,
    changed       INTEGER,
    correction    BLOB,
    PRIMARY KEY (org, site, id)
) WITHOUT ROWID;
CREATE INDEX stays_inside ON stays (org, site, id) WHERE state IN ('open', 'waiting', 'ambiguous');
CREATE INDEX stays_state ON stays (org, site, state, id);
CREATE INDEX stays_subject ON stays (org, site, subject, id);

CREATE TABLE exits (
    org      TEXT    NOT NULL,
    site     TEXT    NOT NULL,
    id       BLOB    NOT NULL,
    car_park TEXT    NOT NULL,
    gate     TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    subject  BLOB    NOT NULL,
    known    INTEGER NOT NULL,
    state    TEXT    NOT NULL,
    reason   TEXT    NOT NULL,
    stay     BLOB    NOT NULL,
    could    BLOB    NOT NULL,
    by       TEXT    NOT NULL,
    attached INTEGER,
    PRIMARY KEY (org, site, id)
) WITHOUT ROWID;
CREATE INDEX exits_unmatched ON exits (org, site, id) WHERE state IN ('ambiguous', 'unpaired');
CREATE INDEX exits_subject ON exits (org, site, subject);
