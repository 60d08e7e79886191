package server

import (
	"testing"
	"time"

	"gatehouse"
)

// Somebody who withdrew their consent after a backup is not recognized on the site that
// is restored from it: their template is noise, and the consent has ended. Whoever agreed
// before and after is asked nothing.
func TestAWithdrawnConsentStaysWithdrawn(t *testing.T) {
	c := withTargets(t)
	s := open(t, c)
	anasPhoto, anaComes := actor(t, 9)
	bobsPhoto, bobComes := actor(t, 3)
	ana, bob := enrol(t, s, "B-1", "Ana", anasPhoto), enrol(t, s, "B-2", "Bob", bobsPhoto)
	addDevice(t, s, "cam")
	before := backUp(t, s)
	withdrawn := time.Now()
	if err := s.Admin().WithdrawConsent(t.Context(), ana); err != nil {
		t.Fatal(err)
	}
	backUp(t, s)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	to, o := bare(t, c), restoreOptions(c)
	o.At = before.At
	if _, err := Restore(t.Context(), to, o); err != nil {
		t.Fatal(err)
	}
	r := open(t, to)
	for _, p := range walk(t, r, "cam", anaComes) { // none while the track goes on
		if p.Decision.Grant || p.Subject == ana {
			t.Errorf("the restored door: %+v", p)
		}
	}
	if got := walk(t, r, "cam", bobComes); len(got) != 1 || !got[0].Decision.Grant || got[0].Subject != bob {
		t.Errorf("the restored door, for whose consent is in force: %+v", got)
	}
	if p := card(t, r, "cam", "card B-1"); !p.Decision.Grant {
		t.Errorf("a card needs no consent: %+v", p.Decision)
	}
	for id, inForce := range map[gatehouse.SubjectID]bool{ana: false, bob: true} {
		given, err := r.store.Consents(t.Context(), r.Place(), id)
		if err != nil || len(given) != 1 || given[0].InForce(time.Now()) != inForce {
			t.Errorf("%+v, %v; in force: %t", given, err, inForce)
		}
		if !inForce && given[0].Withdrawn.Before(withdrawn.Truncate(time.Millisecond)) {
			t.Errorf("withdrawn at %s, not at %s", given[0].Withdrawn, withdrawn)
		}
		if b, ok := r.working.Badge(id); !ok || b.FaceConsent != inForce {
			t.Errorf("badge %+v", b)
		}
	}
	_, stop := audited(t, r)
	stop()
	if report := verify(t, to, VerifyOptions{}); len(report.Findings) > 0 {
		t.Errorf("the log of the restored site: %+v", report.Findings)
	}
}
