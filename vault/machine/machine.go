// Package machine runs vault processes for gates elsewhere: a machine of its own
// holds the private key, the key stores and the audit logs, and the gates reach it
// over mutual TLS (`gatehouse vault …`). A gate's server then holds no key that opens
// the archive, and neither do its disks.
//
// The machine's directory:
//
//	vault.key, vault.pub   the vault's key pair, as on a site with a vault of its own
//	machine.json           where the service key is
//	authority(.key)        the machine's certificate authority, encrypted
//	gates.json             which gates are paired
//	control.new            says of a site that is paired later that its vault was never unsealed
//	gates/ORG/SITE/        the files of one site's vault process
//	vault.sock             for `gatehouse vault unseal` and its like, on this machine
//
// The service key lies outside of it. It is to the machine what the gate key is to a
// site: it wraps the keys of the files. Every paired site has a vault process of its
// own: a gate can crash only that, and it holds no other site's chains. This process
// speaks TLS, judges what a gate may ask (policy.go) and passes it on; it has the
// proofs of leases and never the private key.
package machine

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"
	"gatehouse/vault"
)

const (
	settingsFile  = "machine.json"
	authorityFile = "authority"
	gatesFile     = "gates.json"
	gatesDir      = "gates"
	socketFile    = "vault.sock"
)

// settings are what the machine's commands need to know.
type settings struct {
	Version    int    `json:"version"`     // 1
	ServiceKey string `json:"service_key"` // the file that holds it
}

// Init makes a vault for gates elsewhere in dir: service key, certificate authority,
// and last the vault's key pair, which with opens, with which the machine exists. One
// that was interrupted can be repeated. Errors: vault.exists, those of vault.InitWith and
// vault.CreateGateKey, machine.failed.
func Init(ctx context.Context, dir, serviceKey string, with gatehouse.Credential) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return failed(err)
	}
	switch exists, err := vault.Exists(dir); {
	case err != nil:
		return failed(err)
	case exists:
		return gatehouse.Errorf("vault.exists", "use it, or name another directory", "there is a vault in this directory already")
	}
	if serviceKey, err = filepath.Abs(serviceKey); err != nil {
		return failed(err)
	}
	for _, d := range []string{dir, filepath.Dir(serviceKey)} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return failed(err)
		}
	}
	if err := vault.CreateGateKey(dir, serviceKey); err != nil && gatehouse.ErrorCode(err) != "gatekey.exists" {
		return err
	}
	key, err := vault.OpenGateKey(dir, serviceKey)
	if err != nil {
		return err
	}
	if _, err := openAuthority(dir, key, time.Now()); err != nil {
		return err
	}
	if err := writeJSON(filepath.Join(dir, settingsFile), settings{Version: 1, ServiceKey: serviceKey}); err != nil {
		return err
	}
	return vault.InitWith(ctx, dir, with, "")
}

func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err == nil {
		err = vault.WriteDurably(path, append(b, '\n'), true)
	}
	if err != nil {
		return failed(err)
	}
	return nil
}

func failed(err error) error {
	return gatehouse.Errorf("machine.failed", "check that the vault's directory can be read and written and has space", "the vault's directory cannot be used: %w", err)
}

// Options say how to open a machine.
type Options struct {
	Dir  string
	Exec []string         // the vault processes' command line, see vault.Options
	Log  *slog.Logger     // nil: slog.Default()
	Now  func() time.Time // nil: time.Now
}

// Machine is the vault's machine. Its methods are safe for concurrent use.
type Machine struct {
	o         Options
	key       *vault.GateKey
	authority *authority
	release   func() error

	pairing sync.Mutex // a site is paired, or a rotation of the key published or finished

	mu      sync.Mutex
	public  string // vault.pub
	gates   []Gate
	running map[gatehouse.Place]*running
	closed  bool
}

// running is one site's vault process and what belongs to it.
type running struct {
	opening sync.Mutex
	vault   atomic.Pointer[vault.Vault] // nil until it was opened

	rewriting sync.Mutex

	mu    sync.Mutex
	proof []byte // of the lease that was granted here; nil for none
	until time.Time

	rebuild      []byte // the proof for a rebuilding; nil once it was claimed
	rebuildUntil time.Time
}

// Open takes the machine's directory for this process. Errors: vault.missing,
// store.locked, those of vault.OpenGateKey, machine.damaged, machine.failed.
func Open(o Options) (_ *Machine, err error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Dir, err = filepath.Abs(o.Dir); err != nil {
		return nil, failed(err)
	}
	exists, err := vault.Exists(o.Dir)
	if err != nil {
		return nil, failed(err)
	}
	var s settings
	if err := readJSON(filepath.Join(o.Dir, settingsFile), &s); err != nil {
		return nil, err
	}
	if !exists || s.Version != 1 {
		return nil, gatehouse.Errorf("vault.missing", "run `gatehouse vault init` first, or restore the directory from its copy", "there is no vault for gates elsewhere in this directory")
	}
	public, err := os.ReadFile(filepath.Join(o.Dir, "vault.pub"))
	if err != nil {
		return nil, failed(err)
	}
	m := &Machine{o: o, public: string(public), running: map[gatehouse.Place]*running{}}
	if m.release, err = sealeddb.Lock(o.Dir); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, m.release())
		}
	}()
	if m.key, err = vault.OpenGateKey(o.Dir, s.ServiceKey); err != nil {
		return nil, err
	}
	// A vault process that was killed with this one may have been rewriting a file.
	if err = m.key.SettleFileKeys(); err != nil {
		return nil, err
	}
	if m.authority, err = openAuthority(o.Dir, m.key, o.Now()); err != nil {
		return nil, err
	}
	if err = readJSON(filepath.Join(o.Dir, gatesFile), &m.gates); err != nil {
		return nil, err
	}
	return m, nil
}

// readJSON leaves v as it is where there is no file. Errors: machine.damaged,
// machine.failed.
func readJSON(path string, v any) error {
	b, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return failed(err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		return gatehouse.Errorf("machine.damaged", "restore it from its copy", "%s cannot be read", filepath.Base(path))
	}
	return nil
}

// Close ends the vault processes and gives the directory free.
func (m *Machine) Close() error {
	m.mu.Lock()
	m.closed = true
	all := m.running
	m.running = map[gatehouse.Place]*running{}
	m.mu.Unlock()
	var err error
	for _, r := range all {
		r.opening.Lock() // whoever opens one now finishes first, and nobody begins
		if v := r.vault.Load(); v != nil {
			err = errors.Join(err, v.Close())
		}
		r.opening.Unlock()
	}
	return errors.Join(err, m.release())
}

// process returns a site's vault process, started where it does not run. A site whose
// files are damaged is in nobody else's way. Errors: gate.unknown, vault.unavailable,
// and those of vault.Open.
func (m *Machine) process(ctx context.Context, place gatehouse.Place) (*running, error) {
	m.mu.Lock()
	r, known := m.running[place], m.find(place) != nil
	if r == nil && known && !m.closed {
		r = &running{}
		m.running[place] = r
	}
	m.mu.Unlock()
	switch {
	case !known:
		return nil, unknownGate(place)
	case r == nil:
		return nil, errStopping()
	case r.vault.Load() != nil:
		return r, nil
	}
	r.opening.Lock()
	defer r.opening.Unlock()
	if r.vault.Load() != nil {
		return r, nil
	}
	if m.isClosed() {
		return nil, errStopping()
	}
	if err := m.prepare(place); err != nil {
		return nil, err
	}
	v, err := vault.Open(ctx, vault.Options{Dir: m.dirOf(place), Keys: m.o.Dir, Place: place, Gate: m.key, Exec: m.o.Exec, Log: m.o.Log.With("org", place.Org, "site", place.Site)})
	if err != nil {
		return nil, err
	}
	r.vault.Store(v)
	return r, nil
}

func (m *Machine) isClosed() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.closed
}

func errStopping() error {
	return gatehouse.Errorf("vault.unavailable", "the program is ending", "the vault's machine is stopping")
}

func (m *Machine) dirOf(place gatehouse.Place) string {
	return filepath.Join(m.o.Dir, gatesDir, string(place.Org), string(place.Site))
}

// prepare makes a site's directory.
func (m *Machine) prepare(place gatehouse.Place) error {
	dir := m.dirOf(place)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return failed(err)
	}
	return vault.ShareGenesis(m.o.Dir, dir)
}
