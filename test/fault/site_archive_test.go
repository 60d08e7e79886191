package fault_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/flow/release"
	"gatehouse/internal/sealeddb"
	"gatehouse/server"
	"gatehouse/store/blob"
	"gatehouse/store/sqlite"
	"gatehouse/vault"
)

type archive struct {
	place gatehouse.Place
	store *sqlite.Store
	blobs *blob.Directory
	vault *vault.Vault
	proof []byte
	close func()
}

func openArchive(ctx context.Context, c server.Config, key []byte, log io.Writer) (_ *archive, err error) {
	unlock, err := sealeddb.Lock(c.Data)
	if err != nil {
		return nil, err
	}
	undo := []func() error{unlock}
	a := &archive{place: gatehouse.Place{Org: gatehouse.OrgID(c.Organization), Site: gatehouse.SiteID(c.Site.ID)}, close: func() {
		for _, f := range slices.Backward(undo) {
			_ = f()
		}
	}}
	defer func() {
		if err != nil {
			a.close()
		}
	}()
	gate, err := vault.OpenGateKey(c.Data, c.GateKey)
	if err != nil {
		return nil, err
	}
	if a.store, err = sqlite.Open(ctx, sqlite.Options{Dir: filepath.Join(c.Data, "db"), Key: func(file string) ([32]byte, error) { return gate.FileKey(filepath.Join("db", file)) }}); err != nil {
		return nil, err
	}
	undo = append(undo, a.store.Close)
	if a.blobs, err = blob.Open(filepath.Join(c.Data, "blobs")); err != nil {
		return nil, err
	}
	if a.vault, err = vault.Open(ctx, vault.Options{Dir: filepath.Join(c.Data, "vault"), Place: a.place, Gate: gate, Log: slog.New(slog.NewTextHandler(log, nil))}); err != nil {
		return nil, err
	}
	undo = append(undo, a.vault.Close)
	with := gatehouse.Credential{Kind: gatehouse.FileCredential, Secret: slices.Clone(key)}
	a.proof, _, err = a.vault.UnsealWith(ctx, "check", with, time.Hour)
	return a, err
}

func (a *archive) refs(ctx context.Context, subjects []gatehouse.SubjectID, passages []gatehouse.ID, fields ...string) ([]gatehouse.SealedRef, error) {
	ports := release.Ports{Place: a.place, Subjects: a.store, Passages: a.store, Blobs: a.blobs}
	items, err := ports.Plan(ctx, subjects, passages, fields)
	if err != nil {
		return nil, err
	}
	refs := make([]gatehouse.SealedRef, len(items))
	for i, it := range items {
		sealed, err := ports.Sealed(ctx, it)
		if err != nil {
			return nil, err
		}
		refs[i] = gatehouse.SealedRef{Where: gatehouse.SealContext{Place: a.place, Table: it.Table, Row: it.Row, Field: it.Field}, Sealed: sealed}
	}
	return refs, nil
}

func (a *archive) open(ctx context.Context, operator string, refs []gatehouse.SealedRef) ([][]byte, error) {
	return a.vault.Open(ctx, gatehouse.OpenRequest{Operator: operator, Proof: a.proof, Purpose: "drill", Reason: "the loop of kills", Refs: refs})
}

func (k *killing) asker() string {
	k.asked++
	return fmt.Sprint("check/", k.asked%2000)
}

func (k *killing) checkArchive(t *testing.T, full bool) {
	t.Helper()
	l, ctx := k.ledger, t.Context()
	a, err := openArchive(ctx, k.config, k.key, k.log)
	if err != nil {
		t.Fatalf("the archive does not open: %v", err)
	}
	defer a.close()
	// Each operator's budget is for a day, and one record takes 61 units of it.
	operator := k.asker()
	k.checkBudget(t, a)

	for i, p := range k.chosen(append(l.in(enrolled), l.in(erasing)...), full) {
		refs, err := a.refs(ctx, []gatehouse.SubjectID{p.ID}, nil, "name", "national_id", "record")
		if err != nil {
			t.Errorf("the record of %s: %v", p.Label, err)
			continue
		}
		if i%recordsEach == recordsEach-1 {
			operator = k.asker()
		}
		plain, err := a.open(ctx, operator, refs)
		if err != nil {
			t.Fatalf("opening the record of %s: %v", p.Label, err)
		}
		var record struct{ Phone string }
		if p.Vehicle {
			if string(plain[0]) != p.Plate {
				t.Errorf("the record of %s does not open", p.Label)
			}
		} else if len(plain) != 3 || string(plain[0]) != p.Name || string(plain[1]) != p.IDNumber || json.Unmarshal(plain[2], &record) != nil || record.Phone != p.Phone {
			t.Errorf("the record of %s does not open", p.Label)
		}
		p.copies = refs
	}
	for _, p := range k.chosen(l.in(gone), full) {
		if len(p.copies) == 0 {
			continue
		}
		plain, err := a.open(ctx, operator, p.copies)
		if err != nil {
			t.Fatal(err)
		}
		for i, b := range plain {
			if b != nil {
				t.Errorf("the %s of %s, who was erased, opens from a copy", p.copies[i].Where.Field, p.Label)
			}
		}
		if !full { // once is enough until the next look at everything
			p.copies = p.copies[:1:1]
		}
	}
	k.checkPassages(t, a, operator, full)
	k.checkDisclosures(t, a, operator)
	intents, err := a.store.Intents(ctx)
	if err != nil {
		t.Fatal(err)
	}
	pending := len(l.in(erasing))
	for _, i := range intents {
		switch {
		case i.Verb == "rewrite":
		case i.Verb == "erase" && pending > 0: // of those that wait, or twice of one
		default:
			t.Errorf("an intent to %s is left", i.Verb)
		}
	}
}

func (k *killing) checkBudget(t *testing.T, a *archive) {
	t.Helper()
	l := k.ledger
	st, err := a.vault.Budget(t.Context(), "site/admin-socket", "")
	if err != nil || !st.Known {
		t.Fatalf("the budget: %+v, %v", st, err)
	}
	for _, b := range st.Left {
		if b.Scope != "operator" || b.Window != "day" {
			continue
		}
		most := l.units + int(time.Since(l.unitsAt).Seconds()*budgetDay/86400) + 2
		if l.units >= 0 && b.Units > most {
			t.Errorf("the budget was refilled by a kill: %d units are left, and at most %d can be", b.Units, most)
		}
		l.units, l.unitsAt, l.leastLeft = b.Units, time.Now(), min(l.leastLeft, b.Units)
	}
}

func (k *killing) checkPassages(t *testing.T, a *archive, operator string, full bool) {
	t.Helper()
	l, ctx := k.ledger, t.Context()
	look := l.passages[k.seen:]
	open := append(some(look, 2*someOf, k.rand), some(l.passages[:k.seen], someOf, k.rand)...)
	if full {
		look, open = l.passages, append(open, some(l.passages, 60, k.rand)...)
	}
	for _, id := range look {
		if _, err := a.store.Passage(ctx, a.place, id); err != nil {
			t.Errorf("a passage was acknowledged and is lost: %v", err)
			return
		}
	}
	k.seen = len(l.passages)
	for len(open) > 0 {
		some := open[:min(len(open), 50)]
		open = open[len(some):]
		refs, err := a.refs(ctx, nil, some, "detail")
		if err != nil {
			t.Fatal(err)
		}
		plain, err := a.open(ctx, operator, refs)
		if err != nil {
			t.Fatal(err)
		}
		for i, b := range plain {
			if b == nil && !k.wasErased(t, a, refs[i].Where.Row) {
				t.Errorf("what the passage %s says does not open", refs[i].Where.Row)
			}
		}
	}
}

func (k *killing) wasErased(t *testing.T, a *archive, passage gatehouse.ID) bool {
	t.Helper()
	p, err := a.store.Passage(t.Context(), a.place, passage)
	if err != nil {
		t.Fatal(err)
	}
	if !p.Passage.Known {
		return false
	}
	for _, someone := range k.ledger.people {
		if someone.ID == p.Passage.Subject {
			return false
		}
	}
	return true
}

func (k *killing) checkDisclosures(t *testing.T, a *archive, operator string) {
	t.Helper()
	l := k.ledger
	wanted := map[string]bool{}
	for _, r := range l.reasons[l.checked:] {
		wanted[r] = true
	}
	var before gatehouse.ID
	for len(wanted) > 0 {
		list, err := a.vault.Disclosures(t.Context(), before, 100)
		if err != nil {
			t.Fatal(err)
		}
		var refs []gatehouse.SealedRef
		for _, d := range list {
			if d.ReasonSealed && d.Purpose != "drill" { // those are the loop's own
				refs = append(refs, gatehouse.SealedRef{Where: gatehouse.ReasonContext(a.place, d.ID), Sealed: d.SealedReason})
			}
			before = d.ID
		}
		reasons, err := a.open(t.Context(), operator, refs)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range reasons {
			delete(wanted, string(r))
		}
		if len(list) < 100 {
			break
		}
	}
	if len(wanted) > 0 {
		t.Errorf("%d of %d disclosures are not in the log", len(wanted), len(l.reasons)-l.checked)
	}
	l.checked = len(l.reasons)
}
