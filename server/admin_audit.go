package server

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"

	"gatehouse"
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
	AuditForget(ctx context.Context, origin string) error
}

// AuditReader is what api.AuditAdmin offers of a log that nobody verifies.
type AuditReader interface {
	AuditEntries(ctx context.Context, q wire.AuditQuery) (wire.AuditPage, error)
	AuditProve(ctx context.Context, what string) (wire.AuditProof, error)
	AuditKeys(ctx context.Context) (wire.AuditKeys, error)
	AuditForget(ctx context.Context, q wire.AuditForgetRequest) (wire.AuditForgetRequest, error)
}

// auditAdmin implements AuditReader over a log.
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
	index, err := strconv.ParseInt(what, 10, 64)
	if err != nil || len(what) == len(gatehouse.ID{}.String()) { // no number, or an id of digits alone
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

// AuditForget implements api.AuditAdmin.
func (a admin) AuditForget(ctx context.Context, q wire.AuditForgetRequest) (wire.AuditForgetRequest, error) {
	return auditAdmin{a.vault}.AuditForget(ctx, q)
}

// AuditForget implements api.AuditAdmin.
func (a auditAdmin) AuditForget(ctx context.Context, q wire.AuditForgetRequest) (wire.AuditForgetRequest, error) {
	return q, a.log.AuditForget(ctx, q.Log)
}

// AuditVerify implements api.AuditAdmin.
func (a admin) AuditVerify(ctx context.Context, q wire.AuditVerifyRequest) (wire.AuditReport, error) {
	r, err := a.VerifyAudit(ctx, VerifyOptions{Witness: q.Witness, Deep: q.Deep})
	return WireReport(r), err
}

// WireReport is a report as it travels.
func WireReport(r auditlog.Report) wire.AuditReport {
	out := wire.AuditReport{OK: r.OK, Origin: r.Origin, Size: r.Size, Root: r.Root, Checkpoints: r.Checkpoints, Unsigned: r.Unsigned, Witnessed: r.Witnessed,
		Disclosures: r.Disclosures, Removals: r.Removals, GateLeaves: r.GateLeaves, Pending: r.Pending, Passages: r.Passages, Gone: r.Gone, Blobs: r.Blobs,
		Findings: []wire.AuditFinding{}, More: r.More}
	for _, f := range r.Findings {
		out.Findings = append(out.Findings, wire.AuditFinding(f))
	}
	return out
}

// OpenAudit opens a site's audit log without a server, for its administrator. done must
// be called. Errors: store.locked while a server runs, keys.missing, and those of the
// gate key and the vault's files.
func OpenAudit(ctx context.Context, c Config) (_ AuditReader, done func(), err error) {
	gate, unlock, err := openOffline(c)
	if err != nil {
		return nil, nil, err
	}
	file, err := vault.OpenAuditFile(ctx, pathsOf(c).vault, gate)
	if err != nil {
		return nil, nil, errors.Join(err, unlock())
	}
	place := c.place()
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
