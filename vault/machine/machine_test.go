package machine

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/internal/child/childtest"
	"gatehouse/vault"
	"gatehouse/vault/custody"
)

const passphrase = "correct horse battery staple"

var (
	north = gatehouse.Place{Org: "acme", Site: "north"}
	south = gatehouse.Place{Org: "acme", Site: "south"}
	quiet = slog.New(slog.DiscardHandler)
)

// The test binary is the vault processes, and the machine that is killed.
func TestMain(m *testing.M) {
	custody.QuickForTests() // in the processes that it starts, too
	childtest.Main(m, map[string]func(context.Context) error{"__vault": vault.RunChild, "__machine": runMachine})
}

// runMachine serves the directory of its second argument at the address of its third
// until it is killed, and says the address.
func runMachine(ctx context.Context) error {
	m, err := Open(Options{Dir: os.Args[2], Log: quiet})
	if err != nil {
		return err
	}
	return m.Serve(ctx, os.Args[3], func(a net.Addr) { fmt.Println(a) })
}

// site is a vault's machine, and the gate of a site on another.
// keyFile opens a vault at once, for tests that are not about passphrases.
var keyFile = gatehouse.Credential{Kind: gatehouse.FileCredential, Secret: bytes.Repeat([]byte{5}, 32)}

// start starts the machine, at the address that it had before.
// admin runs a command at the machine.
// openGate opens the gate's half with an identity.
// eventually repeats f until it returns nil.
// opened claims the lease and opens, "" for what does not open.
// TestVaultElsewhere is the life of a gate whose vault is on another machine: two
// processes with a directory each, and one of them is killed.
func TestVaultElsewhere(t *testing.T) {
	s := newSite(t)
	s.reopenGate(t)
	s.awaitVault(t)
	subject := gatehouse.RandomID()
	refs := []gatehouse.SealedRef{s.seal(t, subject, "before")}

	// Sealed: nobody has a lease, and the gate cannot make one.
	_, _, err := s.gate.Claim(t.Context())
	wantCode(t, err, "vault.sealed")
	_, _, err = s.gate.Unseal(t.Context(), "site", passphrase, time.Hour)
	wantCode(t, err, "vault.elsewhere")
	wantCode(t, s.admin(t, func(a Admin) error {
		return a.Unseal(t.Context(), UnsealRequest{Lasts: time.Hour}, gatehouse.Passphrase([]byte("wrong horse battery")))
	}), "vault.passphrase")

	s.unseal(t)
	if got := s.opened(t, refs...); got[0] != "before" {
		t.Fatalf("opened %q", got)
	}
	list, err := s.gate.Disclosures(t.Context(), gatehouse.ID{}, 10)
	must(t, err)
	if len(list) != 2 || list[0].Operator != "site/guard" || list[1].Operator != unsealer || list[1].Purpose != "unseal" {
		t.Errorf("the log holds %+v", list)
	}

	// The machine is killed: the gate goes on, also with people it has not seen yet.
	s.kill()
	newcomer, erased := gatehouse.RandomID(), gatehouse.RandomID()
	refs = append(refs, s.seal(t, subject, "known"), s.seal(t, newcomer, "newcomer"), s.seal(t, erased, "erased"))
	stranger, err := s.gate.OneOff(t.Context(), north)
	must(t, err)
	refs = append(refs, s.seal(t, stranger, "stranger"))
	if _, waiting := s.gate.Elsewhere(); waiting < 3 {
		t.Errorf("%d rows wait, want those of the newcomer, the erased and the stranger", waiting)
	}
	eventually(t, func() error {
		_, err := s.gate.Erase(t.Context(), gatehouse.EraseRequest{Place: north, ID: gatehouse.RandomID(), Subject: erased, Operator: "gate"})
		if gatehouse.ErrorCode(err) != "vault.unavailable" {
			t.Fatalf("erasing without the vault: %v", err)
		}
		return nil
	})
	// So does one that is started while the machine is away.
	s.reopenGate(t)
	refs = append(refs, s.seal(t, gatehouse.RandomID(), "restarted"))
	_, err = s.gate.Status(t.Context())
	wantCode(t, err, "vault.unavailable")

	// It comes back: sealed, with everything that was made without it.
	s.start(t)
	s.awaitVault(t)
	_, _, err = s.gate.Claim(t.Context())
	wantCode(t, err, "vault.sealed")
	n, err := s.gate.Erase(t.Context(), gatehouse.EraseRequest{Place: north, ID: gatehouse.RandomID(), Subject: erased, Operator: "gate"})
	if err != nil || n != 1 {
		t.Errorf("erased %d chains, %v: the row that waited was not there yet", n, err)
	}
	s.unseal(t)
	if got := s.opened(t, refs...); strings.Join(got, ",") != "before,known,newcomer,,stranger,restarted" {
		t.Errorf("opened %q", got)
	}
	if _, waiting := s.gate.Elsewhere(); waiting != 0 {
		t.Errorf("%d rows still wait", waiting)
	}

	s.rewrites(t, refs)

	// Sealing works from either side.
	proof, _, err := s.gate.Claim(t.Context())
	must(t, err)
	must(t, s.gate.SealVault(t.Context()))
	_, _, err = s.gate.Claim(t.Context())
	wantCode(t, err, "vault.sealed")
	_, err = s.gate.Open(t.Context(), gatehouse.OpenRequest{Operator: "site/guard", Proof: proof, Purpose: "passage", Refs: refs[:1]})
	wantCode(t, err, "vault.sealed")
	s.unseal(t)
	must(t, s.admin(t, func(a Admin) error { return a.Seal(t.Context(), nil) }))
	_, _, err = s.gate.Claim(t.Context())
	wantCode(t, err, "vault.sealed")

	s.searchGate(t)
}

// rewrites puts the databases at the machine under fresh keys, which the gate never has.
// TestRewriteIsFinished: the machine is killed between a file's rewriting and its new
// key's coming into force; at its next start everything opens, and one key is left.
func TestRewriteIsFinished(t *testing.T) {
	s := newSiteWith(t, keyFile)
	s.reopenGate(t)
	s.awaitVault(t)
	ref := s.seal(t, gatehouse.RandomID(), "kept")
	_, err := s.gate.Files(t.Context())
	must(t, err)
	path := filepath.Join(s.dir, gatesDir, "acme", "north", vault.KeyStoreFile+".key")
	old, err := os.ReadFile(path)
	must(t, err)
	_, err = s.gate.Rewrite(t.Context(), vault.KeyStoreFile)
	must(t, err)
	s.kill()
	// As it lay before the last step: the file is under the fresh key, the old one in its place.
	must(t, os.Rename(path, path+".new"))
	must(t, os.WriteFile(path, old, 0o600))
	s.start(t)
	s.awaitVault(t)
	if b, err := os.ReadFile(path); err != nil || bytes.Equal(b, old) {
		t.Errorf("the old key is still in force (%v)", err)
	}
	if _, err := os.Stat(path + ".new"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the fresh key lies beside it: %v", err)
	}
	s.unseal(t)
	if got := s.opened(t, ref); got[0] != "kept" {
		t.Errorf("opened %q", got)
	}
}

// TestPairedLater: a site that is paired when the vault was unsealed for others long ago
// is one that it was never unsealed for; one whose control was lost is not.
func TestPairedLater(t *testing.T) {
	s := newSiteWith(t, keyFile)
	s.reopenGate(t)
	s.awaitVault(t)
	s.unseal(t)
	s.pair(t, south, time.Hour)
	s.unseal(t) // both
	must(t, s.admin(t, func(a Admin) error { return a.Seal(t.Context(), nil) }))
	s.unseal(t)
	s.kill()
	dir := filepath.Join(s.dir, gatesDir, "acme", "south")
	if _, err := os.Stat(filepath.Join(dir, "control.new")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the vault counts as never unsealed still: %v", err)
	}
	for _, name := range []string{"vault.key", "vault.pub"} {
		if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a site's directory holds %s: %v", name, err)
		}
	}
}

// searchGate looks for what only the machine, or only the identity file, may hold.
// TestWhoIsRefused: a gate's identity serves its own site, while it is good, at the
// machine that gave it.
func TestWhoIsRefused(t *testing.T) {
	s := newSite(t)
	s.reopenGate(t)
	s.awaitVault(t)

	// Another site's place, in whatever call.
	_, err := s.gate.Erase(t.Context(), gatehouse.EraseRequest{Place: south, ID: gatehouse.RandomID(), Subject: gatehouse.RandomID(), Operator: "gate"})
	wantCode(t, err, "vault.place")
	_, err = s.gate.Open(t.Context(), gatehouse.OpenRequest{Operator: "site/guard", Purpose: "passage",
		Refs: []gatehouse.SealedRef{{Where: gatehouse.SealContext{Place: south}, Sealed: []byte{1}}}})
	wantCode(t, err, "vault.place")

	// Paired again: the earlier identity is refused, in its next call and ever after.
	second := s.pair(t, north, time.Hour)
	_, err = s.gate.Status(t.Context())
	wantCode(t, err, "identity.revoked")
	s.identity = second
	s.reopenGate(t)
	s.awaitVault(t)
	must(t, s.admin(t, func(a Admin) error { return a.Revoke(t.Context(), north) }))
	_, err = s.gate.Status(t.Context())
	wantCode(t, err, "identity.revoked")
	wantCode(t, s.admin(t, func(a Admin) error { return a.Revoke(t.Context(), south) }), "gate.unknown")
	must(t, s.gate.Close())
	s.gate = nil

	refused := func(name, identity, reason string, change ...func(*vault.Options)) {
		t.Helper()
		v, err := s.openGate(t, identity, change...)
		must(t, err)
		defer func() { must(t, v.Close()) }()
		eventually(t, func() error {
			switch why := v.Process().Reason; {
			case why == "":
				return errors.New("not refused yet")
			case !strings.Contains(why, reason):
				t.Fatalf("%s: refused since %s", name, why)
			}
			return nil
		})
		_, err = v.Status(t.Context())
		wantCode(t, err, "vault.unavailable")
	}
	refused("a revoked one", second, "identity.revoked")
	short := s.pair(t, north, time.Millisecond)
	refused("an expired one", short, "identity.expired")
	// A gate whose clock stands still does not notice; the machine does.
	refused("an expired one, the clock set back", short, "tls: expired certificate", func(o *vault.Options) {
		o.Now = func() time.Time { return time.Now().Add(-time.Hour) }
	})
	good := s.pair(t, north, time.Hour)

	// Another machine, with an authority of its own, at the same place.
	other := newSite(t)
	refused("another machine", good, "identity.machine", func(o *vault.Options) { o.Remote.Address = other.address })
	// Its identity seals to another key: it is not even tried.
	_, err = s.openGate(t, other.identity)
	wantCode(t, err, "vault.key_changed")

	// Nobody gets in without a certificate, or with an old protocol.
	for name, c := range map[string]*tls.Config{
		"no certificate": {InsecureSkipVerify: true, NextProtos: []string{vault.Protocol}, CurvePreferences: []tls.CurveID{tls.X25519MLKEM768}},
		"TLS 1.2":        {InsecureSkipVerify: true, NextProtos: []string{vault.Protocol}, MaxVersion: tls.VersionTLS12},
		"no protocol":    {InsecureSkipVerify: true, NextProtos: []string{"h2"}},
	} {
		conn, err := tls.Dial("tcp", s.address, c)
		if err == nil {
			_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
			_, err = conn.Read(make([]byte, 1)) // with TLS 1.3 the refusal comes here
			conn.Close()
		}
		if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: let in", name)
		}
	}
}

// A gate that runs takes up the identity of a new pairing when its file is exchanged; one
// that is no good leaves it with what it has.
func TestPairedAgainWhileItRuns(t *testing.T) {
	s := newSiteWith(t, keyFile)
	var err error
	s.gate, err = s.openGate(t, s.identity, func(o *vault.Options) {
		o.Remote.Reread = func() (*vault.Identity, error) { return vault.ReadIdentity(s.identity, s.data) }
	})
	must(t, err)
	s.awaitVault(t)
	exchange := func(b []byte) {
		t.Helper()
		must(t, os.WriteFile(s.identity+".new", b, 0o600))
		must(t, os.Rename(s.identity+".new", s.identity))
	}
	exchange([]byte("no identity"))
	time.Sleep(3 * time.Second) // it looks every two seconds
	_, err = s.gate.Status(t.Context())
	must(t, err)
	second, err := os.ReadFile(s.pair(t, north, time.Hour))
	must(t, err)
	_, err = s.gate.Status(t.Context())
	wantCode(t, err, "identity.revoked")
	ref := s.seal(t, gatehouse.RandomID(), "meanwhile") // the doors go on
	exchange(second)
	s.awaitVault(t)
	s.unseal(t)
	if got := s.opened(t, ref); got[0] != "meanwhile" {
		t.Errorf("opened %q", got)
	}
}

// TestTheMachineRefuses: a gate that somebody has altered gets nothing out of the machine
// that its program would not ask for.
func TestTheMachineRefuses(t *testing.T) {
	s := newSiteWith(t, keyFile)
	b, err := os.ReadFile(s.identity)
	must(t, err)
	var id vault.Identity
	must(t, json.Unmarshal(b, &id))
	pair, err := tls.X509KeyPair([]byte(id.Certificate), []byte(id.Key.Reveal()))
	must(t, err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(id.Authority))
	d := tls.Dialer{Config: &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: roots, ServerName: vault.MachineName, NextProtos: []string{vault.Protocol}}}
	r := child.Connect(child.RemoteSpec{Name: "vault", Called: "the vault's machine", Log: quiet, Dial: func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, "tcp", s.address) }})
	t.Cleanup(r.Stop)
	must(t, r.Wait(t.Context()))
	var st vault.Status
	_, err = r.Call(t.Context(), "status", nil, nil, &st) // the control: what it may ask
	must(t, err)
	for _, method := range []string{"init", "unseal", "export", "add-slot", "split", "rotate", "rewrite", "unbundle", "budget/set", "canaries", "desk", "pair", "no-such-call", ""} {
		_, err := r.Call(t.Context(), method, nil, [][]byte{[]byte(passphrase)}, nil)
		wantCode(t, err, "vault.elsewhere")
	}
	if again, err := s.statusOf(t); err != nil || again.Unsealed {
		t.Errorf("%+v, %v", again, err)
	}
}

// statusOf asks at the machine.
// TestIdentityFile: what is wrong with it is said, and nothing of it is repeated.
func TestIdentityFile(t *testing.T) {
	s := newSite(t)
	b, err := os.ReadFile(s.identity)
	must(t, err)
	put := func(path string, b []byte, mode os.FileMode) string {
		must(t, os.WriteFile(path, b, mode))
		return path
	}
	dir := t.TempDir()
	for _, c := range []struct{ file, code string }{
		{s.identity, ""},
		{filepath.Join(dir, "none"), "identity.missing"},
		{put(filepath.Join(s.data, "inside"), b, 0o600), "identity.inside"},
		{put(filepath.Join(dir, "open"), b, 0o644), "identity.permissions"},
		{put(filepath.Join(dir, "cut"), b[:len(b)/2], 0o600), "identity.malformed"},
		{put(filepath.Join(dir, "other"), []byte(`{"version":1}`), 0o600), "identity.malformed"},
		{put(filepath.Join(dir, "later"), bytes.Replace(b, []byte(`"version": 1`), []byte(`"version": 2`), 1), 0o600), "identity.malformed"},
		{dir, "identity.failed"},
	} {
		if _, err := vault.ReadIdentity(c.file, s.data); gatehouse.ErrorCode(err) != c.code {
			t.Errorf("%s: %v, want %q", filepath.Base(c.file), err, c.code)
		}
	}
}

// TestMachineAtRest: pairing works while the machine does not serve, unsealing says
// why it does not; and what it was made with is not made again.
func TestMachineAtRest(t *testing.T) {
	s := newSite(t)
	must(t, s.admin(t, func(a Admin) error { return a.Revoke(t.Context(), north) }))
	s.kill()
	s.pair(t, south, time.Hour)
	must(t, s.admin(t, func(a Admin) error {
		list, err := a.Status(t.Context())
		if len(list) != 2 || !list[0].Revoked || list[1].Place() != south || list[1].Revoked || list[1].Serving {
			t.Errorf("paired are %+v", list)
		}
		return err
	}))
	wantCode(t, s.admin(t, func(a Admin) error {
		return a.Unseal(t.Context(), UnsealRequest{Lasts: time.Hour}, gatehouse.Credential{})
	}), "machine.not_serving")
	wantCode(t, Init(t.Context(), s.dir, s.serviceKey, gatehouse.Passphrase([]byte(passphrase))), "vault.exists")
	_, err := Open(Options{Dir: t.TempDir()})
	wantCode(t, err, "vault.missing")
	must(t, os.Rename(filepath.Join(s.dir, authorityFile), filepath.Join(s.dir, "gone")))
	must(t, os.WriteFile(filepath.Join(s.dir, authorityFile), make([]byte, 900), 0o600))
	_, err = Open(Options{Dir: s.dir})
	wantCode(t, err, "machine.damaged")
}

// Rebuilding a working set takes a grant of its own at the vault's machine, which is
// claimed once; a lease is none.
func TestRebuildingIsGrantedThere(t *testing.T) {
	s := newSite(t)
	s.reopenGate(t)
	s.awaitVault(t)
	e := gatehouse.EscrowItem{Place: north, Kind: gatehouse.CardItem, Subject: gatehouse.RandomID(), Row: gatehouse.RandomID()}
	sealed, err := s.gate.Seal(t.Context(), e.Subject, gatehouse.RecordClass, e.Context(), []byte("verifier"), gatehouse.PadField)
	must(t, err)
	refs := []gatehouse.SealedRef{{Where: e.Context(), Sealed: sealed}}
	s.unseal(t)
	lease, _, err := s.gate.Claim(t.Context())
	must(t, err)
	_, err = s.gate.Rebuild(t.Context(), "site/restore", lease, refs)
	wantCode(t, err, "vault.forbidden")
	_, _, err = s.gate.ClaimRebuild(t.Context())
	wantCode(t, err, "vault.sealed")
	must(t, s.admin(t, func(a Admin) error {
		return a.Unseal(t.Context(), UnsealRequest{Lasts: time.Hour, Rebuild: true}, s.with)
	}))
	proof, _, err := s.gate.ClaimRebuild(t.Context())
	must(t, err)
	_, _, err = s.gate.ClaimRebuild(t.Context())
	wantCode(t, err, "vault.sealed")
	if plain, err := s.gate.Rebuild(t.Context(), "site/restore", proof, refs); err != nil || string(plain[0]) != "verifier" {
		t.Errorf("%q, %v", plain, err)
	}
}
