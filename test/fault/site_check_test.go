package fault_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/flow/release"
	"gatehouse/internal/sealeddb"
	"gatehouse/server"
	"gatehouse/store/blob"
	"gatehouse/store/sqlite"
	"gatehouse/vault"
)

// someOf is how many of a kind are looked at where not all are.
const someOf = 8

func some[T any](all []T, n int, r *rand.Rand) []T {
	if len(all) <= n {
		return all
	}
	all = slices.Clone(all)
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:n]
}

// check starts the site once more and holds it against the ledger: what is in the middle
// is settled one way or the other, and what was acknowledged is there. full looks at
// everybody and not only at those that the last rounds were about.
func (k *killing) check(t *testing.T, round int, full bool) {
	t.Helper()
	s, err := server.Open(t.Context(), k.config, server.Options{Stderr: k.log})
	if err != nil {
		t.Fatalf("the site does not start any more: %v", err)
	}
	k.checkPeople(t, s, round, full)
	k.checkHolds(t, s)
	k.checkSettings(t, s)
	if full {
		k.checkBackups(t, s)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Errorf("closing: %v", err)
	}
	if !t.Failed() {
		k.checkArchive(t, full)
	}
	if full {
		k.checkLog(t, true)
		k.checkFiles(t)
	}
	for _, p := range k.ledger.people {
		p.touched = false
	}
}

// listed are all who are enrolled, by label.
func listed(t *testing.T, s *server.Server) map[string]wire.Subject {
	t.Helper()
	all := map[string]wire.Subject{}
	var after gatehouse.SubjectID
	for {
		page, err := s.Admin().Subjects(t.Context(), after, 500)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range page.Subjects {
			if row.Label == "" || len(row.Grants) == 0 {
				t.Errorf("%s is half enrolled: no badge", row.ID)
			}
			if _, twice := all[row.Label]; twice {
				t.Errorf("%s is enrolled twice", row.Label)
			}
			all[row.Label] = row
		}
		if page.Next.IsZero() {
			return all
		}
		after = page.Next
	}
}

func (k *killing) shows(t *testing.T, s *server.Server, card string) gatehouse.Passage {
	t.Helper()
	got, err := s.Post(t.Context(), gatehouse.Capture{Device: "reader", Kind: gatehouse.CardCapture, Received: time.Now(), Secret: gatehouse.Secret(card)})
	if err != nil || len(got) != 1 {
		t.Fatalf("a card was shown: %d passages, %v", len(got), err)
	}
	k.ledger.passages = append(k.ledger.passages, got[0].ID)
	return got[0]
}

func (k *killing) left(t *testing.T, s *server.Server, p *entry) []string {
	t.Helper()
	// Who has no certificate has no day in it that a held bundle could go past.
	e := wire.Erasure{Certificate: gatehouse.ErasureCertificate{Org: s.Place().Org, Site: s.Place().Site, Subject: p.ID, FinalAt: time.Now().AddDate(100, 0, 0)}}
	if p.doc != nil {
		e = *p.doc
	}
	found, err := s.Admin().CheckErasure(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	return found.Findings
}

func (k *killing) checkPeople(t *testing.T, s *server.Server, round int, full bool) {
	t.Helper()
	l := k.ledger
	rows := listed(t, s)
	for label := range rows {
		if p := l.people[label]; p == nil || p.state == gone {
			t.Errorf("%s is listed, and is nobody who is here", label)
		}
	}
	for _, p := range l.in(enrolling) {
		row, there := rows[p.Label]
		if there {
			p.ID, p.state, p.Since = row.ID, enrolled, round
			continue
		}
		if !p.Vehicle && k.shows(t, s, p.Card).Decision.Grant {
			t.Errorf("%s is half enrolled: the card opens, and nobody is listed", p.Label)
		}
		delete(l.people, p.Label)
	}
	for _, p := range l.in(erasing) {
		row, there := rows[p.Label]
		found := k.left(t, s, p)
		switch {
		case len(found) == 0 && !there:
			p.state, p.pending = gone, false
		case len(found) == 0:
			t.Errorf("%s is half erased: listed still", p.Label)
		case !there || row.ID != p.ID:
			t.Errorf("%s is half erased: not listed, and left are %v", p.Label, found)
		case !p.Vehicle && !k.shows(t, s, p.Card).Decision.Grant:
			t.Errorf("%s is half erased: the card does not open, and left are %v", p.Label, found)
		default:
			p.pending = true
			k.waited++
		}
	}
	for _, p := range k.chosen(l.in(enrolled), full) {
		row, there := rows[p.Label]
		if !there || row.ID != p.ID {
			t.Errorf("%s was enrolled, and is lost", p.Label)
			continue
		}
		if p.Vehicle {
			continue
		}
		if got := k.shows(t, s, p.Card); !got.Decision.Grant || got.Subject != p.ID {
			t.Errorf("the card of %s does not open the door: %v", p.Label, got.Decision.Reason)
		}
	}
	for _, p := range k.chosen(l.in(gone), full) {
		if found := k.left(t, s, p); len(found) > 0 {
			t.Errorf("%s was erased, and left are %v", p.Label, found)
		}
		if !p.Vehicle && k.shows(t, s, p.Card).Decision.Grant {
			t.Errorf("the card of %s, who was erased, opens the door", p.Label)
		}
		if p.doc != nil {
			if err := server.VerifyErasureProof(*p.doc, vault.VerifierKeyPath(filepath.Join(k.config.Data, "vault"))); err != nil {
				t.Errorf("the certificate of %s: %v", p.Label, err)
			}
		}
	}
}

// chosen are those that the last rounds were about, and some of the others.
func (k *killing) chosen(all []*entry, full bool) (out []*entry) {
	if full {
		return all
	}
	var others []*entry
	for _, p := range all {
		if p.touched {
			out = append(out, p)
		} else {
			others = append(others, p)
		}
	}
	return append(out, some(others, someOf, k.rand)...)
}

func (k *killing) checkHolds(t *testing.T, s *server.Server) {
	t.Helper()
	got, err := s.Admin().Holds(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	held := map[gatehouse.SubjectID]gatehouse.ID{}
	for _, h := range got.Holds {
		held[h.Subject] = h.ID
	}
	for _, p := range k.ledger.people {
		if p.state == enrolling {
			continue
		}
		found := held[p.ID]
		switch {
		case p.holding: // begun: either way
			p.held, p.holding = found, false
		case found != p.held:
			t.Errorf("%s is held by %s, and by %s according to the ledger", p.Label, found, p.held)
		}
		delete(held, p.ID)
	}
	for id := range held {
		t.Errorf("somebody is held whom nobody held: %s", id)
	}
}

func (k *killing) checkSettings(t *testing.T, s *server.Server) {
	t.Helper()
	l := k.ledger
	for name, values := range l.secrets {
		v, _ := s.Secret(name)
		if !slices.Contains(values, v.Reveal()) {
			t.Errorf("the secret %s is neither what it was nor what it became", name)
		}
		l.secrets[name] = []string{v.Reveal()}
	}
	st, err := s.Admin().KeysStatus(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if l.vaultKey != "" && !l.rotating {
		if st.Current != l.vaultKey {
			t.Errorf("the vault key is %s, after a rotation to %s", st.Current, l.vaultKey)
		}
		for _, key := range st.Keys {
			if key.Name != st.Current && key.Chains > 0 {
				t.Errorf("%d rows are under the vault key %s, after the rotation had ended", key.Chains, key.Name)
			}
		}
	}
}

func (k *killing) checkBackups(t *testing.T, s *server.Server) {
	t.Helper()
	l := k.ledger
	if len(l.backups) == 0 {
		return
	}
	checked, err := s.VerifyBackups(t.Context(), gatehouse.Credential{})
	if err != nil || !checked.OK {
		t.Errorf("the backups: %+v, %v", checked, err)
	}
	list, err := s.Admin().Backups(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	there := map[gatehouse.ID]bool{}
	for _, b := range list.Backups {
		there[b.ID] = b.Keys
	}
	for _, b := range l.backups {
		if !there[b.id] {
			t.Errorf("the backup %s was made, and is not whole", b.id)
		}
	}
	k.verified += checked.Objects
}

// checkLog verifies the audit log and the gate's files against it, offline.
func (k *killing) checkLog(t *testing.T, deep bool) {
	t.Helper()
	report, err := server.VerifyAudit(t.Context(), k.config, server.VerifyOptions{Deep: deep})
	if err != nil || !report.OK {
		t.Errorf("the audit log: %v, %v", report.Findings, err)
	}
}

// archive is the site's sealed side, opened without the server.
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

// refs are the sealed values of subjects and passages, and how the vault is asked for them.
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

// recordsEach is how many records one operator of the checks opens, of 1,400 that the
// budget of a day has room for.
const recordsEach = 1000

// asker is the next operator of the checks.
func (k *killing) asker() string {
	k.asked++
	return fmt.Sprint("check/", k.asked%2000)
}

// checkArchive opens what was sealed: of whoever is here all opens, and of whoever is
// gone nothing does, not even from a copy.
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

// checkBudget: a kill refills nothing. One unit comes back a second.
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

// wasErased reports whether a passage's subject is nobody any more: its detail is noise.
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

// checkDisclosures looks for the reasons of all that was disclosed since the last check.
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

// checkRestore restores the newest backup beside, on another machine as it were, and
// holds it against what was acknowledged before it began.
func (k *killing) checkRestore(t *testing.T) {
	t.Helper()
	l, ctx := k.ledger, t.Context()
	if len(l.backups) == 0 {
		return
	}
	last := l.backups[len(l.backups)-1]
	beside := filepath.Join(k.base, "beside")
	defer func() {
		if !t.Failed() {
			_ = os.RemoveAll(beside)
		}
	}()
	c := k.config
	c.Data, c.GateKey = filepath.Join(beside, "data"), filepath.Join(beside, "keys", "gate.key")
	o := server.RestoreOptions{From: c.Backup.Data, Keys: c.Backup.Keys, Log: slog.New(slog.NewTextHandler(k.log, nil)), Progress: func(server.BackupProgress) {},
		With: gatehouse.Credential{Kind: gatehouse.FileCredential, Secret: slices.Clone(k.key)}}
	if _, err := server.Restore(ctx, c, o); err != nil {
		t.Fatalf("restoring: %v", err)
	}
	s, err := server.Open(ctx, c, server.Options{Stderr: k.log})
	if err != nil {
		t.Fatalf("what was restored does not start: %v", err)
	}
	rows := listed(t, s)
	var here []gatehouse.SubjectID
	for _, p := range last.people {
		now := l.people[p.Label]
		if now == nil || now.state != enrolled {
			continue // erased since, or about to be
		}
		here = append(here, p.ID)
		if rows[p.Label].ID != p.ID {
			t.Errorf("%s was enrolled before the backup, and is not restored", p.Label)
		} else if !p.Vehicle {
			got, err := s.Post(ctx, gatehouse.Capture{Device: "reader", Kind: gatehouse.CardCapture, Received: time.Now(), Secret: gatehouse.Secret(p.Card)})
			if err != nil || len(got) != 1 || !got[0].Decision.Grant {
				t.Errorf("the card of %s does not open the restored door: %v", p.Label, err)
			}
		}
	}
	for _, p := range last.erased {
		if found := k.left(t, s, p); len(found) > 0 {
			t.Errorf("%s was erased before the backup, and restored are %v", p.Label, found)
		}
	}
	if err := s.Close(ctx); err != nil {
		t.Error(err)
	}
	if t.Failed() {
		return
	}
	if report, err := server.VerifyAudit(ctx, c, server.VerifyOptions{Deep: true}); err != nil || !report.OK {
		t.Errorf("the restored audit log: %v, %v", report.Findings, err)
	}
	a, err := openArchive(ctx, c, k.key, k.log)
	if err != nil {
		t.Fatalf("the restored archive does not open: %v", err)
	}
	defer a.close()
	for _, id := range l.passages[:last.passages] {
		if _, err := a.store.Passage(ctx, a.place, id); err != nil {
			t.Fatalf("a passage from before the backup is not restored: %v", err)
		}
	}
	for _, id := range some(here, 30, k.rand) {
		refs, err := a.refs(ctx, []gatehouse.SubjectID{id}, nil, "name", "national_id", "record")
		if err != nil {
			t.Fatal(err)
		}
		plain, err := a.open(ctx, "check/restored", refs)
		if err != nil {
			t.Fatal(err)
		}
		if slices.ContainsFunc(plain, func(b []byte) bool { return b == nil }) || !strings.HasPrefix(string(plain[0]), markName) && !strings.HasPrefix(string(plain[0]), markPlate) {
			t.Errorf("the restored record of %s does not open", id)
		}
	}
	k.restored++
}
