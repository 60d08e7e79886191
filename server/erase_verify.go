package server

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/flow/erase"
	"gatehouse/internal/sealeddb"
	"gatehouse/store/sqlite"
	"gatehouse/vault"
)

// VerifyErasureProof checks a certificate offline, by the audit log's verifier keys in
// a file. Errors: erase.certificate, erase.key.
func VerifyErasureProof(e wire.Erasure, keyFile string) error {
	keys, err := os.ReadFile(keyFile)
	if err != nil {
		return gatehouse.Errorf("erase.key", "give the file that the auditor has kept: --key FILE", "the audit log's verifier key cannot be read")
	}
	return erase.Document(e).VerifyProof(string(keys))
}

// CheckErasure looks for what a data directory that no server uses still holds of an
// erased subject: this installation's, or a backup's that was restored.
func CheckErasure(ctx context.Context, c Config, e wire.Erasure) (found wire.ErasureFindings, err error) {
	if c.Vault.Elsewhere() {
		return found, errLogElsewhere()
	}
	p := pathsOf(c)
	if exists, err := vault.Exists(p.vault); err != nil || !exists {
		return found, gatehouse.Errorf("data.unreadable", "name the data directory with --data", "%s holds no vault", p.data)
	}
	unlock, err := sealeddb.Lock(p.data)
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	gateKey, err := vault.OpenGateKey(p.data, c.GateKey)
	if err != nil {
		return found, err
	}
	v, err := vault.Open(ctx, vault.Options{Dir: p.vault, Gate: gateKey})
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	store, err := sqlite.Open(ctx, sqlite.Options{Dir: p.db, Key: func(file string) ([32]byte, error) { return gateKey.FileKey(filepath.Join("db", file)) }})
	if err != nil {
		return found, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	list, err := erase.Document(e).Findings(ctx, erase.Copy{Store: store, Vault: v})
	return wire.ErasureFindings{Findings: append([]string{}, list...)}, err
}
