// Package vault seals what Gatehouse keeps and opens it again, in two halves that
// do not trust each other.
//
// The gate's half (Vault, GateKey) runs in the server. It seals the archive under
// chains whose seeds it has forgotten, so that it cannot read what it wrote a
// moment ago; it seals and opens the working set under the gate key.
//
// The other half (RunChild) is a process of its own: the vault process. It holds
// the key store, the disclosure log and, while a person has unsealed it with the
// vault's passphrase, the private key, which is in no other process. Its one call
// that releases anything is Open, and that is written into the disclosure log
// first.
//
// Life of a value: Seal takes the next secret of the subject's chain and of the
// day's chain (live.go, chain.go), derives a key from both, and writes an envelope
// (envelope.go) that opens only at the place it was sealed for. Each chain began
// with a random seed that was sealed to the vault's public key and made durable in
// the key store (append.go, keystore.go) before its first item. Open finds the two
// rows, opens their seeds, walks to the positions that the envelope names and
// opens it (open.go). Where a row has been deleted, nobody can any more.
package vault

import (
	"context"
	"crypto/hpke"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/vault/budget"
	"gatehouse/vault/custody"
)

// Options say how to open a vault.
type Options struct {
	Dir string // the vault's own directory, inside the data directory
	// Keys is the directory of vault.key and vault.pub; empty for Dir. Several sites' vault
	// processes on one machine share a key pair.
	Keys string
	// Place goes into the audit log's name when it is begun.
	Place gatehouse.Place
	Gate  *GateKey // gives the keys of the vault's database files
	// Exec is the vault process's command line; empty for this executable with the
	// argument "__vault", whose command must call RunChild.
	Exec []string
	// Remote, if set, names the machine that the vault process runs on instead. Then
	// Dir holds its public key and the spool, and no private key.
	Remote *Remote
	Log    *slog.Logger     // nil: slog.Default()
	Now    func() time.Time // nil: time.Now; decides days and months
	// MaxLive bounds the chains that are live in memory (about 300 bytes each).
	// 0: 16,384.
	MaxLive int
	// Limits bound the budgets from above; 0 bounds nothing. What somebody set with
	// the vault's passphrase is never raised by them.
	Limits budget.Limits
}

// Vault is the gate's half. It is safe for concurrent use.
type Vault struct {
	Desk
	dir       string // absolute
	gate      *GateKey
	process   process
	remote    *remoteProcess // nil where the vault process is a child
	sealsTo   atomic.Pointer[recipient]
	now       func() time.Time
	appends   *appender
	live      *liveChains
	strangers *oneOffs
	closing   sync.Once
}

// recipient is the public key that new chains are sealed to; a rotation changes it.
type recipient struct {
	key  hpke.PublicKey
	name string
}

func (v *Vault) sealTo(key hpke.PublicKey) { v.sealsTo.Store(&recipient{key, publicKeyName(key)}) }

// Open starts the vault process of the vault in o.Dir, sealed, or begins to connect to
// the one on another machine. ctx bounds the start only. Errors: vault.missing (Init was not called or not finished, or vault.key is lost), vault.key_damaged,
// vault.key_changed, vault.unavailable, store.locked (another server uses it), and
// those of FileKey and of opening a database; with o.Remote vault.local.
func Open(ctx context.Context, o Options) (*Vault, error) {
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, gatehouse.Errorf("vault.failed", "name its directory by its full path", "the vault's directory cannot be found: %w", err)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.MaxLive <= 0 {
		o.MaxLive = 16 << 10
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	v := &Vault{dir: dir, gate: o.Gate, now: o.Now}
	save := v.sendRows
	if o.Remote != nil {
		err = openRemote(ctx, v, dir, o)
	} else {
		err = openChild(ctx, v, dir, o)
	}
	if err != nil {
		return nil, err
	}
	v.Desk = NewDesk(v.process.Call)
	if v.remote != nil {
		save = v.remote.save
	}
	v.appends = newAppender(save)
	v.live = newLiveChains(o.MaxLive, v.createChain)
	v.strangers = newOneOffs(v.createOneOffs)
	return v, nil
}

// openChild starts the vault process on this machine.
func openChild(ctx context.Context, v *Vault, dir string, o Options) error {
	// Sealing needs the public key alone. What would be sealed to a key whose other
	// half never was, or is lost, could not be opened by anybody.
	keys, err := o.keysDir(dir)
	if err != nil {
		return err
	}
	if err := present(keys); err != nil {
		return err
	}
	public, err := readPublicKey(keys)
	if err != nil {
		return err
	}
	v.sealTo(public)
	started, err := child.Start(ctx, child.Spec{Name: "vault", Exec: o.Exec, Log: o.Log, MaxFrame: maxMessage,
		// A traceback prints arguments, and some of them are keys.
		Env:  append([]string{"GOTRACEBACK=none"}, custody.Environ()...),
		Init: func(ctx context.Context, call child.CallFunc) error { return sendFiles(ctx, call, dir, o) }})
	if err != nil {
		return err
	}
	v.process = started
	return nil
}

// keysDir is the directory of the key pair, absolute.
func (o Options) keysDir(dir string) (string, error) {
	if o.Keys == "" {
		return dir, nil
	}
	keys, err := filepath.Abs(o.Keys)
	if err != nil {
		return "", gatehouse.Errorf("vault.failed", "name it by its full path", "the directory of the vault's keys cannot be found: %w", err)
	}
	return keys, nil
}

// databases are the vault process's encrypted files whose keys the gate unwraps for it.
var databases = []string{keyStoreFile, auditFile}

// sendFiles is the vault process's first message, after every start: where its
// files are, and their keys.
func sendFiles(ctx context.Context, call child.CallFunc, dir string, o Options) error {
	keys := make([][]byte, 0, len(databases))
	for _, file := range databases {
		key, err := o.Gate.FileKey(filepath.Join(dir, file))
		if err != nil {
			return err
		}
		keys = append(keys, key[:])
	}
	pair, err := o.keysDir(dir)
	if err != nil {
		return err
	}
	_, err = call(ctx, methodInit, initRequest{Dir: dir, Keys: pair, Files: databases, Place: o.Place, Limits: o.Limits}, keys, nil)
	for _, key := range keys {
		clear(key)
	}
	return err
}

// sendRows makes rows durable in the key store, over a restart of the vault
// process if need be: a row that arrived already is not written twice.
func (v *Vault) sendRows(ctx context.Context, rows []chainRow) error {
	blobs := attachments(rows)
	for {
		_, err := v.process.Call(ctx, methodAppend, rows, blobs, nil)
		if err == nil {
			return nil
		}
		if gatehouse.ErrorCode(err) != "vault.unavailable" || v.process.Wait(ctx) != nil {
			return unavailable(err)
		}
	}
}

// attachments are what does not travel in the rows' JSON.
func attachments(rows []chainRow) [][]byte {
	blobs := make([][]byte, 0, 2*len(rows))
	for i := range rows {
		blobs = append(blobs, rows[i].Enc, rows[i].Sealed)
	}
	return blobs
}

// Close ends the vault process. What was sealed stays sealed. Its error is always nil.
func (v *Vault) Close() error {
	v.closing.Do(func() {
		v.strangers.close()
		v.live.close()
		v.appends.close()
		v.process.Stop()
	})
	return nil
}

// Process reports on the vault process.
func (v *Vault) Process() child.Status { return v.process.Status() }
