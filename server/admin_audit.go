package server

import (
	"context"
	"errors"
	"os"
	"strings"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
	"gatehouse/vault"
	"gatehouse/vault/auditlog"
)

// auditLog is the log of a running vault, or of a vault that nobody has open.
type auditLog interface {
	AuditLeaves(ctx context.Context, q vault.LeafQuery) ([]vault.NumberedLeaf, int64, error)
	FindLeaf(ctx context.Context, id gatehouse.ID) (int64, error)
	Prove(ctx context.Context, index int64) (auditlog.Proof, error)
	AuditKeys(ctx context.Context) (vault.AuditKeys, error)
}

// auditAdmin implements api.AuditAdmin over a log.
type auditAdmin struct{ log auditLog }

// AuditEntries implements api.AuditAdmin.
func (a admin) AuditEntries(ctx context.Context, q wire.AuditQuery) (wire.AuditPage, error) {
	return auditAdmin{a.vault}.AuditEntries(ctx, q)
}

// AuditProve implements api.AuditAdmin.
func (a admin) AuditProve(ctx context.Context, what string) (wire.AuditProof, error) {
	return auditAdmin{a.vault}.AuditProve(ctx, what)
}

// AuditKeys implements api.AuditAdmin.
func (a admin) AuditKeys(ctx context.Context) (wire.AuditKeys, error) {
	return auditAdmin{a.vault}.AuditKeys(ctx)
}

// AuditEntries implements api.AuditAdmin.
func (a auditAdmin) AuditEntries(ctx context.Context, q wire.AuditQuery) (wire.AuditPage, error) {
	leaves, next, err := a.log.AuditLeaves(ctx, vault.LeafQuery{Before: q.Before, Kind: q.Kind, Since: q.Since, Until: q.Until, Limit: q.Limit})
	page := wire.AuditPage{Next: next}
	for _, l := range leaves {
		e, err := auditlog.Describe(l.Leaf)
		if err != nil {
			return page, err
		}
		entry := wire.AuditEntry{Index: l.Index, At: e.At, Kind: e.Kind}
		for _, f := range e.Fields {
			entry.Fields = append(entry.Fields, wire.AuditField(f))
		}
		page.Entries = append(page.Entries, entry)
	}
	return page, err
}

// AuditProve implements api.AuditAdmin.
func (a auditAdmin) AuditProve(ctx context.Context, what string) (wire.AuditProof, error) {
	index, ok := vault.ParseLeafNumber(what)
	if !ok {
		id, err := gatehouse.ParseID(what)
		if err != nil {
			return wire.AuditProof{}, err
		}
		if index, err = a.log.FindLeaf(ctx, id); err != nil {
			return wire.AuditProof{}, err
		}
	}
	p, err := a.log.Prove(ctx, index)
	return wire.AuditProof(p), err
}

// AuditKeys implements api.AuditAdmin.
func (a auditAdmin) AuditKeys(ctx context.Context) (wire.AuditKeys, error) {
	keys, err := a.log.AuditKeys(ctx)
	return wire.AuditKeys{Log: strings.Fields(keys.Log), Witness: keys.Witness}, err
}

// OpenAudit opens a site's audit log without a server, for its administrator. done must
// be called. Errors: store.locked while a server runs, keys.missing, and those of the
// gate key and the vault's files.
func OpenAudit(ctx context.Context, c Config) (_ api.AuditAdmin, done func(), err error) {
	gate, unlock, err := openOffline(c)
	if err != nil {
		return nil, nil, err
	}
	file, err := vault.OpenAuditFile(ctx, pathsOf(c).vault, gate)
	if err != nil {
		return nil, nil, errors.Join(err, unlock())
	}
	place := gatehouse.Place{Org: gatehouse.OrgID(c.Organization), Site: gatehouse.SiteID(c.Site.ID)}
	if err := file.Begin(ctx, place); err != nil {
		return nil, nil, errors.Join(err, file.Close(), unlock())
	}
	return auditAdmin{file}, func() { _, _ = file.Close(), unlock() }, nil
}

// VerifyProof checks a proof with the log's verifier key, one or more a line; vkey ""
// takes the key that lies in the site's data directory. It needs no key and no database,
// and returns what the proof's entry says.
func VerifyProof(c Config, vkey string, p wire.AuditProof) (wire.AuditEntry, error) {
	if vkey == "" {
		b, err := os.ReadFile(vault.VerifierKeyPath(pathsOf(c).vault))
		if err != nil {
			return wire.AuditEntry{}, gatehouse.Errorf("audit.key", "give the log's key with --key, as `gatehouse audit key` prints it", "the log's verifier key is not in the data directory: %w", err)
		}
		vkey = string(b)
	}
	if err := auditlog.Verify(vkey, auditlog.Proof(p), nil); err != nil {
		return wire.AuditEntry{}, err
	}
	e, err := auditlog.Describe(p.Leaf)
	entry := wire.AuditEntry{Index: p.Index, At: e.At, Kind: e.Kind}
	for _, f := range e.Fields {
		entry.Fields = append(entry.Fields, wire.AuditField(f))
	}
	return entry, err
}
