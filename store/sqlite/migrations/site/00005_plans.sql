-- +goose Up
CREATE TABLE plans (
    org     TEXT    NOT NULL,
    site    TEXT    NOT NULL,
    id      TEXT    NOT NULL,
    title   TEXT    NOT NULL,
    width   INTEGER NOT NULL,
    height  INTEGER NOT NULL,
    picture BLOB    NOT NULL,
    PRIMARY KEY (org, site, id)
);

-- Where gates are on a plan, in thousandths of its width and height.
CREATE TABLE plan_gates (
    org  TEXT    NOT NULL,
    site TEXT    NOT NULL,
    plan TEXT    NOT NULL,
    gate TEXT    NOT NULL,
    x    INTEGER NOT NULL,
    y    INTEGER NOT NULL,
    PRIMARY KEY (org, site, plan, gate)
) WITHOUT ROWID;
