package drill

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/internal/sealeddb"
	"gatehouse/vault"
)

// steal plays the thief over everything that the copy left.
func (d *drill) steal(ctx context.Context) error {
	marks := d.cast.marks()
	m, err := newMatcher(marks)
	if err != nil {
		return err
	}
	d.report.Marks, d.report.Kinds = len(marks), map[Kind]int{}
	for _, mark := range marks {
		d.report.Kinds[mark.kind]++
	}
	for _, kind := range slices.Sorted(maps.Keys(d.report.Kinds)) {
		if n := d.report.Kinds[kind]; n < d.Marks {
			d.report.note(fmt.Sprintf("%d marks of the kind %s could be planted, fewer than were asked for", n, kind))
		}
	}
	hoard, err := d.hoard(ctx)
	if err != nil {
		return err
	}
	d.say("making the digests of a region's plates and phone numbers")
	region := d.cast.region()
	if d.mutant.region > 0 {
		region = region[:d.mutant.region]
	}
	s := newSearch(marks, m, bruteForce(region, d.cast.indexed(), hoard.known, hoard.possible))
	if err := d.searchFiles(ctx, s); err != nil {
		return err
	}
	if d.hasKey() {
		if err := d.searchPages(ctx, s); err != nil {
			return err
		}
	}
	d.report.tell(s)
	if d.hasKey() {
		return d.searchWorkingSet(ctx, marks, m)
	}
	return nil
}

// hasKey reports whether this thief got the gate key.
func (d *drill) hasKey() bool { return d.Thief == DiskThief && d.keyOnDisk }

// searchFiles goes over every file, as it is: data directory, the same while the server
// ran, logs, metrics, temporary files, crash dumps, backups.
func (d *drill) searchFiles(ctx context.Context, s *search) error {
	places := []struct{ where, dir string }{{"data", d.config.Data}, {"data while running", d.snapshotDir()}, {"log", d.logDir()}, {"temporary files", d.tempDir()}, {"backup", d.backupDir()}}
	var total int64
	for _, p := range places {
		total += sizeOf(p.dir)
	}
	step := d.progress(total, "searching every byte as a thief of the "+string(d.Thief))
	defer step.finish()
	s.advance = step.add
	for _, p := range places {
		if err := s.tree(ctx, p.where, p.dir); err != nil {
			return err
		}
	}
	s.bytes("metrics", d.metrics)
	s.bytes("webhooks and mails", []byte(d.post.got.String()))
	return d.searchDumps(ctx, s)
}

// searchDumps looks for core files where the system may have put them.
func (d *drill) searchDumps(ctx context.Context, s *search) error {
	for _, dir := range []string{".", d.root} {
		files, err := filepath.Glob(filepath.Join(dir, "core*"))
		if err != nil {
			return err
		}
		for _, file := range files {
			if info, err := os.Stat(file); err != nil || !info.Mode().IsRegular() {
				continue
			}
			if err := s.file(ctx, "crash dump", file); err != nil {
				return err
			}
		}
	}
	return nil
}

func sizeOf(dir string) (total int64) {
	_ = filepath.WalkDir(dir, func(_ string, e fs.DirEntry, err error) error { // for the progress alone
		if err == nil && e.Type().IsRegular() {
			if info, err := e.Info(); err == nil {
				total += info.Size()
			}
		}
		return nil
	})
	return total
}

// stolenDB is a database that the gate key opens.
type stolenDB struct {
	where string // for findings
	path  string
	key   [32]byte
}

// databases are those of the stopped copy and of the one that ran, with their keys.
func (d *drill) databases() (all []stolenDB, err error) {
	for _, root := range []struct{ where, dir string }{{"data", d.config.Data}, {"data while running", d.snapshotDir()}} {
		gate, err := vault.OpenGateKey(root.dir, d.gateKey)
		if err != nil {
			return nil, err
		}
		err = filepath.WalkDir(root.dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".db") {
				return err
			}
			key, err := gate.FileKey(path)
			if err != nil {
				return nil // not the gate key's to open: noise to this thief, and searched as such
			}
			rel, err := filepath.Rel(root.dir, path)
			all = append(all, stolenDB{filepath.ToSlash(filepath.Join(root.where, rel)), path, key})
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// searchPages decrypts every page of every database with the gate key, free ones and
// the write-ahead log included.
func (d *drill) searchPages(ctx context.Context, s *search) error {
	databases, err := d.databases()
	if err != nil {
		return err
	}
	step := d.progress(int64(len(databases)), "decrypting every page with the gate key")
	defer step.finish()
	s.advance = nil
	for _, db := range databases {
		for suffix, what := range map[string]string{"": " (pages)", "-wal": " (log's pages)"} {
			if info, err := os.Stat(db.path + suffix); err != nil || info.Size() == 0 {
				continue
			}
			err := sealeddb.Pages(db.path+suffix, db.key, func(plain []byte) error {
				s.bytes(db.where+what, plain)
				return ctx.Err()
			})
			if err != nil {
				return err
			}
		}
		step.add(1)
	}
	gate, err := vault.OpenGateKey(d.config.Data, d.gateKey)
	if err != nil {
		return err
	}
	opened, err := d.searchBackup(ctx, s, gate)
	if err == nil && opened == 0 {
		err = gatehouse.Errorf("drill.backup", "this is a fault of the drill", "the gate key opens no database of the backup, which it should")
	}
	return err
}

// hoard is what a thief may use as a key: what is known to be one, and whatever has a
// key's length.
type hoard struct{ known, possible [][]byte }

// maxPossible bounds the values that are tried as keys.
const maxPossible = 20_000

// hoard gathers keys: of files, every run of 32 bytes in small ones; with the gate key
// also every value of 32 bytes in the databases, and the working set's own keys.
func (d *drill) hoard(ctx context.Context) (hoard, error) {
	h := hoard{known: [][]byte{{}}} // an HMAC without a key
	err := filepath.WalkDir(d.config.Data, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		if info, err := e.Info(); err != nil || info.Size() > 2048 {
			return nil
		}
		b, err := os.ReadFile(path)
		for i := 0; i+32 <= len(b) && len(h.possible) < maxPossible; i++ {
			h.possible = append(h.possible, b[i:i+32])
		}
		return err
	})
	if err != nil || !d.hasKey() {
		return h, err
	}
	gate, err := os.ReadFile(d.gateKey)
	if err != nil {
		return h, err
	}
	h.known = append(h.known, gate)
	databases, err := d.databases()
	if err != nil {
		return h, err
	}
	for _, db := range databases {
		h.known = append(h.known, slices.Clone(db.key[:]))
		if err := d.eachValue(ctx, db, func(_ string, v []byte) {
			if len(v) == 32 && len(h.possible) < maxPossible {
				h.possible = append(h.possible, v)
			}
		}); err != nil {
			return h, err
		}
	}
	items, err := d.workingItems(ctx)
	for _, item := range items {
		if len(item.plain) >= 32 && len(item.plain) <= 80 && strings.HasSuffix(string(item.Kind), "_key") || item.Kind == "gallery" {
			h.known = append(h.known, item.plain[len(item.plain)-32:])
		}
	}
	h.known = h.known[:min(len(h.known), maxKnown)]
	return h, err
}

// maxKnown bounds the keys under which the whole region is tried.
const maxKnown = 12

// eachValue reads every value of every table of a copy of a stolen database.
func (d *drill) eachValue(ctx context.Context, db stolenDB, f func(column string, v []byte)) error {
	// Opening it would empty its log, which is searched as it was stolen.
	work := filepath.Join(d.root, "work.db")
	defer os.Remove(work)
	if err := copyDatabase(ctx, db.path, work); err != nil {
		return err
	}
	opened, err := sealeddb.OpenAsIs(work, db.key)
	if err != nil {
		return err
	}
	defer opened.Close()
	tables, err := column[string](ctx, opened, `SELECT name FROM sqlite_schema WHERE type = 'table'`)
	if err != nil {
		return err
	}
	for _, table := range tables {
		rows, err := opened.Readers().QueryContext(ctx, fmt.Sprintf("SELECT * FROM %q", table))
		if err != nil {
			return err
		}
		names, err := rows.Columns()
		if err != nil {
			rows.Close()
			return err
		}
		values := make([]any, len(names))
		for i := range values {
			values[i] = new(any)
		}
		for rows.Next() {
			if err := rows.Scan(values...); err != nil {
				rows.Close()
				return err
			}
			for i, v := range values {
				switch v := (*v.(*any)).(type) {
				case []byte:
					f(table+"."+names[i], v)
				case string:
					f(table+"."+names[i], []byte(v))
				}
			}
		}
		rows.Close()
		if err := rows.Err(); err != nil {
			return err
		}
	}
	return nil
}

// column reads a query's only column.
func column[T any](ctx context.Context, db *sealeddb.DB, query string) (all []T, err error) {
	rows, err := db.Readers().QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var v T
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}
