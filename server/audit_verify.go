package server

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"
	"gatehouse/store/blob"
	"gatehouse/store/sqlite"
	"gatehouse/vault"
	"gatehouse/vault/auditlog"
)

// VerifyOptions say what to verify a site's audit log against.
type VerifyOptions struct {
	Witness  []string              // witness files, beside those of the configuration
	Deep     bool                  // read every sealed picture
	Progress func(done, all int64) // leaves; nil for nobody
}

// auditSource is the log that is verified: a running vault's, or a file.
type auditSource interface {
	AuditVerify(ctx context.Context, checks vault.AuditChecks) (vault.AuditResult, error)
	AuditCursor(ctx context.Context) (uint64, error)
	AuditGate(ctx context.Context, after uint64) ([]vault.FollowedLeaf, error)
}

// VerifyAudit recomputes a site's audit log offline: the log itself, then that the
// gate's own files hold the same leaves in the same order, and that the passages, sealed
// details and evidence there are those that the leaves commit to. What does not hold is
// in the report. Errors: store.locked while a server runs, audit.elsewhere
// where the log is on the vault's machine, keys.missing, and those of the gate key.
func VerifyAudit(ctx context.Context, c Config, o VerifyOptions) (report auditlog.Report, err error) {
	gate, unlock, err := openOffline(c)
	if err != nil {
		return report, err
	}
	defer unlock() //nolint:errcheck // a lock that is released
	v := newSiteVerifier(c, o)
	if err := v.open(ctx, c, gate); err != nil {
		return report, err
	}
	if v.store != nil {
		defer v.store.Close() // it was read only
	}
	file, err := vault.VerifyAuditFile(ctx, pathsOf(c).vault, gate, &v.early)
	if err != nil {
		return report, err
	}
	if file == nil {
		return v.close(), nil
	}
	defer file.Close() // where Inspect did not
	if err := v.verify(ctx, file, c, o); err != nil {
		return report, err
	}
	v.report.AddError(file.Inspect())
	return v.close(), nil
}

// VerifyAudit is VerifyAudit of a site that runs, while it goes on. What only a file
// that nobody has open allows is left out: the pages of the log's file that are free.
func (s *Server) VerifyAudit(ctx context.Context, o VerifyOptions) (auditlog.Report, error) {
	// Or a witness would have seen more than the state that is verified.
	s.witnessing.Lock()
	defer s.witnessing.Unlock()
	v := newSiteVerifier(s.config, o)
	v.store, v.blobs = s.store, s.blobs
	v.early.AddError(s.store.Check(ctx))
	err := v.verify(ctx, s.vault, s.config, o)
	return v.close(), err
}

func newSiteVerifier(c Config, o VerifyOptions) *siteVerifier {
	return &siteVerifier{deep: o.Deep, report: &auditlog.Report{}, roster: newRoster(), bookLeaves: newBookLeaves(), erased: map[gatehouse.SubjectID]bool{}, expired: map[gatehouse.RetentionClass]map[string]bool{},
		place: c.place()}
}

// verify verifies the log, then the gate's own files against it.
func (v *siteVerifier) verify(ctx context.Context, source auditSource, c Config, o VerifyOptions) error {
	checks := vault.AuditChecks{Progress: o.Progress}
	paths := slices.Clone(o.Witness)
	for _, w := range c.Audit.Witness {
		if w.File != "" {
			paths = append(paths, w.File)
		}
	}
	for _, path := range paths {
		if list, ok := vault.ReadWitnessFile(path, &v.early); ok {
			checks.Lists = append(checks.Lists, list)
		}
	}
	result, err := source.AuditVerify(ctx, checks)
	if err != nil {
		return err
	}
	*v.report, v.erasing, v.lost = result.Report, result.Erasing, result.Lost
	for _, r := range result.Removals {
		v.removed(r)
	}
	if v.store == nil {
		return nil
	}
	if err := v.compare(ctx, source); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		v.report.AddError(err)
	}
	return nil
}

// compare goes through the log's leaves of the gate and the gate's own, side by side.
func (v *siteVerifier) compare(ctx context.Context, source auditSource) error {
	last, err := source.AuditCursor(ctx) // the gate's files have at least what the log has now
	if err != nil {
		return err
	}
	next, stop := iter.Pull2(v.leaves(ctx))
	defer stop()
	v.next = next
	for after := uint64(0); after < last; {
		page, err := source.AuditGate(ctx, after)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, l := range page {
			if after = l.Position; after > last {
				break
			}
			v.gateLeaf(l.Position, l.Leaf)
		}
	}
	return v.finish(ctx, last)
}

// close settles the report, with what was found before the log was read.
func (v *siteVerifier) close() auditlog.Report {
	for _, f := range v.early.Findings {
		v.report.Add(f.Code, "%s", f.What)
	}
	v.report.Close()
	return *v.report
}

// errLogElsewhere says where the audit log is that this machine has none of.
func errLogElsewhere() error {
	return gatehouse.Errorf("audit.elsewhere", "start this site's server and run the same command again: it asks that machine",
		"the audit log of this site is not here: it lies with its vault on another machine, which `vault.identity` names")
}

// openOffline takes the data directory for this process and opens its gate key.
func openOffline(c Config) (gate *vault.GateKey, unlock func() error, err error) {
	p := pathsOf(c)
	if c.Vault.Elsewhere() {
		return nil, nil, errLogElsewhere()
	}
	initialized, err := Initialized(c)
	if err != nil {
		return nil, nil, err
	}
	if !initialized {
		return nil, nil, gatehouse.Errorf("keys.missing", "another configuration or --data? nothing was changed", "this site has no keys yet: %s holds no vault", p.data)
	}
	if unlock, err = sealeddb.Lock(p.data); err != nil {
		return nil, nil, err
	}
	if gate, err = vault.OpenGateKey(p.data, c.GateKey); err != nil {
		return nil, nil, errors.Join(err, unlock())
	}
	return gate, unlock, nil
}

// siteVerifier compares the gate's own files with the log.
type siteVerifier struct {
	report *auditlog.Report
	early  auditlog.Report // findings from before the log was read
	place  gatehouse.Place
	deep   bool
	store  *sqlite.Store
	blobs  *blob.Directory

	next       func() (uint64, []byte, bool) // the store's leaves
	ahead      *storeLeaf                    // the one that was taken and not compared yet
	failed     error                         // why the leaves ended early
	roster     roster                        // what the leaves say of subjects and devices
	bookLeaves bookLeaves
	found      int // passages that leaves commit to and that are there
	erased     map[gatehouse.SubjectID]bool
	erasing    bool // the log records an erasure
	lost       []vault.LostLeaves
	expired    map[gatehouse.RetentionClass]map[string]bool
}

type storeLeaf struct {
	position uint64
	leaf     []byte
}

func (v *siteVerifier) removed(r vault.Removal) {
	if !r.Subject.IsZero() {
		v.erased[r.Subject] = true
		v.erasing = true // in a restored log, from before it
		return
	}
	if v.expired[r.Class] == nil {
		v.expired[r.Class] = map[string]bool{}
	}
	v.expired[r.Class][r.Day] = true
}

// open opens the gate's files; what is damaged is a finding, and the rest is verified
// without them.
func (v *siteVerifier) open(ctx context.Context, c Config, gate *vault.GateKey) error {
	p := pathsOf(c)
	if _, err := os.Stat(filepath.Join(p.db, "site.db")); err != nil {
		v.early.Add("store.missing", "the gate's own files are not there")
		return nil
	}
	store, err := sqlite.Open(ctx, sqlite.Options{Dir: p.db, Key: func(file string) ([32]byte, error) { return gate.FileKey(filepath.Join("db", file)) }})
	if err == nil {
		if err = store.Check(ctx); err != nil {
			err = errors.Join(err, store.Close())
		}
	}
	if err != nil {
		if gatehouse.ErrorCode(err) == "store.locked" || ctx.Err() != nil {
			return err
		}
		v.early.AddError(err)
		return nil
	}
	v.store = store
	v.blobs, err = blob.Open(p.blobs)
	return err
}

// leaves are the leaves of the gate's files, in order of position.
func (v *siteVerifier) leaves(ctx context.Context) iter.Seq2[uint64, []byte] {
	stopped := errors.New("stopped")
	return func(yield func(uint64, []byte) bool) {
		err := v.store.Leaves(ctx, 0, func(position uint64, leaf []byte) error {
			if !yield(position, leaf) {
				return stopped
			}
			return nil
		})
		if !errors.Is(err, stopped) {
			v.failed = err
		}
	}
}

// peek is the next leaf of the gate's files, nil at the end.
func (v *siteVerifier) peek() *storeLeaf {
	if v.ahead == nil {
		if position, leaf, ok := v.next(); ok {
			v.ahead = &storeLeaf{position, leaf}
		}
	}
	return v.ahead
}

// gateLeaf is told of the log's next leaf of the gate's files.
func (v *siteVerifier) gateLeaf(position uint64, leaf []byte) {
	for at := v.peek(); at != nil && at.position < position; at = v.peek() {
		v.report.Add("gate.unlogged", "the gate's files hold a leaf (position %d) that the log passed over", at.position)
		v.ahead = nil
	}
	at := v.peek()
	switch {
	case at == nil || at.position > position:
		switch {
		case v.wasLost(position):
			v.report.Lost++
		case !v.mayBeGone(leaf):
			v.report.Add("gate.missing", "a leaf of the log (position %d) is not in the gate's files any more", position)
		}
		return
	case !bytes.Equal(at.leaf, leaf):
		v.report.Add("gate.altered", "the leaf at position %d is another one in the gate's files than in the log", position)
	}
	v.ahead = nil
}

// finish looks at what the log does not have yet, then at the passages and records.
func (v *siteVerifier) finish(ctx context.Context, last uint64) error {
	for at := v.peek(); at != nil; at = v.peek() {
		if at.position < last {
			v.report.Add("gate.unlogged", "the gate's files hold a leaf (position %d) that the log passed over", at.position)
		} else {
			v.report.Pending++
		}
		v.ahead = nil
	}
	if v.failed != nil {
		return v.failed
	}
	return v.contents(ctx)
}

// wasLost says whether the log tells that the gate's machine was lost with the leaf, and
// the gate restored from an older backup.
func (v *siteVerifier) wasLost(position uint64) bool {
	return slices.ContainsFunc(v.lost, func(l vault.LostLeaves) bool { return position > l.After && position <= l.Last })
}

// mayBeGone says whether a leaf of the gate's files may have gone with an expired day.
func (v *siteVerifier) mayBeGone(leaf []byte) bool {
	kind, _, parts, err := gatehouse.LeafParts(leaf)
	if err != nil || kind != gatehouse.PassageLeafKind && kind != gatehouse.OutcomeLeafKind || len(parts) < 3 || len(parts[2]) != 16 {
		return false
	}
	return v.dayExpired(gatehouse.PassageClass, gatehouse.ID(parts[2]).Time())
}

// dayExpired looks at the day before and behind, too: a day's chain goes by the time
// of sealing.
func (v *siteVerifier) dayExpired(class gatehouse.RetentionClass, at time.Time) bool {
	for _, days := range []int{0, 1, -1} {
		if v.expired[class][at.UTC().AddDate(0, 0, days).Format(time.DateOnly)] {
			return true
		}
	}
	return false
}
