package sealeddb

import (
	"context"
	"io/fs"
	"log/slog"

	"gatehouse"

	"github.com/pressly/goose/v3"
)

// migrate applies the migrations that are missing, each in a transaction of its
// own. A schema that is ahead of them is left alone.
func (d *DB) migrate(ctx context.Context, migrations fs.FS) error {
	if migrations == nil {
		return gatehouse.Errorf("store.failed", "give the database its migrations", "the database has no schema")
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, d.writer, migrations,
		goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		return Wrap(d.path, err)
	}
	sources := provider.ListSources()
	knows := sources[len(sources)-1].Version
	has, err := d.version(ctx)
	switch {
	case err != nil:
		return Wrap(d.path, err)
	case has > knows:
		return errNewer(d.path, has, knows)
	case has == knows:
		return nil
	}
	_, err = provider.Up(ctx)
	return Wrap(d.path, err)
}

// version is the last migration that was applied, 0 for a new database. It writes
// nothing, which goose's own question would.
func (d *DB) version(ctx context.Context) (version int64, err error) {
	var tables int
	err = d.writer.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?`, goose.DefaultTablename).Scan(&tables)
	if err != nil || tables == 0 {
		return 0, err
	}
	err = d.writer.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM `+goose.DefaultTablename).Scan(&version)
	return version, err
}
