package server

import (
	"context"
	"encoding/json"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"gatehouse/api/wire"
	"gatehouse/console"
	"gatehouse/vault/auditlog"
)

// verified is a report, and of what.
type verified struct {
	auditlog.Report
	at   time.Time
	deep bool
}

// pagesAtOnce is how many of the vault's pages are asked for to fill one of the console's:
// a filter may leave nothing of many.
const pagesAtOnce = 50

// Entries implements console.Audit.
func (p pages) Entries(ctx context.Context, q console.AuditQuery) (found []console.AuditEntry, next int64, err error) {
	next = q.Before
	for range pagesAtOnce {
		page, err := p.admin().AuditEntries(ctx, wire.AuditQuery{Before: next, Kind: q.Kind, Since: q.Since, Until: q.Until, Limit: q.Limit - len(found)})
		if err != nil {
			return nil, 0, err
		}
		for _, e := range page.Entries {
			one := console.AuditEntry{Index: e.Index, At: e.At, Kind: e.Kind}
			for _, f := range e.Fields {
				one.Fields = append(one.Fields, [2]string{f.Name, f.Value})
			}
			found = append(found, one)
		}
		if next = page.Next; next == 0 || len(found) >= q.Limit {
			break
		}
	}
	return found, next, nil
}

// State implements console.Audit.
func (p pages) State(ctx context.Context) (out console.AuditState, err error) {
	if out.Checkpoint, err = p.vault.Checkpoint(ctx); err != nil {
		return out, err
	}
	// C2SP tlog-checkpoint: the second line is the number of entries.
	if lines := strings.SplitN(out.Checkpoint, "\n", 3); len(lines) == 3 {
		out.Size, _ = strconv.ParseInt(lines[1], 10, 64) // of our own
	}
	keys, err := p.vault.AuditKeys(ctx)
	if err != nil {
		return out, err
	}
	out.Keys = strings.Fields(keys.Log)
	h := p.auditHealth(ctx)
	out.Lag = h.Lag
	for i, w := range p.config.Audit.Witness {
		s := console.WitnessState{Name: filepath.Base(w.File)}
		if u, err := url.Parse(w.URL); w.URL != "" && err == nil {
			s.Name = u.Host
		}
		if i < len(h.Witnesses) {
			s.Reached = h.Witnesses[i].Reached
		}
		out.Witnesses = append(out.Witnesses, s)
	}
	state, last := p.console.verify.now()
	if out.Job = state; last != nil {
		r := last.Report
		out.Report = &console.AuditReport{OK: r.OK, At: last.at, Deep: last.deep, Size: r.Size, Root: r.Root, Checkpoints: r.Checkpoints, Unsigned: r.Unsigned, Witnessed: r.Witnessed, Disclosures: r.Disclosures,
			Removals: r.Removals, GateLeaves: r.GateLeaves, Passages: r.Passages, Gone: r.Gone, Blobs: r.Blobs, More: r.More}
		for _, f := range r.Findings {
			out.Report.Findings = append(out.Report.Findings, [2]string{f.Code, f.What})
		}
	}
	return out, nil
}

// Prove implements console.Audit.
func (p pages) Prove(ctx context.Context, what string) ([]byte, error) {
	proof, err := p.admin().AuditProve(ctx, what)
	if err != nil {
		return nil, err
	}
	return json.MarshalIndent(proof, "", "  ")
}

// Verify implements console.Audit.
func (p pages) Verify(_ context.Context, _ console.Who, deep bool) error {
	return p.console.verify.start(p.Server, "log", func(ctx context.Context, tell func(string, int64, int64)) (verified, error) {
		r, err := p.VerifyAudit(ctx, VerifyOptions{Deep: deep, Progress: func(done, all int64) {
			if done < all {
				tell("log", done, all)
			} else {
				tell("files", 0, 0)
			}
		}})
		return verified{r, time.Now(), deep}, err
	})
}

// StopVerify implements console.Audit.
func (p pages) StopVerify() { p.console.verify.stop() }
