package vault

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"

	"gatehouse"
	"gatehouse/internal/sealeddb"
	"gatehouse/vault/auditlog"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// AuditChecks are what a log is verified against beside its own file.
type AuditChecks struct {
	Lists    []WitnessList
	Progress func(done, all int64) // leaves; nil for nobody
}

// WitnessList is what a witness file holds.
type WitnessList struct {
	Name  string // WitnessFileName
	Notes []string
}

// AuditResult is what verifying found out.
type AuditResult struct {
	Report   auditlog.Report
	Removals []Removal // the erasure list
	Erasing  bool      // the log records erasures
	Lost     []LostLeaves
}

// Removal is an entry of the erasure list: a subject that was erased, or a day of a
// class that has expired.
type Removal struct {
	Subject gatehouse.SubjectID // zero for a day
	Class   gatehouse.RetentionClass
	Day     string // YYYY-MM-DD
}

// rowReader is one state of the database.
type rowReader interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// verifier recomputes one log.
type verifier struct {
	db     rowReader
	store  *keyStore
	checks AuditChecks
	result *AuditResult
	report *auditlog.Report // the result's

	published, signedFile string // verifierKeyFile and checkpointFile

	keys    []auditlog.Key   // the log's signers, in order
	until   []int64          // the entries that name the next key
	begun   bool             // the leaf that names the first key was seen
	expects map[int64][]root // by size
	notes   []auditlog.Checkpoint
	signed  []int // by which of keys each note is
	index   int64
	opened  int // disclosure leaves
	beside  besides
	control *controlCheck
}

// root is what some signed checkpoint says that the tree of a size was.
type root struct {
	tlog.Hash
	code, who string
}

// verify recomputes the log as it is now: leaves, hashes, root, signed checkpoints,
// witnesses, disclosures and the erasure list. The log may grow meanwhile; started, if
// not nil, is called once that does not matter any more. What does not hold is in the
// result; the error says that nothing could be verified.
func (a *auditDB) verify(ctx context.Context, keys *keyStore, dir string, checks AuditChecks, started func()) (result AuditResult, err error) {
	v := &verifier{store: keys, checks: checks, result: &result, report: &result.Report, expects: map[int64][]root{}, control: newControlCheck(),
		beside: besides{certificates: map[gatehouse.ID]NumberedLeaf{}, bundles: map[gatehouse.ID]int64{}}}
	v.report.AddError(a.db.Check(ctx))
	snapshot, err := a.snapshot(ctx, dir, v)
	if err != nil {
		v.report.AddError(err)
		return result, ctx.Err()
	}
	defer func() {
		_, failed := snapshot.ExecContext(context.WithoutCancel(ctx), `ROLLBACK`)
		_ = errors.Join(failed, snapshot.Close()) // nothing was written
	}()
	v.db = snapshot
	if started != nil {
		started()
	}
	for _, step := range []func(context.Context) error{v.readKeys, v.readCheckpoints, v.readFiles, v.readWitnesses, v.readLists, v.readRemovals, v.walk, v.readDisclosures, v.readBesides, v.readControl} {
		if err := step(ctx); err != nil {
			if ctx.Err() != nil {
				return result, ctx.Err()
			}
			v.report.AddError(sealeddb.Wrap(auditFile, err))
		}
	}
	return result, nil
}

// snapshot fixes one state of the database, and reads the files beside it as they are
// at that moment.
func (a *auditDB) snapshot(ctx context.Context, dir string, v *verifier) (*sql.Conn, error) {
	conn, err := a.db.Readers().Conn(ctx)
	if err != nil {
		return nil, sealeddb.Wrap(auditFile, err)
	}
	a.mu.Lock() // nothing is published now
	defer a.mu.Unlock()
	// What cannot be read is found out when it is compared.
	published, _ := os.ReadFile(filepath.Join(dir, verifierKeyFile))
	signed, _ := os.ReadFile(filepath.Join(dir, checkpointFile))
	v.published, v.signedFile = string(published), string(signed)
	if _, err = conn.ExecContext(ctx, `BEGIN`); err == nil {
		var n int64
		err = conn.QueryRowContext(ctx, `SELECT count(*) FROM checkpoints`).Scan(&n)
	}
	if err != nil {
		return nil, errors.Join(sealeddb.Wrap(auditFile, err), conn.Close())
	}
	return conn, nil
}

// expect notes what a checkpoint says; walk compares.
func (v *verifier) expect(c auditlog.Checkpoint, code, who string) {
	v.expects[c.Size] = append(v.expects[c.Size], root{c.Root, code, who})
}

func (v *verifier) readKeys(ctx context.Context) error {
	r := v.db
	if err := r.QueryRowContext(ctx, `SELECT origin FROM log`).Scan(&v.report.Origin); err != nil {
		return v.never(err, "the log has no name")
	}
	keys, err := verifierKeys(ctx, r)
	if err != nil {
		return err
	}
	for i, vkey := range keys {
		k, err := auditlog.ParseKey(vkey)
		if err != nil || k.Name() != v.report.Origin {
			v.report.Add("audit.key", "verifier key %d of the log is none", i+1)
			return nil
		}
		v.keys = append(v.keys, k)
	}
	if len(keys) == 0 {
		v.report.Add("audit.key", "the log has no verifier key")
	}
	if v.published != (&signer{keys: keys}).verifierKeys() {
		v.report.Add("audit.key", "%s is not what the log's keys are", verifierKeyFile)
	}
	return nil
}

// never makes a finding of rows that must be there.
func (v *verifier) never(err error, what string) error {
	if errors.Is(err, sql.ErrNoRows) {
		v.report.Add("audit.missing", "%s", what)
		return nil
	}
	return err
}

func (v *verifier) allKeys() note.Verifiers {
	var list []note.Verifier
	for _, k := range v.keys {
		list = append(list, k)
	}
	return note.VerifierList(list...)
}

func (v *verifier) readCheckpoints(ctx context.Context) error {
	rows, err := v.db.QueryContext(ctx, `SELECT n, size, at, note FROM checkpoints ORDER BY n`)
	if err != nil {
		return err
	}
	defer rows.Close()
	keys := v.allKeys()
	for want := int64(1); rows.Next(); want++ {
		var n, size, at int64
		var signed string
		if err := rows.Scan(&n, &size, &at, &signed); err != nil {
			return err
		}
		if n != want {
			v.report.Add("audit.checkpoint_missing", "checkpoint %d is missing", want)
			want = n
		}
		c, err := auditlog.Open(signed, keys)
		switch {
		case err != nil:
			v.report.Add(gatehouse.ErrorCode(err), "checkpoint %d is not signed by the log, or is none", n)
			continue
		case c.Size != size || c.At.UnixMilli() != at || c.Origin != v.report.Origin:
			v.report.Add("audit.checkpoint", "checkpoint %d does not say what its row says", n)
		case len(v.notes) > 0 && c.Size <= v.notes[len(v.notes)-1].Size:
			v.report.Add("audit.checkpoint", "checkpoint %d does not follow the one before", n)
		}
		v.notes, v.signed = append(v.notes, c), append(v.signed, v.signedBy(signed))
		v.expect(c, "audit.checkpoint", "a signed checkpoint")
	}
	v.report.Checkpoints = len(v.notes)
	if len(v.notes) == 0 {
		v.report.Add("audit.checkpoint_missing", "there is no checkpoint")
	}
	return rows.Err()
}

// signedBy is the last of the log's keys that signed a checkpoint.
func (v *verifier) signedBy(signed string) int {
	by := -1
	for i, k := range v.keys {
		if _, err := auditlog.Open(signed, note.VerifierList(k)); err == nil {
			by = i
		}
	}
	return by
}

func (v *verifier) newest() auditlog.Checkpoint {
	if len(v.notes) == 0 {
		return auditlog.Checkpoint{}
	}
	return v.notes[len(v.notes)-1]
}

// readFiles compares the checkpoint that lies beside the database.
func (v *verifier) readFiles(context.Context) error {
	if v.signedFile == "" {
		v.report.Add("audit.missing", "%s cannot be read, or is empty", checkpointFile)
		return nil
	}
	c, err := auditlog.Open(v.signedFile, v.allKeys())
	if err != nil {
		v.report.Add(gatehouse.ErrorCode(err), "%s is not signed by the log, or is none", checkpointFile)
		return nil
	}
	if c.Size > v.newest().Size {
		v.report.Add("audit.cut", "%s commits to %d entries, the newest checkpoint in the database to %d: the end was cut", checkpointFile, c.Size, v.newest().Size)
	}
	v.expect(c, "audit.cut", checkpointFile)
	return nil
}

// readWitnesses reads what the witnesses have taken, as the log itself noted it.
func (v *verifier) readWitnesses(ctx context.Context) error {
	rows, err := v.db.QueryContext(ctx, `SELECT name, size, note FROM witnesses`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name, signed string
		var size int64
		if err := rows.Scan(&name, &size, &signed); err != nil {
			return err
		}
		c, err := auditlog.Open(signed, v.allKeys())
		if k, bad := auditlog.ParseKey(name); bad == nil && err == nil {
			_, err = auditlog.Open(signed, note.VerifierList(k))
		}
		if err != nil || c.Size != size {
			v.report.Add("audit.witness_damaged", "what a witness has taken, at %d entries, is not signed by it", size)
			continue
		}
		v.report.Witnessed = max(v.report.Witnessed, size)
		v.expect(c, "audit.rolled_back", "a witness")
	}
	return rows.Err()
}

// readLists reads the witness files.
func (v *verifier) readLists(ctx context.Context) error {
	for _, list := range v.checks.Lists {
		last := int64(0)
		for i, signed := range list.Notes {
			c, err := auditlog.Open(signed, v.allKeys())
			if err != nil || c.Origin != v.report.Origin || c.Size < last {
				v.report.Add("audit.witness_damaged", "entry %d of a witness file is not a checkpoint of this log", i+1)
				continue
			}
			last = c.Size
			v.expect(c, "audit.rolled_back", "a witness file")
		}
		known, err := witnessSize(ctx, v.db, list.Name)
		if err != nil {
			return err
		}
		if last < known {
			v.report.Add("audit.witness_lost", "a witness file ends at %d entries and had seen %d: it was cut, or is an old copy", last, known)
		}
		v.report.Witnessed = max(v.report.Witnessed, last)
	}
	return nil
}

// readRemovals compares the erasure list with what the newest checkpoint says of it.
func (v *verifier) readRemovals(ctx context.Context) error {
	want, list := v.newest().Removals, auditlog.NewRemovalList()
	fits := want == list.Removals()
	err := eachRemoval(ctx, v.store, 0, func(_ int64, parts ...[]byte) {
		list.Add(parts...)
		fits = fits || want == list.Removals()
		if string(parts[3]) == templatesRemoval {
			return // nothing but keys went with them
		}
		r := Removal{Class: gatehouse.RetentionClass(parts[5]), Day: string(parts[6])}
		copy(r.Subject[:], parts[4])
		v.result.Removals = append(v.result.Removals, r)
	})
	v.report.Removals = list.Removals().Count
	if err == nil && !fits {
		v.report.Add("audit.removals", "the erasure list has %d entries, and not those that the newest checkpoint names (%d)", v.report.Removals, want.Count)
	}
	return err
}
