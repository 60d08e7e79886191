package vault

import (
	"os"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/vault/approval"
)

// Whoever knows the vault's passphrase cannot be the second person: neither with
// operators made after a canary was opened, nor with some made shortly before it.
func TestOnePersonIsNotTwo(t *testing.T) {
	self, err := os.Executable()
	must(t, err)
	began := time.Now()
	in := install(t)
	staff := in.staff(t, "ana-1", "ben-2")
	record := in.part(t, in.plant(t), "subjects", "record")
	// Longer than mal-1 takes from here on, on a busy machine too.
	season := time.Second + 5*time.Since(began)
	in.options.Exec = []string{self, "__vault", "seasoned-after", season.String()}
	in.reopen(t)
	time.Sleep(season + 100*time.Millisecond)

	mal, err := approval.New("mal-1", words("mal-1"), 10)
	must(t, err)
	wantCode(t, in.vault.AddOperator(t.Context(), operator, phrase(passphrase), mal, Agreement{}), "operator.agreement")
	wantCode(t, in.vault.AddOperator(t.Context(), operator, phrase(passphrase), mal, in.agreementOf(t, mal, approval.AddOperator, mal)), "operator.signature")
	other := in.agreementOf(t, staff["ana-1"], approval.AddOperator, staff["ben-2"])
	wantCode(t, in.vault.AddOperator(t.Context(), operator, phrase(passphrase), mal, other), "operator.signature")
	old := in.agreementOf(t, staff["ana-1"], approval.AddOperator, mal)
	old.ID = gatehouse.NewID(time.Now().Add(-time.Hour))
	st, err := in.vault.Status(t.Context())
	must(t, err)
	old.Signature, err = staff["ana-1"].Sign(words("ana-1"), approval.AddOperator, st.PublicKey, old.ID, mal.Body())
	must(t, err)
	wantCode(t, in.vault.AddOperator(t.Context(), operator, phrase(passphrase), mal, old), "operator.signature")
	wantCode(t, in.vault.RemoveOperator(t.Context(), operator, phrase(passphrase), "ben-2", Agreement{}), "operator.agreement")
	mal = in.staff(t, "mal-1", "cy-3")["mal-1"] // ana-1 agreed
	young := in.agreementOf(t, mal, approval.EndOperator, approval.Operator{Name: "ben-2"})
	wantCode(t, in.vault.RemoveOperator(t.Context(), operator, phrase(passphrase), "ben-2", young), "operator.young")
	wantCode(t, in.vault.SetLimits(t.Context(), operator, phrase(passphrase), plenty, true), "budget.sound")

	// ana-1 opens it, by a session under that id.
	proof, _, err := in.vault.Unseal(t.Context(), "ana-1", passphrase, time.Hour)
	must(t, err)
	_, err = in.ask(t, "ana-1/link-7", "", "person", proof, record)
	wantCode(t, err, "vault.canary")
	dee, err := approval.New("dee-4", words("dee-4"), 10)
	must(t, err)
	wantCode(t, in.vault.AddOperator(t.Context(), operator, phrase(passphrase), dee, in.agreement(t, approval.AddOperator, dee)), "vault.canary")
	wantCode(t, in.vault.RemoveOperator(t.Context(), operator, phrase(passphrase), "ben-2", in.agreement(t, approval.EndOperator, approval.Operator{Name: "ben-2"})), "vault.canary")
	time.Sleep(season + 100*time.Millisecond) // what counts is how old they were when it was opened
	trip, err := in.vault.Tripped(t.Context())
	must(t, err)
	wantCode(t, in.sign(t, mal, trip), "operator.young")
	wantCode(t, in.sign(t, staff["ana-1"], trip), "canary.involved")
	must(t, in.sign(t, staff["ben-2"], trip))
	_, _, err = in.vault.Unseal(t.Context(), operator, passphrase, time.Hour)
	wantCode(t, err, "vault.canary")
	// Signatures that the server's keys put into the file lift nothing either.
	for _, o := range []approval.Operator{staff["ana-1"], mal} {
		signature, err := o.Sign(words(o.Name), approval.LiftCanary, trip.PublicKey, trip.Trip, nil)
		must(t, err)
		in.withAudit(t, func(a *auditDB) {
			must(t, a.db.Write(t.Context(), insert(`INSERT INTO lifts (trip, operator, at, signature) VALUES (?, ?, 0, ?)`, trip.Trip[:], o.Name, signature)))
			must(t, a.db.Write(t.Context(), insert(`UPDATE trips SET operator = ''`)))
		})
	}
	_, _, err = in.vault.Unseal(t.Context(), operator, passphrase, time.Hour)
	wantCode(t, err, "vault.canary")
}
