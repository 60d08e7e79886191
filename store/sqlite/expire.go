package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

// dropBatch is how much content goes in one transaction, between which gates commit.
const dropBatch = 500

// DropContent implements gatehouse.ExpiryStore.
func (s *Store) DropContent(ctx context.Context, cut gatehouse.ContentCut, deleteBlobs func([]gatehouse.BlobID) error) (dropped int, err error) {
	if err := checkPlace(cut.Place); err != nil {
		return 0, err
	}
	find, drop, err := dropStatements(cut)
	if err != nil {
		return 0, err
	}
	args := []any{string(cut.Org), string(cut.Site), cut.Before.UnixMicro()}
	for _, day := range cut.HeldDays {
		args = append(args, day.UnixMicro(), day.Add(24*time.Hour).UnixMicro())
	}
	for _, id := range cut.HeldSubjects {
		args = append(args, id[:])
	}
	err = s.monthsNewestFirst(ctx, time.Time{}, cut.Before, func(m *shard) (bool, error) {
		n, err := m.dropContent(ctx, find, drop, args, deleteBlobs)
		dropped += n
		return true, err
	})
	return dropped, err
}

// dropStatements find some content of a cut, and drop one piece of it.
func dropStatements(cut gatehouse.ContentCut) (find, drop string, err error) {
	find = `SELECT c.passage, c.n, c.blob FROM evidence c`
	drop = `DELETE FROM evidence WHERE org = ? AND site = ? AND passage = ? AND n = ?`
	which := ""
	switch cut.Kind {
	case gatehouse.DetailContent:
		find, drop = `SELECT c.passage, 0, NULL FROM details c`, `DELETE FROM details WHERE org = ? AND site = ? AND passage = ? AND ? = 0`
	case gatehouse.CropContent:
		which = ` AND c.kind = 'crop' AND p.known = 1`
	case gatehouse.FrameContent:
		which = ` AND c.kind = 'frame'`
	case gatehouse.StrangerContent:
		which = ` AND c.kind = 'crop' AND p.known = 0`
	default:
		return "", "", invalid("there is no such content")
	}
	find += ` JOIN passages p ON p.org = c.org AND p.site = c.site AND p.id = c.passage WHERE c.org = ? AND c.site = ? AND p.at < ?` + which
	find += strings.Repeat(` AND NOT (p.at >= ? AND p.at < ?)`, len(cut.HeldDays))
	if n := len(cut.HeldSubjects); n > 0 {
		find += ` AND p.subject NOT IN (?` + strings.Repeat(`, ?`, n-1) + `)`
	}
	return find + ` ORDER BY c.passage LIMIT ?`, drop, nil
}

// piece is one row of details or evidence.
type piece struct {
	passage gatehouse.ID
	n       int
	blob    []byte
}

func (m *shard) dropContent(ctx context.Context, find, drop string, args []any, deleteBlobs func([]gatehouse.BlobID) error) (dropped int, err error) {
	for {
		pieces, err := m.pieces(ctx, find, append(args[:len(args):len(args)], dropBatch))
		if err != nil || len(pieces) == 0 {
			return dropped, err
		}
		var blobs []gatehouse.BlobID
		for _, p := range pieces {
			if len(p.blob) == len(gatehouse.BlobID{}) {
				blobs = append(blobs, gatehouse.BlobID(p.blob))
			}
		}
		if len(blobs) > 0 {
			if err := deleteBlobs(blobs); err != nil {
				return dropped, err
			}
		}
		err = m.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			for _, p := range pieces {
				if _, err := tx.ExecContext(ctx, drop, args[0], args[1], p.passage[:], p.n); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return dropped, err
		}
		dropped += len(pieces)
	}
}

func (m *shard) pieces(ctx context.Context, find string, args []any) (pieces []piece, err error) {
	rows, err := m.db.Readers().QueryContext(ctx, find, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var p piece
		if err := rows.Scan(idColumn{&p.passage}, &p.n, &p.blob); err != nil {
			return nil, err
		}
		pieces = append(pieces, p)
	}
	return pieces, rows.Err()
}

// Months implements gatehouse.ExpiryStore.
func (s *Store) Months(context.Context) ([]time.Time, error) {
	names, err := s.monthNames()
	if err != nil {
		return nil, err
	}
	var months []time.Time
	for _, name := range names {
		month, err := time.Parse("2006-01.db", name)
		if err != nil {
			return nil, sealeddb.Wrap(name, err)
		}
		months = append(months, month)
	}
	return months, nil
}

// DropMonth implements gatehouse.ExpiryStore. The file goes before its key: a file
// without a key would be in the way of everything, a key without a file is of no use.
func (s *Store) DropMonth(ctx context.Context, month time.Time, followed uint64) (dropped bool, err error) {
	name := monthName(month)
	if name >= monthName(time.Now().Add(-idSlack)) {
		return false, invalid("this month is not over")
	}
	shard, err := s.month(ctx, name, false)
	if errors.Is(err, fs.ErrNotExist) {
		return false, notFound("month")
	}
	if err != nil {
		return false, err
	}
	if uint64(shard.last.Load()) > followed {
		return false, nil
	}
	s.months.mu.Lock()
	m := s.months.open[name]
	s.months.mu.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := shard.db.Close(); err != nil {
		return false, err
	}
	m.shard = nil
	path := filepath.Join(s.options.Dir, name)
	for _, suffix := range []string{"", "-wal", "-shm", ".key", ".key.new"} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, sealeddb.Wrap(name, err)
		}
	}
	dir, err := os.Open(s.options.Dir)
	if err != nil {
		return false, sealeddb.Wrap(name, err)
	}
	return true, sealeddb.Wrap(name, errors.Join(dir.Sync(), dir.Close()))
}
