package vault

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/internal/sealeddb"
	"gatehouse/vault/auditlog"
)

// The files beside audit.db that anybody may read and copy.
const (
	verifierKeyFile = "audit.vkey"       // the log's verifier keys, the newest first
	checkpointFile  = "audit.checkpoint" // the newest signed checkpoint
)

const (
	checkpointEvery = time.Second // at most
	keptEvery       = time.Minute // the checkpoints that stay
)

// signer signs the log's checkpoints. What it holds is guarded by auditDB.mu.
type signer struct {
	dir      string
	origin   string
	key      *auditlog.Signer
	keys     []string // verifier keys, the newest last
	witness  *auditlog.Signer
	removals func(context.Context) (auditlog.Removals, error)

	last newestCheckpoint

	wake chan struct{}
	stop context.CancelFunc
	done sync.WaitGroup
}

// newestCheckpoint is the last row of checkpoints, and when the one before was made.
type newestCheckpoint struct {
	n, size    int64
	at, before time.Time
	note       string
}

// VerifierKeyPath is the file with the log's verifier keys, the newest first, of the
// vault in dir.
func VerifierKeyPath(dir string) string { return filepath.Join(dir, verifierKeyFile) }

// begin makes the log able to sign: at the first start it makes the log's name and
// keys. place becomes part of the name. From then on a checkpoint follows the leaves
// within checkpointEvery, until close.
func (a *auditDB) begin(ctx context.Context, dir string, place gatehouse.Place, removals func(context.Context) (auditlog.Removals, error)) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := &signer{dir: dir, removals: removals, wake: make(chan struct{}, 1)}
	err := s.load(ctx, a.db)
	if errors.Is(err, sql.ErrNoRows) {
		if err = a.firstStart(ctx, place); err == nil {
			err = s.load(ctx, a.db)
		}
	}
	if err != nil {
		return sealeddb.Wrap(auditFile, err)
	}
	a.signer = s
	if err := s.endedOpen(ctx, a); err != nil {
		return err
	}
	if err := a.sign(ctx); err != nil {
		return err
	}
	if err := s.publish(); err != nil {
		return err
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.done.Go(func() { a.keepSigning(background, s) })
	return nil
}

// firstStart makes the log's name and its first keys, with the log's first leaf.
func (a *auditDB) firstStart(ctx context.Context, place gatehouse.Place) error {
	var id [4]byte
	random(id[:])
	parts := []string{"gatehouse", string(place.Org), string(place.Site), hex.EncodeToString(id[:])}
	origin := strings.ReplaceAll(strings.Join(parts, "/"), "//", "/")
	var seed, witness [32]byte
	random(seed[:])
	random(witness[:])
	vkey := auditlog.NewLogSigner(origin, seed).VerifierKey()
	leaf := gatehouse.EventLeaf(gatehouse.VaultLeafKind, time.Now(), "begun", origin, vkey)
	_, err := a.add(ctx, []entry{{leaf: leaf}}, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO log (one, origin, witness, unsealed) VALUES (1, ?, ?, 0)`, origin, witness[:]); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO signers (n, vkey, seed) VALUES (1, ?, ?)`, vkey, seed[:])
		return err
	})
	return err
}

// load reads the log's name, keys and newest checkpoint; sql.ErrNoRows before the
// first start.
func (s *signer) load(ctx context.Context, db *sealeddb.DB) error {
	var witness, seed []byte
	r := db.Readers()
	if err := r.QueryRowContext(ctx, `SELECT origin, witness FROM log`).Scan(&s.origin, &witness); err != nil {
		return err
	}
	keys, err := verifierKeys(ctx, r)
	if err != nil {
		return err
	}
	s.keys = keys
	if err := r.QueryRowContext(ctx, `SELECT seed FROM signers ORDER BY n DESC LIMIT 1`).Scan(&seed); err != nil {
		return err
	}
	if len(seed) != 32 || len(witness) != 32 {
		return gatehouse.Errorf("store.damaged", "restore it from a backup", "the audit log's keys cannot be read")
	}
	s.key = auditlog.NewLogSigner(s.origin, [32]byte(seed))
	s.witness = auditlog.NewWitnessSigner(s.origin+"/witness", [32]byte(witness))
	var at int64
	var before sql.NullInt64
	err = r.QueryRowContext(ctx, `SELECT c.n, c.size, c.at, c.note, b.at FROM checkpoints c LEFT JOIN checkpoints b ON b.n = c.n - 1 ORDER BY c.n DESC LIMIT 1`).
		Scan(&s.last.n, &s.last.size, &at, &s.last.note, &before)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	s.last.at, s.last.before = time.UnixMilli(at), time.UnixMilli(before.Int64)
	return err
}

// verifierKeys lists the log's keys, the newest last.
func verifierKeys(ctx context.Context, db *sql.DB) (keys []string, err error) {
	rows, err := db.QueryContext(ctx, `SELECT vkey FROM signers ORDER BY n`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var vkey string
		if err := rows.Scan(&vkey); err != nil {
			return nil, err
		}
		keys = append(keys, vkey)
	}
	return keys, rows.Err()
}

// verifierKeys gives the log's keys, one a line, the newest first.
func (s *signer) verifierKeys() string {
	var b strings.Builder
	for i := len(s.keys) - 1; i >= 0; i-- {
		b.WriteString(s.keys[i] + "\n")
	}
	return b.String()
}

// grown says that there are leaves to sign. It may be called on nil.
func (s *signer) grown() {
	if s == nil {
		return
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// keepSigning signs what has grown, at most every checkpointEvery.
func (a *auditDB) keepSigning(ctx context.Context, s *signer) {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		}
		if _, err := a.checkpoint(ctx); err != nil && ctx.Err() == nil {
			child.NewLog().Error("a checkpoint of the audit log could not be made", "code", gatehouse.ErrorCode(err))
			s.grown() // again
		}
		pause.Reset(checkpointEvery)
		select {
		case <-ctx.Done():
			return
		case <-pause.C:
		}
	}
}

// checkpoint returns a signed checkpoint of all leaves that are committed now.
func (a *auditDB) checkpoint(ctx context.Context) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.signer == nil {
		return "", gatehouse.Errorf("vault.unavailable", "try in a moment", "the audit log is not open yet")
	}
	if a.signer.last.size == a.tree.Size() {
		return a.signer.last.note, nil
	}
	if err := a.sign(ctx); err != nil {
		return "", err
	}
	return a.signer.last.note, a.signer.publish()
}

// sign makes a checkpoint of the log as it is, with the lock held, unless there is one.
func (a *auditDB) sign(ctx context.Context) error {
	s := a.signer
	if s.last.size == a.tree.Size() {
		return nil
	}
	removals, err := s.removals(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	signed, err := auditlog.Sign(auditlog.Checkpoint{Origin: s.origin, Size: a.tree.Size(), Root: a.tree.Root(), At: now, Removals: removals}, s.key)
	if err != nil {
		return err
	}
	next := newestCheckpoint{n: s.last.n, size: a.tree.Size(), at: now, before: s.last.before, note: signed}
	if since := now.Sub(s.last.before); s.last.n < 2 || since < 0 || since >= keptEvery {
		next.n, next.before = s.last.n+1, s.last.at
	}
	err = a.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT OR REPLACE INTO checkpoints (n, size, at, note) VALUES (?, ?, ?, ?)`, next.n, next.size, now.UnixMilli(), signed)
		return err
	})
	if err == nil {
		s.last = next
	}
	return err
}

// publish writes what anybody may check the log with beside the database. Whoever cuts
// the end of the database must cut this too, and then the witness has seen more.
func (s *signer) publish() error {
	for file, text := range map[string]string{verifierKeyFile: s.verifierKeys(), checkpointFile: s.last.note} {
		path := filepath.Join(s.dir, file)
		if have, err := os.ReadFile(path); err == nil && string(have) == text {
			continue
		}
		if err := writeDurably(path, []byte(text), true); err != nil {
			return gatehouse.Errorf("audit.unwritable", "check that the data directory can be written and has room", "%s could not be written: %w", file, err)
		}
	}
	return nil
}

// close signs what is not signed yet and closes the database.
func (a *auditDB) close() error {
	a.mu.Lock()
	s := a.signer
	a.mu.Unlock()
	var err error
	if s != nil && s.stop != nil {
		s.stop()
		s.done.Wait()
		_, err = a.checkpoint(context.Background())
	}
	return errors.Join(err, a.db.Close())
}

// rotateSigner begins a new key for checkpoints: its leaf says which follows which, is
// signed by the old one, and the old one's private half is forgotten in the same
// transaction. It returns the log's verifier keys, the newest first.
func (a *auditDB) rotateSigner(ctx context.Context) (string, error) {
	if _, err := a.checkpoint(ctx); err != nil { // the old key's last one
		return "", err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	s := a.signer
	var seed [32]byte
	random(seed[:])
	next := auditlog.NewLogSigner(s.origin, seed)
	before, after := s.key.VerifierKey(), next.VerifierKey()
	signature, err := s.key.Sign(rotation(before, after))
	if err != nil {
		return "", err
	}
	leaf := gatehouse.EventLeaf(gatehouse.KeyLeafKind, time.Now(), signerRotated, before, after, hex.EncodeToString(signature))
	_, err = a.add(ctx, []entry{{leaf: leaf}}, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE signers SET seed = NULL`); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO signers (n, vkey, seed) VALUES (?, ?, ?)`, len(s.keys)+1, after, seed[:])
		return err
	})
	if err != nil {
		return "", err
	}
	s.key, s.keys = next, append(s.keys, after)
	if err := a.sign(ctx); err != nil {
		return "", err
	}
	return s.verifierKeys(), s.publish()
}

// signerRotated is the event of the leaf that a rotation writes: the verifier keys
// before and after, and the old key's signature of both.
const signerRotated = "audit signer rotated"

func rotation(before, after string) []byte {
	return []byte("gatehouse audit signer\n" + before + "\n" + after + "\n")
}

// rotatedTo checks a rotation's leaf against the key before it.
func rotatedTo(before auditlog.Key, parts [][]byte) (after string, ok bool) {
	if len(parts) != 4 || string(parts[0]) != signerRotated {
		return "", false
	}
	signature, err := hex.DecodeString(string(parts[3]))
	ok = err == nil && len(signature) == ed25519.SignatureSize && before.Verify(rotation(string(parts[1]), string(parts[2])), signature)
	return string(parts[2]), ok
}
