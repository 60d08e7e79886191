package server

import (
	"context"
	"os"
	"path/filepath"

	"gatehouse"
	"gatehouse/internal/sealeddb"
	"gatehouse/vault"
	"gatehouse/vault/shares"
)

// newCredential is what opens the vault that a first start makes.
func (o Options) newCredential() gatehouse.Credential {
	if o.NewCredential.IsZero() && len(o.NewPassphrase) > 0 {
		return gatehouse.Passphrase(o.NewPassphrase)
	}
	return o.NewCredential
}

// makeGateKey makes the gate key, unless a first start that was interrupted did, or
// somebody else makes it (systemd).
func (s *Server) makeGateKey(p paths) error {
	source := vault.ParseGateSource(s.config.GateKey)
	there, err := source.Exists(p.data)
	if gatehouse.ErrorCode(err) == "" && err != nil {
		err = gatehouse.Errorf("gatekey.failed", "check `gate_key` in gatehouse.yml", "the gate key cannot be looked for: %w", err)
	}
	if err != nil || there {
		return err
	}
	if source.IsFile() {
		if err := os.MkdirAll(filepath.Dir(s.config.GateKey), 0o700); err != nil {
			return gatehouse.Errorf("gatekey.failed", "check `gate_key` in gatehouse.yml", "the gate key's directory cannot be made: %w", err)
		}
	}
	return vault.CreateGateKey(p.data, s.config.GateKey)
}

// logCustody says at the start how the gate key is kept.
func (s *Server) logCustody() {
	custody := s.gateKey.Custody()
	if custody == vault.CustodySameDisk {
		s.log.Warn("the gate key lies on the disk of the data", "custody", string(custody), "means", custody.Means())
		return
	}
	s.log.Info("the gate key was opened", "custody", string(custody), "means", custody.Means())
}

// errKeysElsewhere keeps a vault's private key off the gate of a vault elsewhere.
func errKeysElsewhere() error {
	return gatehouse.Errorf("vault.elsewhere", "run it on the vault's machine; its keys and what opens them belong nowhere else", "this site's vault is on another machine")
}

// RecoverVault combines shares of the vault key and gives it a new slot, which c opens;
// no keyring has to be there. It works on the files, so that neither a lost keyring nor
// the server stands in the way. Errors: vault.Recover's.
func RecoverVault(ctx context.Context, c Config, all []shares.Share, with gatehouse.Credential, label string) (name string, err error) {
	if c.Vault.Elsewhere() {
		return "", errKeysElsewhere()
	}
	return vault.Recover(ctx, pathsOf(c).vault, all, with, label)
}

// ImportKeyring puts back what `gatehouse keys export` wrote, where the keyring is lost
// and no server runs. Errors: vault.ImportKeyring's, store.locked.
func ImportKeyring(c Config, bundle []byte) (name string, err error) {
	if c.Vault.Elsewhere() {
		return "", errKeysElsewhere()
	}
	p := pathsOf(c)
	if err := p.create(); err != nil {
		return "", gatehouse.Errorf("data.unwritable", "check `data` in gatehouse.yml and its permissions", "the data directory cannot be made: %w", err)
	}
	unlock, err := sealeddb.Lock(p.data)
	if err != nil {
		return "", err
	}
	defer unlock() //nolint:errcheck // nothing was written under it that a failure would lose
	return vault.ImportKeyring(p.vault, bundle)
}
