package machine

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/vault"
)

type site struct {
	dir, serviceKey string // the machine's
	address         string
	machine         *exec.Cmd
	with            gatehouse.Credential // opens the vault

	data, gateKey, identity string // the gate's
	gate                    *vault.Vault
}

func newSite(t *testing.T) *site {
	t.Helper()
	return newSiteWith(t, gatehouse.Passphrase([]byte(passphrase)))
}

func newSiteWith(t *testing.T, with gatehouse.Credential) *site {
	t.Helper()
	s := &site{with: with, dir: filepath.Join(t.TempDir(), "m"), serviceKey: filepath.Join(t.TempDir(), "service.key"), address: "127.0.0.1:0",
		data: t.TempDir(), gateKey: filepath.Join(t.TempDir(), "gate.key")}
	must(t, Init(t.Context(), s.dir, s.serviceKey, with))
	must(t, vault.CreateGateKey(s.data, s.gateKey))
	s.start(t)
	s.identity = s.pair(t, north, time.Hour)
	t.Cleanup(func() {
		if s.gate != nil {
			must(t, s.gate.Close())
		}
		s.kill()
	})
	return s
}

func (s *site) start(t *testing.T) {
	t.Helper()
	s.machine = exec.Command(os.Args[0], "__machine", s.dir, s.address)
	s.machine.Stderr = os.Stderr
	out, err := s.machine.StdoutPipe()
	must(t, err)
	must(t, s.machine.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	must(t, err)
	s.address = strings.TrimSpace(line)
}

func (s *site) kill() {
	if s.machine.Process != nil {
		_ = s.machine.Process.Kill()
		_ = s.machine.Wait() // it was killed
	}
}

func (s *site) admin(t *testing.T, f func(Admin) error) error {
	t.Helper()
	a, done, err := Dial(Options{Dir: s.dir, Log: quiet})
	must(t, err)
	defer func() { must(t, done()) }()
	return f(a)
}

func (s *site) pair(t *testing.T, place gatehouse.Place, lasts time.Duration) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "identity.json")
	must(t, s.admin(t, func(a Admin) error {
		b, err := a.Pair(t.Context(), PairRequest{Place: place, Address: s.address, Lasts: lasts})
		if err == nil {
			err = os.WriteFile(file, b, 0o600)
		}
		return err
	}))
	return file
}

func (s *site) unseal(t *testing.T) {
	t.Helper()
	must(t, s.admin(t, func(a Admin) error {
		return a.Unseal(t.Context(), UnsealRequest{Lasts: time.Hour}, s.with)
	}))
}

func (s *site) openGate(t *testing.T, identity string, change ...func(*vault.Options)) (*vault.Vault, error) {
	t.Helper()
	key, err := vault.OpenGateKey(s.data, s.gateKey)
	must(t, err)
	id, err := vault.ReadIdentity(identity, s.data)
	must(t, err)
	o := vault.Options{Dir: filepath.Join(s.data, "vault"), Gate: key, Remote: &vault.Remote{Identity: id}, Log: quiet}
	for _, f := range change {
		f(&o)
	}
	return vault.Open(t.Context(), o)
}

func (s *site) reopenGate(t *testing.T) {
	t.Helper()
	if s.gate != nil {
		must(t, s.gate.Close())
	}
	var err error
	s.gate, err = s.openGate(t, s.identity)
	must(t, err)
}

func eventually(t *testing.T, f func() error) {
	t.Helper()
	var err error
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if err = f(); err == nil {
			return
		}
	}
	t.Fatal(err)
}

func (s *site) awaitVault(t *testing.T) {
	t.Helper()
	eventually(t, func() error { _, err := s.gate.Status(t.Context()); return err })
}

func (s *site) seal(t *testing.T, subject gatehouse.SubjectID, text string) gatehouse.SealedRef {
	t.Helper()
	where := gatehouse.SealContext{Place: north, Table: "passage", Row: gatehouse.NewID(time.Now()), Field: "detail"}
	sealed, err := s.gate.Seal(t.Context(), subject, gatehouse.PassageClass, where, []byte(text), gatehouse.PadField)
	must(t, err)
	return gatehouse.SealedRef{Where: where, Sealed: sealed}
}

func (s *site) opened(t *testing.T, refs ...gatehouse.SealedRef) (texts []string) {
	t.Helper()
	proof, _, err := s.gate.Claim(t.Context())
	must(t, err)
	plain, err := s.gate.Open(t.Context(), gatehouse.OpenRequest{Operator: "site/guard", Proof: proof, Purpose: "passage", Reason: "test", Refs: refs})
	must(t, err)
	for _, p := range plain {
		texts = append(texts, string(p))
	}
	return texts
}

func (s *site) rewrites(t *testing.T, refs []gatehouse.SealedRef) {
	t.Helper()
	files, err := s.gate.Files(t.Context())
	must(t, err)
	if len(files) != 2 || files[0].Name != vault.KeyStoreFile || files[0].Bytes == 0 || files[0].Keyed.IsZero() {
		t.Fatalf("the vault's files are %+v", files)
	}
	before := s.opened(t, refs...)
	for _, f := range files {
		path := filepath.Join(s.dir, gatesDir, "acme", "north", f.Name+".key")
		old, err := os.ReadFile(path)
		must(t, err)
		_, err = s.gate.Rewrite(t.Context(), f.Name)
		must(t, err)
		if fresh, err := os.ReadFile(path); err != nil || bytes.Equal(fresh, old) {
			t.Errorf("%s has its old key still (%v)", f.Name, err)
		}
	}
	for _, name := range []string{"vault.key", "../south/keys.db", "/keys.db", ""} {
		_, err := s.gate.Rewrite(t.Context(), name)
		wantCode(t, err, "request.malformed")
	}
	if after := s.opened(t, refs...); strings.Join(after, ",") != strings.Join(before, ",") {
		t.Errorf("opened %q after the files were rewritten, and %q before", after, before)
	}
}

func (s *site) searchGate(t *testing.T) {
	t.Helper()
	b, err := os.ReadFile(s.identity)
	must(t, err)
	var id vault.Identity
	must(t, json.Unmarshal(b, &id))
	private, err := os.ReadFile(filepath.Join(s.dir, "vault.key"))
	must(t, err)
	pair, err := tls.X509KeyPair([]byte(id.Certificate), []byte(id.Key.Reveal()))
	must(t, err)
	seed := pair.PrivateKey.(interface{ Seed() []byte }).Seed()
	marks := map[string][]byte{"the wrapped private key": private[len(private)-64:], "the identity's key": seed, "its text": []byte(id.Key.Reveal())[30:60],
		"the passphrase": []byte(passphrase), "a value": []byte("newcomer")}
	files := 0
	must(t, filepath.WalkDir(s.data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		files++
		switch d.Name() {
		case "vault.key", "keys.db", "audit.db":
			t.Errorf("the gate holds %s", d.Name())
		}
		b, err := os.ReadFile(path)
		for what, mark := range marks {
			if bytes.Contains(b, mark) {
				t.Errorf("%s holds %s", d.Name(), what)
			}
		}
		return err
	}))
	if files < 3 {
		t.Errorf("only %d files were searched", files)
	}
	for what, mark := range map[string][]byte{"the identity's key": seed, "its text": marks["its text"]} { // the control
		if found := bytes.Contains(b, mark) || bytes.Contains([]byte(id.Key.Reveal()), mark); !found && what == "its text" {
			t.Errorf("the search does not find %s where it is", what)
		}
	}
}

func (s *site) statusOf(t *testing.T) (got GateStatus, err error) {
	t.Helper()
	err = s.admin(t, func(a Admin) error {
		list, err := a.Status(t.Context())
		if err == nil {
			got = list[0]
		}
		return err
	})
	return got, err
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	if gatehouse.ErrorCode(err) != code {
		t.Errorf("error %v, want the code %s", err, code)
	}
}
