package vault

import (
	"bytes"
	"context"
	"database/sql"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"
	"gatehouse/vault/auditlog"

	"golang.org/x/mod/sumdb/tlog"
)

// aLog is a closed vault whose log has something of everything, and a witness file
// that saw all of it.
func aLog(t *testing.T) (in *installation, witness string) {
	t.Helper()
	in = install(t)
	ctx := t.Context()
	witness = filepath.Join(t.TempDir(), "witness")
	must(t, in.vault.AuditFollow(ctx, gateLeaves(0, 150)))
	ref := in.sealOne(t, gatehouse.RandomID(), "LS15EBC")
	in.opened(t, ref, ref)
	now := time.Now()
	must(t, in.vault.RecordBundle(ctx, gatehouse.KeyBundle{ID: gatehouse.NewID(now), At: now, Target: "elsewhere", Expires: now.AddDate(0, 0, 30)}))
	_, _, err := in.vault.SignBackup(ctx, [32]byte{})
	must(t, err)
	erasure := eraseOf(gatehouse.RandomID())
	_, err = in.vault.Erase(ctx, erasure)
	must(t, err)
	_, _, err = in.vault.Certify(ctx, erasure.ID, 3)
	must(t, err)
	for _, item := range []string{"ring/1/picture", "ring/2/picture", "ring/3/picture"} {
		must(t, in.vault.Record(ctx, gatehouse.Disclosure{Operator: operator, Purpose: "live", Items: []string{item}}))
	}
	first := in.witnessed(t, witness)
	_, err = in.vault.RotateSigner(ctx)
	must(t, err)
	must(t, in.vault.AuditFollow(ctx, gateLeaves(150, 150)))
	for range 5 {
		must(t, in.vault.Record(ctx, gatehouse.Disclosure{Operator: operator, Purpose: "passage", Reason: "why", Items: []string{"ring/1/picture"}}))
	}
	must(t, in.vault.SealVault(ctx))
	if second := in.witnessed(t, witness); second <= first {
		t.Fatal("the witness saw nothing new")
	}
	must(t, in.vault.Close())
	if r := in.verified(t, witness); !r.OK || r.Witnessed != r.Size || r.Disclosures != 7 || r.Removals != 1 || r.Checkpoints < 2 {
		t.Fatalf("the log as it was left: %+v", r)
	}
	return in, witness
}

// witnessed shows the newest checkpoint to a witness file.
func (in *installation) witnessed(t testing.TB, path string) int64 {
	t.Helper()
	ctx := t.Context()
	signed, err := in.vault.Checkpoint(ctx)
	must(t, err)
	vkeys, err := in.vault.VerifierKey(ctx)
	must(t, err)
	keys, err := auditlog.ParseKeys(vkeys)
	must(t, err)
	name := WitnessFileName(path)
	known, err := in.vault.WitnessSize(ctx, name)
	must(t, err)
	must(t, auditlog.List{Path: path}.Add(signed, keys, known, func(older, newer int64) ([]tlog.Hash, error) { return in.vault.Consistency(ctx, older, newer) }))
	c, err := auditlog.Peek(signed)
	must(t, err)
	must(t, in.vault.WitnessTook(ctx, name, c.Size, signed))
	return c.Size
}

// files reads the vault's directory, restore writes it back.
func (in *installation) files(t testing.TB) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	entries, err := os.ReadDir(in.options.Dir)
	must(t, err)
	for _, e := range entries {
		all[e.Name()], err = os.ReadFile(filepath.Join(in.options.Dir, e.Name()))
		must(t, err)
	}
	return all
}

func (in *installation) restore(t testing.TB, files map[string][]byte) {
	t.Helper()
	entries, err := os.ReadDir(in.options.Dir)
	must(t, err)
	for _, e := range entries {
		must(t, os.Remove(filepath.Join(in.options.Dir, e.Name())))
	}
	for name, b := range files {
		must(t, os.WriteFile(filepath.Join(in.options.Dir, name), b, 0o600))
	}
}

// alter runs statements in a database, as somebody who has the gate key can.
func (in *installation) alter(t testing.TB, file, schema, statements string) {
	t.Helper()
	key, err := in.gate.FileKey(filepath.Join(in.options.Dir, file))
	must(t, err)
	db, err := openVaultDB(t.Context(), in.options.Dir, file, key, schema)
	must(t, err)
	must(t, db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error { _, err := tx.ExecContext(ctx, statements); return err }))
	must(t, db.Close())
}

// Whoever has the gate key may change any row. Each change is found offline.
func TestEveryAlteredRowIsFound(t *testing.T) {
	in, witness := aLog(t)
	whole := in.files(t)
	for name, c := range map[string]struct{ file, statements, code string }{
		"a leaf's byte":              {auditFile, `UPDATE leaves SET leaf = substr(leaf, 1, length(leaf) - 1) || CASE substr(leaf, -1) WHEN x'00' THEN x'01' ELSE x'00' END WHERE n = 20`, "audit.hash"},
		"a leaf that is gone":        {auditFile, `DELETE FROM leaves WHERE n = 20`, "audit.leaf_missing"},
		"the last leaf":              {auditFile, `DELETE FROM leaves WHERE n = (SELECT max(n) FROM leaves)`, "audit.hash"},
		"leaves that moved up":       {auditFile, `DELETE FROM leaves WHERE n = 20; UPDATE leaves SET n = n - 1 WHERE n > 20`, "audit.hash"},
		"two leaves changed over":    {auditFile, `UPDATE leaves SET n = -1 WHERE n = 20; UPDATE leaves SET n = 20 WHERE n = 21; UPDATE leaves SET n = 21 WHERE n = -1`, "audit.order"},
		"a position":                 {auditFile, `UPDATE leaves SET position = 1 WHERE n = 20`, "audit.order"},
		"a leaf too many":            {auditFile, `INSERT INTO leaves (n, leaf) SELECT max(n) + 1, leaf FROM leaves`, "audit.hash"},
		"a stored hash":              {auditFile, `UPDATE hashes SET hash = zeroblob(32) WHERE i = 30`, "audit.hash"},
		"a stored hash that is gone": {auditFile, `DELETE FROM hashes WHERE i = 30`, "audit.hash"},
		"a hash too many":            {auditFile, `INSERT INTO hashes (i, hash) SELECT max(i) + 1, zeroblob(32) FROM hashes`, "audit.hash"},
		"a checkpoint's text":        {auditFile, `UPDATE checkpoints SET note = replace(note, 'time 1', 'time 2') WHERE n = 2`, "audit.signature"},
		"a checkpoint's row":         {auditFile, `UPDATE checkpoints SET size = size + 1 WHERE n = 2`, "audit.checkpoint"},
		"a checkpoint that is gone":  {auditFile, `DELETE FROM checkpoints WHERE n = 1`, "audit.checkpoint_missing"},
		"the newest checkpoint":      {auditFile, `DELETE FROM checkpoints WHERE n = (SELECT max(n) FROM checkpoints)`, "audit.cut"},
		"a disclosure's operator":    {auditFile, `UPDATE disclosures SET operator = 'op-2'`, "audit.disclosure"},
		"a disclosure's reason":      {auditFile, `UPDATE disclosures SET reason = x'01'`, "audit.disclosure"},
		"a disclosure that is gone":  {auditFile, `DELETE FROM disclosures WHERE id = (SELECT min(id) FROM disclosures)`, "audit.disclosure"},
		"a disclosure too many":      {auditFile, `INSERT INTO disclosures SELECT randomblob(16), at, operator, role, purpose, reason, items, units FROM disclosures LIMIT 1`, "audit.disclosure"},
		"the log's key":              {auditFile, `UPDATE signers SET vkey = (SELECT vkey FROM signers WHERE n = 2) WHERE n = 1`, "audit.key"},
		"the log's name":             {auditFile, `UPDATE log SET origin = origin || '0'`, "audit.key"},
		"what a witness took":        {auditFile, `UPDATE witnesses SET size = size + 1`, "audit.witness_damaged"},
		"what a live window showed":  {auditFile, `UPDATE live_items SET item = item || '0'`, "audit.disclosure"},
		"what it cost":               {auditFile, `UPDATE live_items SET units = units + 1`, "audit.disclosure"},
		"a live item that is gone":   {auditFile, `DELETE FROM live_items WHERE item = (SELECT min(item) FROM live_items)`, "audit.disclosure"},
		"a live item too many":       {auditFile, `INSERT INTO live_items SELECT disclosure, 'ring/9/picture', 0 FROM live_items LIMIT 1`, "audit.disclosure"},
		"who erased":                 {auditFile, `UPDATE erasures SET operator = 'op-2'`, "audit.erasure"},
		"when it is final":           {auditFile, `UPDATE erasures SET final_at = erased_at`, "audit.erasure"},
		"whom it erased":             {auditFile, `UPDATE erasures SET subject = randomblob(16)`, "audit.erasure"},
		"an erasure that is gone":    {auditFile, `DELETE FROM erasures`, "audit.erasure"},
		"a bundle's end":             {auditFile, `UPDATE bundles SET expires = at`, "audit.bundle"},
		"a bundle that is gone":      {auditFile, `DELETE FROM bundles`, "audit.bundle"},
		"a bundle too many":          {auditFile, `INSERT INTO bundles SELECT randomblob(16), at, target, expires, holder, reason, recorded FROM bundles`, "audit.bundle"},
		"the backups' key":           {auditFile, `UPDATE backup_signer SET seed = randomblob(32)`, "audit.key"},
		"the erasure list":           {keyStoreFile, `DELETE FROM removals`, "audit.removals"},
		// The end of everything that is in the database, cut where a checkpoint stood.
		"the end": {auditFile, `DELETE FROM checkpoints WHERE n > 1; DELETE FROM leaves WHERE n >= (SELECT size FROM checkpoints); DELETE FROM disclosures; DELETE FROM live_items; DELETE FROM witnesses`, "audit.cut"},
	} {
		t.Run(name, func(t *testing.T) {
			in.restore(t, whole)
			schema := strings.TrimSuffix(c.file, ".db")
			in.alter(t, c.file, schema, c.statements)
			r := in.verified(t, witness)
			for _, f := range r.Findings {
				if f.Code == c.code {
					return
				}
			}
			t.Errorf("want %s: %+v", c.code, r)
		})
	}
	in.restore(t, whole)
	in.open(t)
}

// A reason may be taken away: it may name somebody who is erased.
func TestAReasonMayBeTakenAway(t *testing.T) {
	in, witness := aLog(t)
	in.alter(t, auditFile, "audit", `UPDATE disclosures SET reason = x''`)
	if r := in.verified(t, witness); !r.OK {
		t.Errorf("%+v", r)
	}
	in.open(t)
}

// Whoever cannot decrypt can still write: whatever byte of the log's files is altered,
// it is found, in each page of the database, those included that are free.
func TestEveryAlteredByteIsFound(t *testing.T) {
	in, witness := aLog(t)
	// Pages that are free: nothing reads them but Inspect.
	in.alter(t, auditFile, "audit", `CREATE TABLE filler (b BLOB); INSERT INTO filler SELECT randomblob(9000) FROM leaves LIMIT 4; DROP TABLE filler`)
	if r := in.verified(t, witness); !r.OK {
		t.Fatalf("with free pages: %+v", r)
	}
	whole := in.files(t)
	r := rand.New(rand.NewPCG(1, 2))
	flips := 0
	flip := func(file string, at int) {
		t.Helper()
		flips++
		b := bytes.Clone(whole[file])
		b[at] ^= 1 << r.IntN(8)
		must(t, os.WriteFile(filepath.Join(in.options.Dir, file), b, 0o600))
		if got := in.verified(t, witness); got.OK {
			t.Errorf("bit flipped at %d of %s: not found", at, file)
		}
		in.restore(t, whole)
	}
	pages := len(whole[auditFile]) / 4096
	for page := range pages {
		// The first bytes, where a page says what it is, its last ones, and one between.
		at := []int{0, 4095, 1 + r.IntN(4094)}[page%3]
		flip(auditFile, page*4096+at)
	}
	for _, file := range []string{verifierKeyFile, checkpointFile, auditFile + fileKeySuffix} {
		for range 6 {
			flip(file, r.IntN(len(whole[file])))
		}
	}
	t.Logf("%d flips over %d pages", flips, pages)
	for name, b := range map[string][]byte{"cut": whole[auditFile][:len(whole[auditFile])-4096], "longer": append(bytes.Clone(whole[auditFile]), make([]byte, 4096)...)} {
		must(t, os.WriteFile(filepath.Join(in.options.Dir, auditFile), b, 0o600))
		if got := in.verified(t, witness); got.OK {
			t.Errorf("a file that is %s: not found", name)
		}
		in.restore(t, whole)
	}
	list, err := os.ReadFile(witness)
	must(t, err)
	for at := 0; at < len(list); at += 1 + len(list)/150 {
		b := bytes.Clone(list)
		b[at] ^= 1
		must(t, os.WriteFile(witness, b, 0o600))
		if got := in.verified(t, witness); got.OK {
			t.Errorf("bit flipped at %d of the witness file: not found", at)
		}
	}
	must(t, os.WriteFile(witness, list, 0o600))
	in.open(t)
}

// The write-ahead log that a kill left: what was signed cannot be altered in it.
func TestAlteredWriteAheadLogIsFound(t *testing.T) {
	in := install(t)
	ctx := t.Context()
	must(t, in.vault.AuditFollow(ctx, gateLeaves(0, 40)))
	_, err := in.vault.Checkpoint(ctx)
	must(t, err)
	whole := in.files(t) // as a kill would leave it
	must(t, in.vault.Close())
	closed := in.files(t)
	log := whole[auditFile+"-wal"]
	if len(log) < 3*4096 {
		t.Fatalf("the write-ahead log has %d bytes", len(log))
	}
	delete(whole, auditFile+"-shm")
	delete(whole, keyStoreFile+"-shm")
	in.restore(t, whole)
	if r := in.verified(t); !r.OK {
		t.Fatalf("as it was left: %+v", r)
	}
	// Where a commit ends within a sector SQLite writes its last frame once more; what is
	// left of the cipher block behind that is nothing.
	frames := (len(log)-32)/4120 - 1
	for at := 10; at < 32+frames*4120; at += 4096 {
		torn := maps.Clone(whole)
		torn[auditFile+"-wal"] = bytes.Clone(log)
		torn[auditFile+"-wal"][at] ^= 1
		in.restore(t, torn)
		if r := in.verified(t); r.OK {
			t.Errorf("bit flipped at %d of the write-ahead log (%d bytes): not found", at, len(log))
		}
	}
	in.restore(t, closed)
	in.open(t)
}

// The whole directory as it was yesterday is sound in itself: the witness knows better.
func TestRollBackIsFoundByTheWitness(t *testing.T) {
	in := install(t)
	ctx := t.Context()
	witness := filepath.Join(t.TempDir(), "witness")
	must(t, in.vault.AuditFollow(ctx, gateLeaves(0, 10)))
	in.witnessed(t, witness)
	must(t, in.vault.Close())
	yesterday := in.files(t)
	in.open(t)
	must(t, in.vault.Record(ctx, gatehouse.Disclosure{Operator: operator, Purpose: "live", Items: []string{"ring/1/picture"}}))
	in.witnessed(t, witness)
	must(t, in.vault.Close())
	in.restore(t, yesterday)
	if r := in.verified(t); !r.OK {
		t.Fatalf("yesterday's directory does not hold together: %+v", r)
	}
	r := in.verified(t, witness)
	if r.OK || r.Findings[0].Code != "audit.rolled_back" {
		t.Errorf("%+v", r)
	}
	// And the server is refused when it goes on from there, now or with another history.
	in.open(t)
	for _, n := range []int{0, 30} {
		must(t, in.vault.AuditFollow(ctx, gateLeaves(10, n)))
		signed, err := in.vault.Checkpoint(ctx)
		must(t, err)
		vkeys, err := in.vault.VerifierKey(ctx)
		must(t, err)
		keys, err := auditlog.ParseKeys(vkeys)
		must(t, err)
		before, err := os.ReadFile(witness)
		must(t, err)
		err = auditlog.List{Path: witness}.Add(signed, keys, 0, func(older, newer int64) ([]tlog.Hash, error) { return in.vault.Consistency(ctx, older, newer) })
		wantCode(t, err, "audit.rolled_back")
		if after, err := os.ReadFile(witness); err != nil || !bytes.Equal(before, after) {
			t.Error("the witness file was written")
		}
	}
}

func TestInspectReadsFreePages(t *testing.T) {
	in := install(t)
	must(t, in.vault.Close())
	in.alter(t, auditFile, "audit", `CREATE TABLE filler (b BLOB); INSERT INTO filler VALUES (randomblob(20000)); DROP TABLE filler`)
	path := filepath.Join(in.options.Dir, auditFile)
	key, err := in.gate.FileKey(path)
	must(t, err)
	must(t, sealeddb.Inspect(path, key))
	b, err := os.ReadFile(path)
	must(t, err)
	found := 0
	for at := 4096; at < len(b); at += 4096 {
		b[at+17] ^= 1
		must(t, os.WriteFile(path, b, 0o600))
		if sealeddb.Inspect(path, key) != nil {
			found++
		}
		b[at+17] ^= 1
	}
	if found < 3 {
		t.Errorf("Inspect noticed %d pages", found)
	}
	must(t, os.WriteFile(path, b, 0o600))
	in.open(t)

}
