package vault

import (
	"context"
	"database/sql"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/internal/sealeddb"
)

// spoolFile is the gate's own file for rows on their way to a vault elsewhere.
const spoolFile = "spool.db"

// maxSpool is how many rows wait at most for a vault that is away; each takes about
// 1.6 kB. A site with 10,000 strangers a day goes on for three months.
const maxSpool = 1_000_000

// spool makes chains' rows durable on the gate and delivers them, in order, to the
// vault's machine, so that no gate waits for the network. A row's seed is sealed to
// the vault's public key, so the gate keeps nothing that it could open; the file as a
// whole is encrypted like every other. A row leaves it when the vault has it.
type spool struct {
	db   *sealeddb.DB
	log  *slog.Logger
	send func(ctx context.Context, rows []chainRow) error // durable at the vault when it returns
	away func() error                                     // why nothing can be sent now; nil: it can
	stop context.CancelFunc
	end  chan struct{}

	keying sync.RWMutex // held by who adds rows, and alone by who changes the key
	key    string       // the name of the key that rows are taken for

	mu        sync.Mutex
	waiting   int   // rows
	added     int64 // the last row's n
	delivered int64 // of all rows up to this n
	changed   chan struct{}
}

// openSpool opens or makes the spool in dir. Errors: those of sealeddb.Open.
func openSpool(ctx context.Context, dir string, key [32]byte, log *slog.Logger) (*spool, error) {
	db, err := openVaultDB(ctx, dir, spoolFile, key, "spool")
	if err != nil {
		return nil, err
	}
	s := &spool{db: db, log: log, end: make(chan struct{}), changed: make(chan struct{})}
	var first int64
	if err := db.Readers().QueryRowContext(ctx, `SELECT count(*), coalesce(min(n), 0), coalesce(max(n), 0) FROM rows`).Scan(&s.waiting, &first, &s.added); err != nil {
		_ = db.Close() // the first error says why
		return nil, sealeddb.Wrap(spoolFile, err)
	}
	s.delivered = s.added
	if s.waiting > 0 {
		s.delivered = first - 1
	}
	return s, nil
}

// start begins to deliver.
func (s *spool) start(send func(context.Context, []chainRow) error, away func() error) {
	ctx, cancel := context.WithCancel(context.Background())
	s.send, s.away, s.stop = send, away, cancel
	go s.run(ctx)
}

// seals names the key that rows are taken for from now on, and has those who make them
// use it; none for another is being added when it returns.
func (s *spool) seals(key string, use func()) {
	s.keying.Lock()
	defer s.keying.Unlock()
	s.key = key
	use()
}

// current is the name of the key that rows are taken for.
func (s *spool) current() string {
	s.keying.RLock()
	defer s.keying.RUnlock()
	return s.key
}

// add makes rows durable here. Errors: store.full where the disk or the spool is,
// vault.key_retired where another key is sealed to by now.
func (s *spool) add(ctx context.Context, rows []chainRow) error {
	s.keying.RLock()
	defer s.keying.RUnlock()
	for i := range rows {
		if rows[i].Recipient != s.key {
			return errKeyRetired()
		}
	}
	s.mu.Lock()
	waiting := s.waiting
	s.mu.Unlock()
	if waiting+len(rows) > maxSpool {
		return gatehouse.Errorf("store.full", "bring the vault's machine back, or the network to it", "%d chains wait for the vault, as many as may", waiting)
	}
	var last int64
	err := s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for i := range rows {
			row, err := json.Marshal(rows[i])
			if err != nil {
				return err
			}
			result, err := tx.ExecContext(ctx, `INSERT INTO rows (row, enc, sealed) VALUES (?, ?, ?)`, string(row), rows[i].Enc, rows[i].Sealed)
			if err != nil {
				return err
			}
			if last, err = result.LastInsertId(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting += len(rows)
	s.added = last
	s.tell()
	return nil
}

// tell wakes whoever waits for a change. It must be called with the lock held.
func (s *spool) tell() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// vaultChanged is told when the vault comes or goes.
func (s *spool) vaultChanged(child.Status) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tell()
}

// count is how many rows wait.
func (s *spool) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting
}

// flush returns when every row that was added before is with the vault and no longer
// here. What looks at the vault's rows, or deletes some, flushes first: then it sees
// what was sealed a moment ago, and no row comes after its own erasure. Errors:
// vault.unavailable while the vault is away, vault.timeout when ctx ends
// first, or after 15 s.
func (s *spool) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, appendLimit)
	defer cancel()
	s.mu.Lock()
	target := s.added
	s.mu.Unlock()
	for {
		s.mu.Lock()
		done, changed := s.delivered >= target, s.changed
		s.mu.Unlock()
		if done {
			return nil
		}
		if err := s.away(); err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return gatehouse.Errorf("vault.timeout", "try again in a moment", "the vault did not take the chains that wait for it in time: %w", ctx.Err())
		}
	}
}

// run delivers until close.
func (s *spool) run(ctx context.Context) {
	defer close(s.end)
	pause := time.Duration(0)
	for ctx.Err() == nil {
		s.mu.Lock()
		idle, changed := s.delivered >= s.added, s.changed
		s.mu.Unlock()
		if idle || s.away() != nil {
			select {
			case <-changed:
			case <-ctx.Done():
			}
			continue
		}
		err := s.deliver(ctx)
		if err == nil {
			pause = 0
			continue
		}
		if ctx.Err() == nil && gatehouse.ErrorCode(err) != "vault.unavailable" {
			s.log.Error("chains could not be delivered to the vault; they wait here", "error", err)
		}
		pause = min(max(2*pause, 200*time.Millisecond), 30*time.Second)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// deliver sends the oldest rows and removes them once the vault has them. A row that
// arrives twice, since its answer was lost, is written once.
func (s *spool) deliver(ctx context.Context) error {
	rows, last, err := s.oldest(ctx)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, appendLimit)
	defer cancel()
	err = s.send(limited, rows)
	if gatehouse.ErrorCode(err) == "vault.key_retired" {
		return s.withoutRetired(limited, rows, err)
	}
	if err != nil {
		return err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM rows WHERE n <= ?`, last)
		return err
	})
	if err != nil {
		return err
	}
	if s.count() == len(rows) { // the last ones: nothing of them stays in the log
		if _, err := s.db.Checkpoint(ctx); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting -= len(rows)
	s.delivered = last
	s.tell()
	return nil
}

// withoutRetired takes rows away that are sealed to a key which is not this gate's any
// more and which the vault takes none for: a gate had them that was given up in a
// rotation. Nobody has that key, so what hangs on the rows is noise. refused is what the
// vault said of all of them.
func (s *spool) withoutRetired(ctx context.Context, rows []chainRow, refused error) error {
	own := s.current()
	others := slices.DeleteFunc(slices.Clone(rows), func(r chainRow) bool { return r.Recipient == own })
	if len(others) == 0 {
		return refused
	}
	if err := s.send(ctx, others); err == nil || gatehouse.ErrorCode(err) != "vault.key_retired" {
		return refused // the vault knows the old key, and not this gate's
	}
	var gone int64
	err := s.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `DELETE FROM rows WHERE json_extract(row, '$.Recipient') <> ?`, own)
		if err == nil {
			gone, err = result.RowsAffected()
		}
		return err
	})
	if err != nil {
		return err
	}
	s.log.Error("chains were given up: the vault key that they are sealed to was retired before this gate delivered them, so nobody can open what hangs on them", "count", gone)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting -= int(gone); s.waiting == 0 {
		s.delivered = s.added
	}
	s.tell()
	return nil
}

func (s *spool) oldest(ctx context.Context) (rows []chainRow, last int64, err error) {
	found, err := s.db.Readers().QueryContext(ctx, `SELECT n, row, enc, sealed FROM rows ORDER BY n LIMIT ?`, maxBatch)
	if err != nil {
		return nil, 0, sealeddb.Wrap(spoolFile, err)
	}
	defer found.Close()
	for found.Next() {
		var r chainRow
		var text string
		var enc, sealed []byte
		if err := found.Scan(&last, &text, &enc, &sealed); err != nil {
			return nil, 0, sealeddb.Wrap(spoolFile, err)
		}
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			return nil, 0, gatehouse.Errorf("store.damaged", "restore it from a backup", "a row of the spool cannot be read: %w", err)
		}
		r.Enc, r.Sealed = enc, sealed
		rows = append(rows, r)
	}
	return rows, last, sealeddb.Wrap(spoolFile, found.Err())
}

// close ends the delivery. What waits is delivered after the next start.
func (s *spool) close() error {
	s.stop()
	<-s.end
	return s.db.Close()
}
