-- +goose Up
-- What people look for among passages, and what is rare enough to be worth an index: the
-- first page of it costs no more in a full month than in an empty one.
CREATE INDEX passages_denied ON passages (org, site, id) WHERE granted = 0;
CREATE INDEX passages_remote ON passages (org, site, id) WHERE kind = 'remote';
