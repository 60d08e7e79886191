package server

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/flow/erase"
)

// Erase implements api.Admin.
func (a admin) Erase(ctx context.Context, r wire.EraseRequest) (wire.Erasure, error) {
	doc, err := a.eraseFor(ctx, a.asker(ctx), gatehouse.ID{}, r.Subject, r.Reason, r.Money)
	return wire.Erasure(doc), err
}

// Erasing implements api.Admin.
func (a admin) Erasing(ctx context.Context) (wire.ErasingResponse, error) {
	all, err := a.erase.Open(ctx)
	out := wire.ErasingResponse{Erasing: []wire.Erasing{}}
	for _, p := range all {
		out.Erasing = append(out.Erasing, wire.Erasing{ID: p.ID, Stage: string(p.Stage), Pictures: p.Pictures, Unlinked: p.Unlinked})
	}
	return out, err
}

// Erasure implements api.Admin.
func (a admin) Erasure(ctx context.Context, id gatehouse.ID) (wire.Erasure, error) {
	doc, err := a.erase.Certificate(ctx, id)
	return wire.Erasure(doc), err
}

// CheckErasure implements api.Admin.
func (a admin) CheckErasure(ctx context.Context, e wire.Erasure) (wire.ErasureFindings, error) {
	findings, err := erase.Document(e).Findings(ctx, erase.Copy{Store: a.store, Vault: a.vault})
	return wire.ErasureFindings{Findings: append([]string{}, findings...)}, err
}

// AddHold implements api.Admin. It may be repeated, which holds what came since.
func (a admin) AddHold(ctx context.Context, r wire.HoldRequest) (wire.Hold, error) {
	operator, proof, err := a.lease()
	if err != nil {
		return wire.Hold{}, err
	}
	h := gatehouse.Hold{Place: a.site.Place, ID: gatehouse.NewID(time.Now()), Subject: r.Subject, Day: r.Day, Operator: operator, Until: r.Until}
	if err := a.vault.Hold(ctx, h, r.Reason, proof); err != nil {
		return wire.Hold{}, err
	}
	if !h.Subject.IsZero() {
		if h.Items, err = a.holdItems(ctx, h, operator, proof); err != nil {
			return wire.Hold{}, unfinishedHold(h, err)
		}
	}
	return holdOf(h), nil
}

// unfinishedHold says of a hold that it is in force, so that nobody takes it for refused:
// whom it is on cannot be erased, but what was not reached expires in its time.
func unfinishedHold(h gatehouse.Hold, cause error) error {
	return gatehouse.Errorf("hold.unfinished", fmt.Sprintf("run `gatehouse hold extend %s --until %s` while the vault is unsealed: it keeps the rest", h.ID, h.Until.Format(time.DateOnly)),
		"the hold %s is in force, but does not keep everything yet: %w", h.ID, cause)
}

// lease is the proof of whoever has unsealed the vault.
func (a admin) lease() (operator string, proof []byte, err error) {
	if operator, proof, _ = a.lend.Lease(a.operator); proof == nil {
		return "", nil, gatehouse.Errorf("vault.sealed", "run `gatehouse unseal` first", "the vault is sealed, and this needs its key")
	}
	return operator, proof, nil
}

// holdBatch is how many sealed values are named to the vault at once.
const holdBatch = 2000

// holdItems names all that is sealed for the subject to the vault, which keeps the keys.
func (a admin) holdItems(ctx context.Context, h gatehouse.Hold, operator string, proof []byte) (items int, err error) {
	var sealed [][]byte
	flush := func() error {
		if len(sealed) == 0 {
			return nil
		}
		items, err = a.vault.HoldItems(ctx, h.Place, h.ID, operator, proof, sealed)
		sealed = sealed[:0]
		return err
	}
	err = a.store.SubjectContent(ctx, h.Place, h.Subject, func(detail []byte, pictures []gatehouse.BlobID) error {
		sealed = append(sealed, detail)
		for _, id := range pictures {
			b, err := a.blobs.Blob(ctx, id)
			if gatehouse.ErrorCode(err) == "store.not_found" {
				continue
			}
			if err != nil {
				return err
			}
			sealed = append(sealed, b[:min(len(b), headOfSealed)])
		}
		if len(sealed) < holdBatch {
			return nil
		}
		return flush()
	})
	if err != nil {
		return items, err
	}
	return items, flush()
}

// headOfSealed is more than what says which keys a sealed value is under.
const headOfSealed = 256

func holdOf(h gatehouse.Hold) wire.Hold {
	return wire.Hold{ID: h.ID, Subject: h.Subject, Day: h.Day, Operator: h.Operator, Made: h.Made, Until: h.Until, Items: h.Items}
}

// Holds implements api.Admin.
func (a admin) Holds(ctx context.Context) (wire.HoldsResponse, error) {
	list, err := a.vault.Holds(ctx, a.site.Place)
	out := wire.HoldsResponse{Holds: []wire.Hold{}}
	for _, h := range list {
		out.Holds = append(out.Holds, holdOf(h))
	}
	return out, err
}

// ExtendHold implements api.Admin: it holds what came since as well.
func (a admin) ExtendHold(ctx context.Context, id gatehouse.ID, r wire.HoldEndRequest) (wire.HoldsResponse, error) {
	operator, proof, err := a.lease()
	if err != nil {
		return wire.HoldsResponse{}, err
	}
	if err := a.vault.HoldUntil(ctx, a.site.Place, id, operator, proof, r.Until); err != nil {
		return wire.HoldsResponse{}, err
	}
	list, err := a.vault.Holds(ctx, a.site.Place)
	if err != nil {
		return wire.HoldsResponse{}, err
	}
	for _, h := range list {
		if h.ID == id && !h.Subject.IsZero() {
			if _, err := a.holdItems(ctx, h, operator, proof); err != nil {
				return wire.HoldsResponse{}, unfinishedHold(h, err)
			}
		}
	}
	return a.Holds(ctx)
}

// LiftHold implements api.Admin.
func (a admin) LiftHold(ctx context.Context, id gatehouse.ID) (wire.HoldsResponse, error) {
	operator, proof, err := a.lease()
	if err != nil {
		return wire.HoldsResponse{}, err
	}
	if err := a.vault.LiftHold(ctx, a.site.Place, id, operator, proof); err != nil {
		return wire.HoldsResponse{}, err
	}
	return a.Holds(ctx)
}

// Retention implements api.Admin.
func (a admin) Retention(ctx context.Context) (wire.Retention, error) {
	c := a.current().Retention
	out := wire.Retention{PassageDays: c.PassageDays, FrameDays: c.FrameDays, StrangerDays: c.StrangerDays, RecordDays: c.RecordDays, MetadataDays: c.MetadataDays}
	a.mu.Lock()
	if !a.retained.IsZero() {
		last := a.retained.UTC()
		out.LastRun = &last
	}
	a.mu.Unlock()
	days, err := a.vault.Days(ctx, a.site.Place)
	for _, d := range days {
		day := d.Day.Format(time.DateOnly)
		if d.Class != gatehouse.RecordClass && d.Class != gatehouse.PayClass && (out.OldestDay == "" || day < out.OldestDay) {
			out.OldestDay = day
		}
	}
	return out, err
}

// RunRetention implements api.Admin.
func (a admin) RunRetention(ctx context.Context) (wire.RetentionReport, error) {
	r, err := a.runRetention(ctx)
	return wire.RetentionReport(r), err
}

// Databases implements api.Admin.
func (a admin) Databases(ctx context.Context) (wire.DatabasesResponse, error) {
	list, err := a.databases(ctx)
	return wire.DatabasesResponse{Databases: list}, err
}

// RewriteDatabase implements api.Admin.
func (a admin) RewriteDatabase(ctx context.Context, r wire.RewriteRequest) (wire.Rewritten, error) {
	began := time.Now()
	held, err := a.rewrite(ctx, r.File)
	if err == nil {
		err = a.vault.NoteKey(context.WithoutCancel(ctx), "file rekeyed", strings.NewReplacer("/", "-", ".", "-").Replace(r.File))
	}
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return wire.Rewritten{File: r.File, MS: ms(time.Since(began)), HeldMS: ms(held)}, err
}
