package fault_test

import (
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
	"gatehouse/server"
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
// refs are the sealed values of subjects and passages, and how the vault is asked for them.
// recordsEach is how many records one operator of the checks opens, of 1,400 that the
// budget of a day has room for.
const recordsEach = 1000

// asker is the next operator of the checks.
// checkArchive opens what was sealed: of whoever is here all opens, and of whoever is
// gone nothing does, not even from a copy.
// checkBudget: a kill refills nothing. One unit comes back a second.
// wasErased reports whether a passage's subject is nobody any more: its detail is noise.
// checkDisclosures looks for the reasons of all that was disclosed since the last check.
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
