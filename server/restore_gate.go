package server

import (
	"context"
	"io"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/flow/backup"
	"gatehouse/vault"
)

// A gate whose machine is lost, and whose vault lives on another one, is restored from a
// backup of its own half: databases, pictures, and the working set, which the vault
// rebuilds. Its key store, its erasure list and its audit log are the living ones there.
// What that needs is one grant (`gatehouse vault unseal --rebuild`), and the gate's new
// identity; no credential comes here.

// siteOperator is in whose name a gate asks a vault elsewhere for a restore: the grant
// there is the site's.
const siteOperator = "site/" + restoreOperator

// ofGate reports whether a file of a backup is the gate's own.
func ofGate(name string) bool { return strings.HasPrefix(name, "db/") }

// openBundleThere has the living vault open a bundle.
func (m *restoredSite) openBundleThere(ctx context.Context, sealed io.Reader) (backup.OpenBundle, error) {
	if err := m.openVault(ctx); err != nil {
		return nil, err
	}
	if err := m.unseal(ctx); err != nil {
		return nil, err
	}
	content, err := m.vault.OpenBundleForGate(ctx, siteOperator, m.proof, sealed)
	if err != nil {
		return nil, err
	}
	return bundleThere{m.vault, content}, nil
}

// bundleThere is a bundle of which the gate has its own part.
type bundleThere struct {
	vault   *vault.Vault
	content gatehouse.BundleContent
}

// Content implements backup.OpenBundle.
func (b bundleThere) Content() gatehouse.BundleContent { return b.content }

// ErasureList implements backup.OpenBundle with the living one, which continues that of
// every bundle.
func (b bundleThere) ErasureList(ctx context.Context) (all []gatehouse.Removal, err error) {
	const page = 1000
	for after := int64(0); ; {
		some, err := b.vault.Removals(ctx, after, page)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
		if len(some) < page {
			return all, nil
		}
		after = some[len(some)-1].N
	}
}

// Close implements backup.OpenBundle.
func (b bundleThere) Close() error {
	for name := range b.content.Files {
		b.content.Files[name] = [32]byte{}
	}
	return nil
}

// behindTheLog has what the restored gate commits from now on stand behind all that the
// living log has of it, and notes how much of that came back.
func (m *restoredSite) behindTheLog(ctx context.Context) error {
	if m.remote == nil {
		return nil
	}
	cursor, err := m.vault.AuditCursor(ctx)
	if err != nil {
		return err
	}
	if m.lastLeaf, err = m.store.LastLeaf(ctx, cursor); err != nil {
		return err
	}
	return m.store.SkipLeaves(ctx, cursor)
}

// recordRestore writes into the log that the site was restored.
func (m *restoredSite) recordRestore(ctx context.Context) error {
	if m.remote != nil {
		return m.vault.GateRestored(ctx, siteOperator, m.proof, m.backup, m.lastLeaf)
	}
	return m.vault.RecordRestore(ctx, m.backup)
}

// claimTrial takes the grant for restoring a backup beside a site whose vault is on
// another machine; nil where nobody gave one.
func (s *Server) claimTrial(ctx context.Context) ([]byte, error) {
	if !s.config.Vault.Elsewhere() {
		return nil, nil
	}
	waiting, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := s.vault.Await(waiting); err != nil {
		return nil, err
	}
	proof, _, err := s.vault.ClaimRebuild(ctx)
	if gatehouse.ErrorCode(err) == "vault.sealed" {
		return nil, nil
	}
	return proof, err
}
