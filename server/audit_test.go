package server

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/client"
	"gatehouse/internal/sealeddb"
	"gatehouse/vault"
	"gatehouse/vault/auditlog"
)

// audited runs a server until stop is called, which closes it; base is its address.
func audited(t *testing.T, s *Server) (base string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done, ready := make(chan error, 1), make(chan string, 1)
	go func() { done <- s.Run(ctx, func(link string) { ready <- link }) }()
	select {
	case link := <-ready:
		base = link[:strings.Index(link, "/enter/")]
	case err := <-done:
		t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return base, stop
}

func verify(t *testing.T, c Config, o VerifyOptions) auditlog.Report {
	t.Helper()
	r, err := VerifyAudit(t.Context(), c, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// traffic enrols somebody and shows their card a few times.
func traffic(t *testing.T, s *Server, label string) gatehouse.Passage {
	t.Helper()
	enrol(t, s, label, "Ana", nil)
	addDevice(t, s, "reader")
	var p gatehouse.Passage
	for range 3 {
		p = card(t, s, "reader", gatehouse.Secret("card "+label))
	}
	return p
}

func TestTheLogHoldsWhatTheGateDid(t *testing.T) {
	c := testConfig(t)
	c.Gates[0].RepeatWithin = 0
	s := open(t, c)
	_, stop := audited(t, s)
	p := traffic(t, s, "B-1")
	if _, err := VerifyAudit(t.Context(), c, VerifyOptions{}); gatehouse.ErrorCode(err) != "store.locked" {
		t.Errorf("beside a running server: %v", err)
	}
	// The server itself can, while it goes on.
	socket := client.OverSocket(SocketPath(c))
	if r, err := socket.AuditVerify(t.Context(), wire.AuditVerifyRequest{Deep: true}); err != nil || !r.OK || r.Passages != 3 {
		t.Errorf("by the running server: %+v, %v", r, err)
	}
	if _, err := socket.AuditProve(t.Context(), "99999"); gatehouse.ErrorCode(err) != "audit.not_found" {
		t.Errorf("a proof of nothing: %v", err)
	}
	if keys, err := socket.AuditKeys(t.Context()); err != nil || len(keys.Log) != 1 || !strings.Contains(keys.Witness, "/witness+") {
		t.Errorf("%+v, %v", keys, err)
	}
	// An administrator asks for a proof of what was committed a moment ago.
	var proof wire.AuditProof
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		var err error
		if proof, err = s.Admin().AuditProve(t.Context(), p.ID.String()); err == nil {
			break
		} else if gatehouse.ErrorCode(err) != "audit.not_found" || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	if entry, err := VerifyProof(c, "", proof); err != nil || entry.Kind != gatehouse.PassageLeafKind || entry.Fields[0].Value != p.ID.String() {
		t.Errorf("%+v, %v", entry, err)
	}
	page, err := socket.AuditEntries(t.Context(), wire.AuditQuery{Kind: gatehouse.PassageLeafKind, Limit: 10})
	if err != nil || len(page.Entries) != 3 || strings.Contains(fmt.Sprint(page), "Ana") {
		t.Errorf("%+v, %v", page, err)
	}
	stop()
	r := verify(t, c, VerifyOptions{Deep: true})
	if !r.OK || r.Pending != 0 || r.Unsigned != 0 || r.Passages != 3 || r.GateLeaves < 8 {
		t.Errorf("%+v", r)
	}
}

// alter runs a statement in one of the gate's own files, as whoever has the gate key can.
func alter(t *testing.T, c Config, file, statement string) {
	t.Helper()
	alterFile(t, c, filepath.Join("db", file), func(ctx context.Context, tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, statement)
		if err != nil {
			return err
		}
		if n, _ := result.RowsAffected(); n == 0 {
			return fmt.Errorf("%q changed nothing", statement)
		}
		return nil
	})
}

// alterFile writes into a file of the data directory as who has the gate key can, while no
// server runs.
func alterFile(t *testing.T, c Config, file string, do func(ctx context.Context, tx *sql.Tx) error) {
	t.Helper()
	gate, err := vault.OpenGateKey(c.Data, c.GateKey)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(c.Data, file)
	key, err := gate.FileKey(path)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sealeddb.OpenAsIs(path, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Write(t.Context(), do), db.Close()); err != nil {
		t.Fatal(err)
	}
}

// copyDir copies a data directory.
func copyDir(t *testing.T, from, to string) {
	t.Helper()
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(from, path)
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		b, err := os.ReadFile(path)
		if err != nil || d.Type()&fs.ModeSocket != 0 {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), b, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Whoever has the gate key may change what the gate itself stored. The log has it as
// it was.
func TestEveryAlteredRowOfTheGateIsFound(t *testing.T) {
	c := testConfig(t)
	c.Gates[0].RepeatWithin = 0
	s := open(t, c)
	_, stop := audited(t, s)
	photo, frames := actor(t, 9)
	ana := enrol(t, s, "B-2", "Ana", photo)
	gone := enrol(t, s, "B-3", "Cleo", nil)
	if err := s.Admin().SetStatus(t.Context(), gone, gatehouse.SuspendedStatus); err != nil {
		t.Fatal(err)
	}
	p := traffic(t, s, "B-1")
	addDevice(t, s, "cam")
	if got := walk(t, s, "cam", frames); len(got) != 1 || !got[0].Known {
		t.Fatalf("%+v", got)
	}
	if err := s.Admin().WithdrawConsent(t.Context(), ana); err != nil {
		t.Fatal(err)
	}
	for _, amount := range []int64{200, 300} {
		if _, err := s.Admin().TakePayment(t.Context(), wire.BooksPaymentRequest{Stay: gatehouse.ID{1}, Way: "cash", Amount: wire.Money{Minor: amount, Currency: "EUR"}}); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	if r := verify(t, c, VerifyOptions{Deep: true}); !r.OK || r.Passages != 4 || r.Blobs == 0 {
		t.Fatalf("as it was left: %+v", r)
	}
	kept := filepath.Join(t.TempDir(), "kept")
	copyDir(t, c.Data, kept)
	month := p.ID.Time().UTC().Format("2006-01") + ".db"
	for name, a := range map[string]struct{ file, statement, code string }{
		"a leaf":                          {month, `UPDATE leaves SET leaf = substr(leaf, 1, length(leaf) - 1) || CASE substr(leaf, -1) WHEN x'00' THEN x'01' ELSE x'00' END WHERE position = (SELECT min(position) FROM leaves)`, "gate.altered"},
		"an entry's amount":               {"books.db", `UPDATE entries SET amount = amount + 1 WHERE number = 1`, "books.altered"},
		"an entry's account":              {"books.db", `UPDATE postings SET account = 'bank' WHERE account = 'held/cash'`, "books.altered"},
		"the newest entry that is gone":   {"books.db", `DELETE FROM entries WHERE number = 2`, "books.missing"},
		"a balance":                       {"books.db", `UPDATE balances SET amount = 0`, "books.unbalanced"},
		"a leaf that is gone":             {month, `DELETE FROM leaves WHERE position = (SELECT min(position) FROM leaves)`, "gate.missing"},
		"a leaf too many":                 {month, `INSERT INTO leaves SELECT min(position) - 1, hash, leaf FROM leaves`, "gate.unlogged"},
		"a leaf of the site that is gone": {"site.db", `DELETE FROM leaves WHERE position = (SELECT max(position) FROM leaves)`, "gate.missing"},
		"leaves that changed places":      {month, `UPDATE leaves SET leaf = (SELECT l.leaf FROM leaves l WHERE l.position <> leaves.position ORDER BY l.position LIMIT 1)`, "gate.altered"},
		"a passage's gate":                {month, `UPDATE passages SET gate = 'back-door'`, "passage.altered"},
		"a passage's time":                {month, `UPDATE passages SET at = at + 60000000`, "passage.altered"},
		"a denied passage":                {month, `UPDATE passages SET granted = 1 - granted`, "passage.altered"},
		"an outcome":                      {month, `UPDATE passages SET outcome = 'not_passed'`, "passage.altered"},
		"a passage that is gone":          {month, `DELETE FROM passages WHERE id = (SELECT max(id) FROM passages)`, "passage.missing"},
		"a passage too many":              {month, `INSERT INTO passages SELECT org, site, randomblob(16), gate, device, direction, at, kind, subject, known, frames, granted, reason, rule, latency, outcome, outcome_at FROM passages LIMIT 1`, "passage.unlogged"},
		"a sealed detail":                 {month, `UPDATE details SET sealed = sealed || x'00'`, "passage.altered"},
		"a sealed detail that is gone":    {month, `UPDATE details SET sealed = x''`, "passage.altered"},
		"evidence's digest":               {month, `UPDATE evidence SET digest = zeroblob(32)`, "passage.altered"},
		"evidence that is gone":           {month, `DELETE FROM evidence`, "passage.altered"},
		"an outcome's time":               {month, `UPDATE passages SET outcome_at = outcome_at + 60000000`, "passage.altered"},
		"a photo's digest":                {"site.db", `UPDATE photos SET digest = zeroblob(32)`, "subject.altered"},
		"a photo that is gone":            {"site.db", `DELETE FROM photos`, "subject.altered"},
		"whether it is a person":          {"site.db", `UPDATE subjects SET kind = 'vehicle'`, "subject.altered"},
		"who was suspended":               {"site.db", `UPDATE subjects SET status = 'active' WHERE status <> 'active'`, "subject.altered"},
		"a subject too many":              {"site.db", `INSERT INTO subjects SELECT org, site, randomblob(16), kind, status, enrolled, record || x'00' FROM subjects LIMIT 1`, "subject.altered"},
		"when a consent was given":        {"site.db", `UPDATE consents SET given = given - 86400000000`, "consent.altered"},
		"what it was given for":           {"site.db", `UPDATE consents SET purpose = 'face_at_attendance'`, "consent.altered"},
		"a consent that is gone":          {"site.db", `DELETE FROM consents`, "consent.missing"},
		"a consent that was withdrawn":    {"site.db", `UPDATE consents SET withdrawn = NULL`, "consent.missing"},
		"one that was not":                {"site.db", `UPDATE consents SET withdrawn = given`, "consent.altered"},
		"who agreed for a child":          {"site.db", `UPDATE consents SET guardian = 1 - guardian`, "consent.altered"},
		"a device's gate":                 {"site.db", `UPDATE devices SET gate = 'back-door' WHERE id = 'cam'`, "device.altered"},
		"a device that is gone":           {"site.db", `DELETE FROM devices WHERE id = 'cam'`, "device.missing"},
		"a record":                        {"site.db", `UPDATE subjects SET record = record || x'00'`, "subject.altered"},
	} {
		t.Run(name, func(t *testing.T) {
			copyDir(t, kept, c.Data)
			alter(t, c, a.file, a.statement)
			wantFinding(t, verify(t, c, VerifyOptions{}), a.code)
		})
	}
	t.Run("a month that is gone", func(t *testing.T) {
		copyDir(t, kept, c.Data)
		if err := os.Remove(filepath.Join(c.Data, "db", month)); err != nil {
			t.Fatal(err)
		}
		wantFinding(t, verify(t, c, VerifyOptions{}), "gate.missing")
	})
	t.Run("a month's byte", func(t *testing.T) {
		copyDir(t, kept, c.Data)
		path := filepath.Join(c.Data, "db", month)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b[3*4096+100] ^= 1
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		wantFinding(t, verify(t, c, VerifyOptions{}), "store.damaged")
	})
	for name, change := range map[string]func(path string) error{
		"blob.missing": os.Remove,
		"blob.altered": func(path string) error { return os.WriteFile(path, []byte("noise"), 0o600) },
	} {
		t.Run(name, func(t *testing.T) {
			copyDir(t, kept, c.Data)
			changed := 0
			err := filepath.WalkDir(filepath.Join(c.Data, "blobs"), func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				changed++
				return change(path)
			})
			if err != nil || changed == 0 {
				t.Fatal(changed, err)
			}
			wantFinding(t, verify(t, c, VerifyOptions{Deep: true}), name)
		})
	}
}

func wantFinding(t *testing.T, r auditlog.Report, code string) {
	t.Helper()
	for _, f := range r.Findings {
		if f.Code == code && !r.OK {
			return
		}
	}
	t.Errorf("want %s: %+v", code, r)
}

// auditKeys of a site that does not run.
func auditKeys(t *testing.T, c Config) wire.AuditKeys {
	t.Helper()
	log, done, err := OpenAudit(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	keys, err := log.AuditKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// Two sites over HTTP, and a file: whoever puts the whole data directory back as it was
// yesterday is found out by both, offline and at the next start.
func TestRollBackOfTheWholeDirectory(t *testing.T) {
	c, other := testConfig(t), testConfig(t)
	other.Site.ID = "south"
	for _, config := range []Config{c, other} {
		if err := open(t, config).Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	witness := auditKeys(t, other).Witness
	other.Audit.WitnessedLogs = []WitnessedLogConfig{{Key: auditKeys(t, c).Log[0]}}
	base, _ := audited(t, open(t, other))
	file := filepath.Join(t.TempDir(), "witness")
	c.Audit.Witness = []WitnessConfig{{File: file}, {URL: base, Key: witness}}
	c.Gates[0].RepeatWithin, c.Audit.WitnessEvery = 0, time.Hour

	s := open(t, c)
	_, stop := audited(t, s)
	traffic(t, s, "B-1")
	stop() // which shows the witnesses the end
	r := verify(t, c, VerifyOptions{})
	if !r.OK || r.Witnessed != r.Size {
		t.Fatalf("%+v", r)
	}
	yesterday := filepath.Join(t.TempDir(), "yesterday")
	copyDir(t, c.Data, yesterday)

	s = open(t, c)
	_, stop = audited(t, s)
	traffic(t, s, "B-2")
	stop()
	copyDir(t, yesterday, c.Data)
	alone := c
	alone.Audit.Witness = nil
	if r := verify(t, alone, VerifyOptions{}); !r.OK {
		t.Errorf("yesterday's directory does not hold together: %+v", r)
	}
	wantFinding(t, verify(t, alone, VerifyOptions{Witness: []string{file}}), "audit.rolled_back")

	// The server that goes on from there is refused by each of them.
	s = open(t, c)
	t.Cleanup(func() { s.Close(context.Background()) })
	for i, w := range c.Audit.Witness {
		if err := s.showWitness(t.Context(), w); gatehouse.ErrorCode(err) != "audit.rolled_back" {
			t.Errorf("witness %d: %v", i+1, err)
		}
	}
	// With another history that is longer, too.
	for i := range 40 {
		if err := s.vault.Record(t.Context(), gatehouse.Disclosure{Operator: "x", Purpose: "live", Items: []string{fmt.Sprint("ring/", i)}}); err != nil {
			t.Fatal(err)
		}
	}
	for i, w := range c.Audit.Witness {
		if err := s.showWitness(t.Context(), w); gatehouse.ErrorCode(err) != "audit.rolled_back" {
			t.Errorf("witness %d, another history: %v", i+1, err)
		}
	}
}

// A witness that does not know the log, or another site's answer in its place.
func TestWitnessesThatAreNone(t *testing.T) {
	c, other := testConfig(t), testConfig(t)
	s, witness := open(t, c), open(t, other)
	base, _ := audited(t, witness)
	keys, err := witness.Admin().AuditKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, w := range map[string]struct {
		config WitnessConfig
		code   string
	}{
		"does not know us": {WitnessConfig{URL: base, Key: keys.Witness}, "audit.witness_refused"},
		"does not run":     {WitnessConfig{URL: "http://localhost:1", Key: keys.Witness}, "audit.witness_unreachable"},
		"no medium":        {WitnessConfig{File: filepath.Join(t.TempDir(), "gone", "file")}, "audit.witness_unreachable"},
	} {
		if err := s.showWitness(t.Context(), w.config); gatehouse.ErrorCode(err) != w.code {
			t.Errorf("%s: %v, want %s", name, err, w.code)
		}
	}
}

func TestWitnessConfig(t *testing.T) {
	witness := auditlog.NewWitnessSigner("w", [32]byte{1}).VerifierKey()
	log := auditlog.NewLogSigner("l", [32]byte{1}).VerifierKey()
	fine := []AuditConfig{{}, {Witness: []WitnessConfig{{File: "/media/stick/w"}, {URL: "https://other.example", Key: witness}, {URL: "http://localhost:1", Key: witness}}, WitnessedLogs: []WitnessedLogConfig{{log}}}}
	for _, a := range fine {
		a.WitnessEvery = time.Minute
		if err := a.check("/data"); err != nil {
			t.Errorf("%+v: %v", a, err)
		}
	}
	for name, a := range map[string]AuditConfig{
		"nothing": {Witness: []WitnessConfig{{}}}, "both": {Witness: []WitnessConfig{{File: "/w", URL: "https://a.example", Key: witness}}},
		"inside": {Witness: []WitnessConfig{{File: "/data/vault/w"}}}, "in clear": {Witness: []WitnessConfig{{URL: "http://a.example", Key: witness}}},
		"a password": {Witness: []WitnessConfig{{URL: "https://u:p@a.example", Key: witness}}}, "a log's key": {Witness: []WitnessConfig{{URL: "https://a.example", Key: log}}},
		"a witness's key": {WitnessedLogs: []WitnessedLogConfig{{witness}}}, "no key": {WitnessedLogs: []WitnessedLogConfig{{"x"}}},
	} {
		a.WitnessEvery = time.Minute
		if a.check("/data") == nil {
			t.Errorf("%s: it passes", name)
		}
	}
	if (AuditConfig{}).check("/data") == nil {
		t.Error("no time to show the log to witnesses passes")
	}
}
