package drill

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
	"gatehouse/internal/child/childtest"
	"gatehouse/internal/sealeddb"
	"gatehouse/server"
	"gatehouse/vault"
	"gatehouse/vault/approval"
	"gatehouse/vault/custody"
	"gatehouse/vault/machine"
	"gatehouse/vision/models"
	"gatehouse/vision/worker"
)

func TestMain(m *testing.M) {
	custody.QuickForTests() // in the processes that it starts, too
	all := machine.Children()
	all["__vault"], all["__vision"] = vault.RunChild, worker.RunChild
	childtest.Main(m, all)
}

func run(t *testing.T, o Options) Report {
	t.Helper()
	if _, err := os.Stat(filepath.Join(models.Dir(), "portraits")); err != nil {
		t.Skip("no portraits here: run `make assets`")
	}
	if o.Marks == 0 {
		o.Marks, o.Arrivals, o.mutant.region = 3, 2, 1000
	}
	t.Setenv("TMPDIR", t.TempDir())
	r, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A thief of the whole disk reads the working set and nothing else, also on a copy of
// an installation that is there.
func TestAThiefOfTheDisk(t *testing.T) {
	c := fresh(filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "gate.key"))
	c.Gates = c.Gates[1:] // a car park without a door; the copy gets one
	// At one address, where localhost is not, under a name that leads nowhere.
	c.Listen, c.TLS.Certificates, c.TLS.Names = "127.0.0.2:0", "local", []string{"gates.example"}
	s, err := server.Open(t.Context(), c, server.Options{NewPassphrase: []byte("correct horse battery staple"), Stderr: &bytes.Buffer{}})
	if err != nil {
		t.Fatal(err)
	}
	// It runs while it is copied.
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	ready := make(chan string, 1)
	go func() { ended <- s.Run(ctx, func(link string) { ready <- link }) }()
	c.Listen = "127.0.0.2:" + strings.TrimPrefix(baseOf(<-ready), "https://gates.example:")
	defer func() {
		stop()
		<-ended
		s.Close(context.Background())
	}()
	// It has operators of its own, who agree to nothing of the drill's.
	at := &drill{Options: Options{Passphrase: []byte("correct horse battery staple")}, server: s}
	for _, name := range []string{"ana-1", "ben-2"} {
		o, err := approval.New(name, []byte(auth.NewToken()), quickWork)
		if err == nil {
			_, err = at.desk().AddOperator(t.Context(), wire.OperatorRequest{With: wire.Shown(at.credential()), Operator: wire.Operator{Name: o.Name, Salt: o.Salt, Work: o.Work, Public: o.Public}})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	r := run(t, Options{Thief: DiskThief, Config: &c, Passphrase: []byte("correct horse battery staple")})
	for _, f := range r.Findings {
		t.Errorf("found %s: %s", f.Kind, f.What)
	}
	if !slices.ContainsFunc(r.Notes, func(n string) bool { return strings.Contains(n, "no bulk release") }) {
		t.Errorf("nothing says what was not tried: %q", r.Notes)
	}
	if slices.ContainsFunc(r.Notes, func(n string) bool { return strings.Contains(n, "not asked") }) {
		t.Errorf("the live server was not asked: %q", r.Notes)
	}
	if !r.Live || !r.Copied || r.WorkingSetHits == 0 || r.Custody == "" || r.Swaps < 20 || r.Erased < 2 || r.Forgotten < 4 || r.Searches == 0 || r.Alarms < 2 || r.BackupBytes == 0 {
		t.Errorf("%+v", r)
	}
	vkeys, err := os.ReadFile(vault.VerifierKeyPath(filepath.Join(c.Data, "vault")))
	if err != nil {
		t.Fatal(err)
	}
	if err := Verify(r, strings.TrimSpace(string(vkeys))); err != nil {
		t.Errorf("the report does not verify with the installation's key: %v", err)
	}
	r.Hits++
	if err := Verify(r, strings.TrimSpace(string(vkeys))); gatehouse.ErrorCode(err) != "drill.signature" {
		t.Errorf("an altered report: %v", err)
	}
	if people, err := s.Admin().Subjects(t.Context(), gatehouse.SubjectID{}, 10); err != nil || len(people.Subjects) != 0 {
		t.Errorf("the original has changed: %d subjects, %v", len(people.Subjects), err)
	}
}

// A site whose vault is on another machine is drilled on a copy with a machine of the
// drill's own: whoever has all of the gate's side, its identity too, has the working set.
func TestAThiefOfAGateServer(t *testing.T) {
	c := fresh(filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "gate.key"))
	real := &drill{root: t.TempDir(), config: c, Options: Options{Stderr: &bytes.Buffer{}}}
	if err := os.Mkdir(filepath.Join(real.root, "keys"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := real.moveAway(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer real.away.stop()
	c = real.config
	s, err := server.Open(t.Context(), c, server.Options{Stderr: &bytes.Buffer{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := run(t, Options{Thief: DiskThief, Config: &c})
	for _, f := range r.Findings {
		t.Errorf("found %s: %s", f.Kind, f.What)
	}
	if !r.Elsewhere || !r.Copied || r.WorkingSetHits == 0 || r.Swaps < 20 || r.Erased < 2 || r.Forgotten < 4 || r.Searches == 0 || r.Alarms < 2 || r.BackupBytes == 0 || r.Impersonations < 6 {
		t.Errorf("%+v", r)
	}
	gates, err := real.away.admin.Status(t.Context())
	if err != nil || len(gates) != 1 || gates[0].Connected || gates[0].Unsealed {
		t.Errorf("the site's own machine was used: %+v, %v", gates, err)
	}
	if _, err := Run(t.Context(), Options{Config: &c, Passphrase: []byte("correct horse battery staple")}); gatehouse.ErrorCode(err) != "drill.passphrase" {
		t.Errorf("a passphrase for a machine elsewhere: %v", err)
	}
}

// leak is something that a mutant does, and the finding that must come of it.
type leak struct{ name, kind, what string }

func wantLeaks(t *testing.T, r Report, leaks []leak) {
	t.Helper()
	if r.OK {
		t.Error("the report says that all is well")
	}
	for _, l := range leaks {
		found := false
		for _, f := range r.Findings {
			found = found || f.Kind == l.kind && strings.Contains(f.What, l.what)
		}
		if !found {
			t.Errorf("%s is not caught", l.name)
		}
	}
	if t.Failed() {
		for _, f := range r.Findings {
			t.Logf("%s: %s", f.Kind, f.What)
		}
	}
}

// A product that leaks in these ways is caught in every one.
func TestLeaksAreCaught(t *testing.T) {
	var names []string            // values that no finding may repeat
	memory := map[string][]byte{} // what the vault has opened before
	r := run(t, Options{mutant: mutant{
		running: func(d *drill) error {
			names = []string{d.cast.people[1].record.Name, d.cast.vehicles[0].plate, d.cast.people[0].card}
			if _, err := d.log.WriteString("enrolled " + d.cast.people[1].record.Name + "\n"); err != nil {
				return err
			}
			if _, err := d.post.got.Write([]byte("Subject: " + d.cast.people[2].record.Phone + " came\n")); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(d.dataTarget(), "notes"), []byte(base64.StdEncoding.EncodeToString([]byte("why: "+d.cast.reasons[1]))), 0o600); err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(d.logDir(), "gallery.f16"), halves(d.cast.people[0].template), 0o600); err != nil {
				return err
			}
			f, err := os.CreateTemp("", "export-*.gz")
			if err != nil {
				return err
			}
			defer f.Close()
			z := gzip.NewWriter(f)
			if _, err := z.Write([]byte("plate;" + d.cast.vehicles[0].plate)); err != nil {
				return err
			}
			return z.Close()
		},
		stopped: func(d *drill) error {
			return os.WriteFile(filepath.Join(d.config.Data, "blobs", "3f3f"), d.cast.people[0].photo, 0o600)
		},
		templates: func(before, _ []storedTemplate) []storedTemplate { return before },
		metrics:   func(d *drill, b []byte) []byte { return append(b, "seen{card=\""+d.cast.people[0].card+"\"} 1\n"...) },
		transport: func(next http.RoundTripper) http.RoundTripper {
			return answers{answers{tenants{next}, "/people", "<h1>People</h1>"}, "/passages/", "\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xdb\x00\x03\x00\xff"}
		},
		opener: func(_ *drill, o gatehouse.Opener) gatehouse.Opener {
			return unbound{remembering{o, memory}, map[string]gatehouse.SealContext{}}
		},
	}})
	wantLeaks(t, r, []leak{
		{"a name in the log", "mark", "name 2 as utf-8 in log/server.log"},
		{"a template in a file", "mark", "template 1 as float16le in log/gallery.f16"},
		{"a plate in a compressed temporary file", "mark", "plate 1 as utf-8 in temporary files/"},
		{"an unsealed picture", "picture", "data/blobs/3f3f"},
		{"an unsealed picture's content", "mark", "photo 1 as jpeg bytes in data/blobs/3f3f"},
		{"a card number in a metric", "mark", "card 1 as utf-8 in metrics"},
		{"an open route", "open route", "GET /people answers GET with nothing: status 200"},
		{"a picture by its address alone", "address without a session", "it shows a picture"},
		{"a phone number in a mail", "mark", "phone 3 as utf-8 in webhooks and mails"},
		{"a vault that keeps what expired", "expired", "a sealed detail opens in its own place"},
		{"a reason in a backup", "mark", "operator's reason 2 as base64"},
		{"a rekey that changes nothing", "templates", "compare with those of another gallery"},
		{"another tenant's device", "open route", "answers POST with the token of another tenant's device of the same name: status 200"},
		{"a spent link that works again", "address without a session", "it begins a session"},
		{"a place that is not bound", "swapped ciphertext", "a sealed name in another row opens"},
	})
	for _, f := range r.Findings {
		for _, value := range names {
			if strings.Contains(f.What, value) {
				t.Errorf("a finding repeats a mark: %s", f.What)
			}
		}
	}
	page, err := Page(r)
	if err != nil || !bytes.Contains(page, []byte("Findings")) {
		t.Errorf("the page: %v", err)
	}
}

// Inside the encrypted databases, too, for a thief who has the gate key.
func TestLeaksInTheDatabasesAreCaught(t *testing.T) {
	r := run(t, Options{Thief: DiskThief, Elsewhere: true, mutant: mutant{sealed: func(d *drill) error { return d.away.unseal(t.Context()) }, stopped: func(d *drill) error {
		sum := sha256.Sum256([]byte(d.cast.people[2].record.Phone))
		keyed := hmac.New(sha256.New, bytes.Repeat([]byte{7}, 32))
		keyed.Write([]byte(d.cast.vehicles[1].plate))
		if err := d.unforget(); err != nil {
			return err
		}
		return d.insert(sum[:], []byte(d.cast.people[1].record.NationalID), []byte(hex.EncodeToString(keyed.Sum(nil))), bytes.Repeat([]byte{7}, 32),
			[]byte(d.cast.reasons[0]), []byte(`{"plate":"`+d.cast.vehicles[2].plate+`","passage":"`+d.passages[0].ID.String()+`"}`))
	}}})
	wantLeaks(t, r, []leak{
		{"an ID number in a column", "mark", "national id 2 as utf-8 in data/db/site.db (pages)"},
		{"a reason in a column", "mark", "operator's reason 1 as utf-8 in data/db/site.db (pages)"},
		{"a machine that gives any gate a lease", "stolen identity", "gives a lease that nobody granted"},
		{"a machine that opens for it", "stolen identity", "opens a sealed name"},
		{"an index row in clear", "mark", "plate 3 as utf-8 in data/db/site.db (pages)"},
		{"an erased car's plate in the working set", "erased", "plate 4 of an erased subject"},
		{"a hashed phone number and a plate under a key that lies beside it", "index", "2 values in data/db/site.db (pages)"},
	})
}

func halves(t []float32) []byte {
	var b []byte
	for _, v := range t {
		b = binary.LittleEndian.AppendUint16(b, float16(v))
	}
	return b
}

// insert writes values into rows of the site's database.
func (d *drill) insert(values ...[]byte) error {
	gate, err := vault.OpenGateKey(d.config.Data, d.gateKey)
	if err != nil {
		return err
	}
	file := filepath.Join(d.config.Data, "db", "site.db")
	key, err := gate.FileKey(file)
	if err != nil {
		return err
	}
	db, err := sealeddb.OpenAsIs(file, key)
	if err != nil {
		return err
	}
	defer db.Close()
	return db.Write(context.Background(), func(ctx context.Context, tx *sql.Tx) error {
		for i, v := range values {
			if _, err := tx.ExecContext(ctx, `INSERT INTO intents (id, verb, body) VALUES (?, 'test', ?)`, []byte{byte(i)}, v); err != nil {
				return err
			}
		}
		return nil
	})
}

// unforget is an erasure that left the plate of the last car in the working set.
func (d *drill) unforget() error {
	gate, err := vault.OpenGateKey(d.config.Data, d.gateKey)
	if err != nil {
		return err
	}
	key, err := gate.FileKey(d.workingFile())
	if err != nil {
		return err
	}
	v := d.cast.vehicles[len(d.cast.vehicles)-1]
	item := gatehouse.WorkingItem{Place: d.place(), Kind: gatehouse.PlateItem, Row: gatehouse.RandomID(), Subject: v.id}
	if item.Sealed, err = gate.SealWorking(item.Context(), []byte(v.plate)); err != nil {
		return err
	}
	db, err := sealeddb.OpenAsIs(d.workingFile(), key)
	if err != nil {
		return err
	}
	defer db.Close()
	return db.Write(context.Background(), func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO items (org, site, kind, row, subject, sealed) VALUES (?, ?, ?, ?, ?, ?)`, item.Org, item.Site, item.Kind, item.Row[:], item.Subject[:], item.Sealed)
		return err
	})
}

// tenants is a server that takes any token for a device's, and spent links.
type tenants struct{ http.RoundTripper }

func (a tenants) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := a.RoundTripper.RoundTrip(r)
	switch {
	case err != nil:
	case strings.HasPrefix(r.URL.Path, "/enter/"):
		answer.Header.Set("Set-Cookie", auth.CookieName+"=again")
	case strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") && strings.HasPrefix(r.URL.Path, "/api/v1/devices/drill-reader/") && r.Method == http.MethodPost:
		answer.StatusCode = http.StatusOK
	}
	return answer, err
}

// answers is a server that forgot a policy: what asks for a path gets an answer.
type answers struct {
	http.RoundTripper
	path, body string
}

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := a.RoundTripper.RoundTrip(r)
	if err == nil && strings.HasPrefix(r.URL.Path, a.path) && r.Method == http.MethodGet {
		answer.Body.Close()
		answer.StatusCode, answer.Body = http.StatusOK, readCloser{strings.NewReader(a.body)}
	}
	return answer, err
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

// unbound is a vault whose additional data does not say where a value belongs: it opens
// every value wherever it stands, once it has seen it in its own place.
type unbound struct {
	gatehouse.Opener
	own map[string]gatehouse.SealContext
}

func (u unbound) Open(ctx context.Context, r gatehouse.OpenRequest) ([][]byte, error) {
	refs := r.Refs
	r.Refs = nil
	for _, ref := range refs {
		if where, ok := u.own[string(ref.Sealed)]; ok {
			ref.Where = where
		}
		u.own[string(ref.Sealed)] = ref.Where
		r.Refs = append(r.Refs, ref)
	}
	return u.Opener.Open(ctx, r)
}

// remembering is a vault that keeps what it opened, and gives it when the keys are gone.
type remembering struct {
	gatehouse.Opener
	memory map[string][]byte
}

func (m remembering) Open(ctx context.Context, r gatehouse.OpenRequest) ([][]byte, error) {
	all, err := m.Opener.Open(ctx, r)
	for i := range all {
		if all[i] == nil {
			all[i] = m.memory[string(r.Refs[i].Sealed)]
		} else {
			m.memory[string(r.Refs[i].Sealed)] = bytes.Clone(all[i])
		}
	}
	return all, err
}
