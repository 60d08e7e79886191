-- +goose Up
-- Whose passages they are, for erasing a subject.
CREATE INDEX passages_subject ON passages (org, site, subject);
