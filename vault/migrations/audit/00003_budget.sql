-- +goose Up
-- What controls disclosures, sealed under a key that only the unsealed vault derives:
-- "control" (limits, canaries, operators, whether a canary was opened) and "levels"
-- (what is left of the budgets).
CREATE TABLE control (
    name   TEXT PRIMARY KEY NOT NULL,
    sealed BLOB NOT NULL
);

-- What a guard's live window showed after its entry in disclosures was written.
CREATE TABLE live_items (
    disclosure BLOB    NOT NULL,
    item       TEXT    NOT NULL, -- table/row/field
    units      INTEGER NOT NULL,
    PRIMARY KEY (disclosure, item)
) WITHOUT ROWID;

-- Operators: who can be told apart. Which of them count stands in "control"; this
-- copy lets a person make a signature while the vault is sealed.
CREATE TABLE operators (
    name   TEXT    PRIMARY KEY NOT NULL,
    salt   BLOB    NOT NULL, -- of scrypt
    work   INTEGER NOT NULL, -- scrypt's log2 N
    public BLOB    NOT NULL, -- Ed25519
    added  INTEGER NOT NULL  -- Unix milliseconds
);

-- A canary that was opened or shown, and who agreed to open the vault again.
CREATE TABLE trips (
    id       BLOB    PRIMARY KEY NOT NULL,
    at       INTEGER NOT NULL, -- Unix milliseconds
    kind     TEXT    NOT NULL, -- subject or token
    operator TEXT    NOT NULL, -- who opened it; empty for a token
    purpose  TEXT    NOT NULL,
    device   TEXT    NOT NULL, -- as what a token was shown
    lifted   INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE lifts (
    trip      BLOB    NOT NULL,
    operator  TEXT    NOT NULL,
    at        INTEGER NOT NULL,
    signature BLOB    NOT NULL,
    PRIMARY KEY (trip, operator)
);

-- Canary tokens, by digest: they are recognized while the vault is sealed, too.
CREATE TABLE canary_tokens (
    digest  BLOB    PRIMARY KEY NOT NULL,
    label   TEXT    NOT NULL,
    planted INTEGER NOT NULL
);

-- Bulk releases: who asked, who agreed, and what became of it.
CREATE TABLE releases (
    id        BLOB    PRIMARY KEY NOT NULL,
    at        INTEGER NOT NULL, -- Unix milliseconds
    expires   INTEGER NOT NULL,
    operator  TEXT    NOT NULL,
    body      BLOB    NOT NULL, -- what was asked for and signed
    signature BLOB    NOT NULL,
    approver  TEXT    NOT NULL DEFAULT '',
    approval  BLOB    NOT NULL DEFAULT x'',
    approved  INTEGER NOT NULL DEFAULT 0,
    written   INTEGER NOT NULL DEFAULT 0
);

-- Alarms that the server has not taken over yet, and those of the past.
CREATE TABLE alarms (
    n      INTEGER PRIMARY KEY AUTOINCREMENT,
    id     BLOB    NOT NULL,
    at     INTEGER NOT NULL,
    kind   TEXT    NOT NULL,
    body   TEXT    NOT NULL, -- JSON
    taken  INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX alarms_to_take ON alarms (n) WHERE taken = 0;

-- +goose Down
DROP TABLE alarms;
DROP TABLE releases;
DROP TABLE canary_tokens;
DROP TABLE lifts;
DROP TABLE trips;
DROP TABLE operators;
DROP TABLE live_items;
DROP TABLE control;
