package vault

import (
	"context"
	"database/sql"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"gatehouse"
	"gatehouse/internal/sealeddb"
	"gatehouse/vault/auditlog"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// AuditChecks are what Verify looks at beside the log's own file.
type AuditChecks struct {
	Witnesses []string              // witness files
	Gate      func(uint64, []byte)  // told of every leaf of the gate's own files, by position, in order; nil for nobody
	Removed   func(Removal)         // told first of every entry of the erasure list; nil for nobody
	Erased    func()                // told of every leaf that records an erasure; nil for nobody
	Progress  func(done, all int64) // nil for nobody
}

// Removal is an entry of the erasure list: a subject that was erased, or a day of a
// class that has expired.
type Removal struct {
	Subject gatehouse.SubjectID // zero for a day
	Class   gatehouse.RetentionClass
	Day     string // YYYY-MM-DD
}

// verifier recomputes one log.
type verifier struct {
	f      *AuditFile
	report *auditlog.Report
	checks AuditChecks

	keys    []auditlog.Key   // the log's signers, in order
	until   []int64          // the entries that name the next key
	begun   bool             // the leaf that names the first key was seen
	expects map[int64][]root // by size
	notes   []auditlog.Checkpoint
	signed  []int // by which of keys each note is
	index   int64
	opened  int // disclosure leaves
}

// root is what some signed checkpoint says that the tree of a size was.
type root struct {
	tlog.Hash
	code, who string
}

// Verify recomputes the log: file, leaves, hashes, root, signed checkpoints, witnesses,
// disclosures and the erasure list. What does not hold is in the report; the error says
// that nothing could be verified. It changes nothing but the write-ahead log, whose
// content goes into the database. The file is closed then.
func (f *AuditFile) Verify(ctx context.Context, checks AuditChecks, report *auditlog.Report) error {
	v := &verifier{f: f, report: report, checks: checks, expects: map[int64][]root{}}
	damaged := f.db.Check(ctx)
	report.AddError(damaged)
	for _, step := range []func(context.Context) error{v.readKeys, v.readCheckpoints, v.readFiles, v.readWitnesses, v.readLists, v.readRemovals, v.walk, v.readDisclosures} {
		if err := step(ctx); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			report.AddError(sealeddb.Wrap(auditFile, err))
		}
	}
	if err := f.Close(); err != nil {
		report.AddError(err)
	}
	if damaged == nil {
		report.AddError(sealeddb.Inspect(filepath.Join(f.dir, auditFile), f.key))
	}
	return nil
}

// VerifyAudit opens the audit log of the vault in dir and verifies it. A log that
// cannot be opened for damage is a finding, not an error.
func VerifyAudit(ctx context.Context, dir string, gate *GateKey, checks AuditChecks, report *auditlog.Report) error {
	f, err := OpenAuditFile(ctx, dir, gate)
	switch code := gatehouse.ErrorCode(err); {
	case err == nil:
		return f.Verify(ctx, checks, report)
	case code == "store.damaged", code == "store.key", code == "filekey.missing", code == "filekey.damaged", code == "gatekey.wrong", code == "vault.key_damaged", code == "vault.key_changed":
		report.AddError(err)
		return nil
	}
	return err
}

// expect notes what a checkpoint says; walk compares.
func (v *verifier) expect(c auditlog.Checkpoint, code, who string) {
	v.expects[c.Size] = append(v.expects[c.Size], root{c.Root, code, who})
}

func (v *verifier) readKeys(ctx context.Context) error {
	r := v.f.db.Readers()
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
	published, err := os.ReadFile(filepath.Join(v.f.dir, verifierKeyFile))
	if want := (&signer{keys: keys}).verifierKeys(); err != nil || string(published) != want {
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
	rows, err := v.f.db.Readers().QueryContext(ctx, `SELECT n, size, at, note FROM checkpoints ORDER BY n`)
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
	b, err := os.ReadFile(filepath.Join(v.f.dir, checkpointFile))
	if err != nil {
		v.report.Add("audit.missing", "%s cannot be read", checkpointFile)
		return nil
	}
	c, err := auditlog.Open(string(b), v.allKeys())
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
	rows, err := v.f.db.Readers().QueryContext(ctx, `SELECT name, size, note FROM witnesses`)
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
	for _, path := range v.checks.Witnesses {
		notes, err := auditlog.List{Path: path}.Read()
		if err != nil {
			v.report.AddError(err)
			continue
		}
		last := int64(0)
		for i, signed := range notes {
			c, err := auditlog.Open(signed, v.allKeys())
			if err != nil || c.Origin != v.report.Origin || c.Size < last {
				v.report.Add("audit.witness_damaged", "entry %d of a witness file is not a checkpoint of this log", i+1)
				continue
			}
			last = c.Size
			v.expect(c, "audit.rolled_back", "a witness file")
		}
		known, err := v.f.witnessSize(ctx, WitnessFileName(path))
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
	err := eachRemoval(ctx, v.f.keys, 0, func(_ int64, parts ...[]byte) {
		list.Add(parts...)
		if v.checks.Removed != nil {
			r := Removal{Class: gatehouse.RetentionClass(parts[5]), Day: string(parts[6])}
			copy(r.Subject[:], parts[4])
			v.checks.Removed(r)
		}
		fits = fits || want == list.Removals()
	})
	v.report.Removals = list.Removals().Count
	if err == nil && !fits {
		v.report.Add("audit.removals", "the erasure list has %d entries, and not those that the newest checkpoint names (%d)", v.report.Removals, want.Count)
	}
	return err
}

// page is how many rows are read at a time.
const page = 1000

// walk recomputes the tree from the leaves and compares every stored hash, every root
// that somebody signed, and what the leaves say of keys and disclosures.
func (v *verifier) walk(ctx context.Context) error {
	tree := &auditlog.Tree{}
	var all int64
	if err := v.f.db.Readers().QueryRowContext(ctx, `SELECT count(*) FROM leaves`).Scan(&all); err != nil {
		return err
	}
	hashes := &hashRows{db: v.f.db}
	last := uint64(0)
	for more := true; more; {
		more = false
		rows, err := v.f.db.Readers().QueryContext(ctx, `SELECT n, coalesce(position, 0), leaf FROM leaves WHERE n >= ? ORDER BY n LIMIT ?`, v.index, page)
		if err != nil {
			return err
		}
		for rows.Next() {
			more = true
			var n int64
			var position uint64
			var leaf []byte
			if err := rows.Scan(&n, &position, &leaf); err != nil {
				return errors.Join(err, rows.Close())
			}
			if n != v.index {
				v.report.Add("audit.leaf_missing", "entry %d is missing", v.index)
				v.report.Size = v.index
				return rows.Close()
			}
			if position > 0 {
				if position <= last {
					v.report.Add("audit.order", "entry %d stands before one that was committed earlier", n)
				}
				last = position
				v.report.GateLeaves++
				if v.checks.Gate != nil {
					v.checks.Gate(position, leaf)
				}
			}
			v.leaf(ctx, NumberedLeaf{n, leaf})
			if err := hashes.compare(ctx, tree.Append(leaf), v.report, n); err != nil {
				return errors.Join(err, rows.Close())
			}
			v.roots(tree)
			v.index++
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
		if v.checks.Progress != nil {
			v.checks.Progress(v.index, all)
		}
	}
	if extra, err := hashes.rest(ctx); err != nil || extra > 0 {
		v.report.Add("audit.hash", "there are %d hashes that belong to no entry", extra)
		return err
	}
	v.report.Size, v.report.Root = tree.Size(), tree.Root().String()
	v.report.Unsigned = max(0, tree.Size()-v.newest().Size)
	v.ended()
	return nil
}

// roots compares the tree as it is with what was signed at its size.
func (v *verifier) roots(tree *auditlog.Tree) {
	for _, r := range v.expects[tree.Size()] {
		if r.Hash != tree.Root() {
			v.report.Add(r.code, "the first %d entries are not those that %s commits to", tree.Size(), r.who)
		}
	}
	delete(v.expects, tree.Size())
}

// ended looks at what was signed beyond the log's end, at who signed what, and at what
// the leaves had to say.
func (v *verifier) ended() {
	for _, size := range slices.Sorted(maps.Keys(v.expects)) {
		for _, r := range v.expects[size] {
			v.report.Add(r.code, "the log has %d entries, and %s commits to %d: it was rolled back or cut", v.report.Size, r.who, size)
		}
	}
	if !v.begun {
		v.report.Add("audit.key", "no entry names the log's first key")
	}
	for i, c := range v.notes {
		// A key signs what comes before the entry that names the next one.
		if now, _ := slices.BinarySearch(v.until, c.Size); now != v.signed[i] {
			v.report.Add("audit.key", "the checkpoint of %d entries is signed by a key that was not in use then", c.Size)
		}
	}
	if len(v.keys) != len(v.until)+1 {
		v.report.Add("audit.key", "the log has %d keys, and %d entries about a new one", len(v.keys), len(v.until))
	}
}

// leaf looks at what a leaf says about the log itself and about disclosures.
func (v *verifier) leaf(ctx context.Context, l NumberedLeaf) {
	kind, _, parts, err := gatehouse.LeafParts(l.Leaf)
	if err != nil {
		v.report.Add("audit.malformed", "entry %d is no audit leaf", l.Index)
		return
	}
	switch {
	case kind == gatehouse.VaultLeafKind && len(parts) == 3 && string(parts[0]) == eventBegun:
		v.begun = v.begun || len(v.keys) > 0 && v.sameKey(0, string(parts[2])) && string(parts[1]) == v.report.Origin
	case kind == gatehouse.KeyLeafKind && len(parts) == 4 && string(parts[0]) == signerRotated:
		n := len(v.until)
		v.until = append(v.until, l.Index)
		if n+1 >= len(v.keys) {
			return // ended says so
		}
		after, ok := rotatedTo(v.keys[n], parts)
		if !ok || !v.sameKey(n+1, after) {
			v.report.Add("audit.key", "entry %d, about a new key of the log, is not signed by the one before", l.Index)
		}
	case kind == gatehouse.EraseLeafKind && v.checks.Erased != nil:
		v.checks.Erased()
	case kind == gatehouse.DisclosureLeafKind:
		v.opened++
		if err := v.disclosure(ctx, l, parts); err != nil {
			v.report.AddError(err)
		}
	}
}

func (v *verifier) sameKey(n int, vkey string) bool {
	k, err := auditlog.ParseKey(vkey)
	return err == nil && k.Name() == v.keys[n].Name() && k.KeyHash() == v.keys[n].KeyHash()
}
