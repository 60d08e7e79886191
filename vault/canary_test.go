package vault

import (
	"bytes"
	"context"
	"database/sql"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/vault/approval"
	"gatehouse/vault/budget"
)

// staff registers operators with quick passphrases: the name is the passphrase's end.
func (in *installation) staff(t testing.TB, names ...string) map[string]approval.Operator {
	t.Helper()
	all := map[string]approval.Operator{}
	for _, name := range names {
		o, err := approval.New(name, words(name), 10)
		must(t, err)
		must(t, in.vault.AddOperator(t.Context(), operator, phrase(passphrase), o, in.agreement(t, approval.AddOperator, o)))
		all[name] = o
	}
	alarms, err := in.vault.Alarms(t.Context())
	must(t, err)
	for _, a := range alarms {
		if a.Alarm.Kind == gatehouse.OperatorAlarm {
			must(t, in.vault.AlarmsTaken(t.Context(), a.N))
		}
	}
	return all
}

// agreement is that of the first operator there is, for a change of the operators.
func (in *installation) agreement(t testing.TB, act approval.Act, subject approval.Operator) Agreement {
	t.Helper()
	list, err := in.vault.Operators(t.Context())
	must(t, err)
	if len(list) == 0 {
		return Agreement{}
	}
	return in.agreementOf(t, list[0], act, subject)
}

func (in *installation) agreementOf(t testing.TB, by approval.Operator, act approval.Act, subject approval.Operator) Agreement {
	t.Helper()
	st, err := in.vault.Status(t.Context())
	must(t, err)
	id := gatehouse.NewID(time.Now())
	signature, err := by.Sign(words(by.Name), act, st.PublicKey, id, subject.Body())
	must(t, err)
	return Agreement{Operator: by.Name, ID: id, Signature: signature}
}

func words(name string) []byte { return []byte("four words of " + name) }

func (in *installation) plant(t testing.TB) gatehouse.SubjectID {
	t.Helper()
	id := gatehouse.RandomID()
	must(t, in.vault.PlantCanary(t.Context(), operator, gatehouse.Passphrase([]byte(passphrase)), Canary{Subject: id, Kind: "person", Label: "third floor"}))
	return id
}

// part seals one part of a subject's record.
func (in *installation) part(t testing.TB, subject gatehouse.SubjectID, table, field string) gatehouse.SealedRef {
	t.Helper()
	where := gatehouse.SealContext{Place: place, Table: table, Row: subject, Field: field}
	if table != "subjects" {
		where.Row = gatehouse.RandomID()
	}
	sealed, err := in.vault.Seal(t.Context(), subject, gatehouse.RecordClass, where, []byte("plausible"), gatehouse.PadField)
	must(t, err)
	return gatehouse.SealedRef{Where: where, Sealed: sealed}
}

func insert(statement string, args ...any) func(ctx context.Context, tx *sql.Tx) error {
	return func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, statement, args...)
		return err
	}
}

func (in *installation) sign(t testing.TB, o approval.Operator, st TripStatus) error {
	t.Helper()
	signature, err := o.Sign(words(o.Name), approval.LiftCanary, st.PublicKey, st.Trip, nil)
	must(t, err)
	_, err = in.vault.LiftCanary(t.Context(), st.Trip, o.Name, signature)
	return err
}

func TestCanaryShutsTheVault(t *testing.T) {
	in := install(t)
	wantCode(t, in.vault.PlantCanary(t.Context(), operator, gatehouse.Passphrase([]byte(passphrase)), Canary{Subject: gatehouse.RandomID(), Kind: "person"}), "canary.operators")
	staff := in.staff(t, "ana-1", "ben-2", "cy-3")
	wantCode(t, in.vault.PlantCanary(t.Context(), operator, gatehouse.Passphrase([]byte("not the passphrase")), Canary{Subject: gatehouse.RandomID(), Kind: "person"}), "vault.passphrase")
	bird := in.plant(t)
	real := in.name(t, "somebody")
	name, record, photo := in.part(t, bird, "subjects", "name"), in.part(t, bird, "subjects", "record"), in.part(t, bird, "evidence", "photo")
	// A record beside which somebody put another ciphertext is opened all the same; a
	// ciphertext in another place names its subject by its chain.
	moved := photo
	moved.Where.Row = gatehouse.RandomID()
	bait := map[string]gatehouse.SealedRef{"the record": record, "the ID number": in.part(t, bird, "subjects", "national_id"), "a photo": photo,
		"nonsense in its place": {Where: record.Where, Sealed: []byte("nonsense")}, "moved elsewhere": moved}
	for what, ref := range bait {
		t.Run(what, func(t *testing.T) {
			proof := in.unseal(t)
			session := operator + "/link-7"
			if n, err := in.ask(t, session, "", "person", proof, real, name); n != 2 || err != nil {
				t.Fatalf("names are listed, and it gives %d, %v", n, err)
			}
			n, err := in.ask(t, session, "", "passage", proof, real, ref)
			if wantCode(t, err, "vault.canary"); n > 0 {
				t.Error("something was released")
			}
			st, err := in.vault.Status(t.Context())
			if err != nil || !st.Sealed || !st.Canary {
				t.Errorf("when the answer is there the vault is not sealed: %+v, %v", st, err)
			}
			alarms, err := in.vault.Alarms(t.Context())
			if must(t, err); len(alarms) != 1 || alarms[0].Alarm.Kind != gatehouse.CanaryAlarm || alarms[0].Alarm.Operator != session || alarms[0].Alarm.Purpose != "passage" {
				t.Fatalf("alarms %+v", alarms)
			}
			must(t, in.vault.AlarmsTaken(t.Context(), alarms[0].N))
			// It stays shut for the proof, for a new one, over a restart, and over an edit of the file.
			_, err = in.ask(t, session, "", "person", proof, real)
			wantCode(t, err, "vault.canary")
			shut := func(when string) {
				t.Helper()
				if _, _, err := in.vault.Unseal(t.Context(), operator, passphrase, time.Hour); gatehouse.ErrorCode(err) != "vault.canary" {
					t.Errorf("%s: %v", when, err)
				}
			}
			shut("at once")
			in.reopen(t)
			shut("after a restart")
			trip, err := in.vault.Tripped(t.Context())
			must(t, err)
			if trip.Trip.IsZero() || trip.Operator != session || trip.Purpose != "passage" {
				t.Errorf("status %+v", trip)
			}
			must(t, in.sign(t, staff["ana-1"], trip))
			must(t, in.sign(t, staff["ana-1"], trip))
			shut("one person signed, twice")
			forged := staff["ben-2"]
			signature, err := staff["ana-1"].Sign(words("ana-1"), approval.LiftCanary, trip.PublicKey, trip.Trip, nil)
			must(t, err)
			_, err = in.vault.LiftCanary(t.Context(), trip.Trip, forged.Name, signature)
			wantCode(t, err, "operator.signature")
			must(t, in.sign(t, staff["ben-2"], trip))
			in.unseal(t)
			wantCode(t, in.sign(t, staff["cy-3"], trip), "canary.none")
			must(t, in.vault.SealVault(t.Context()))
		})
	}
	list, err := in.vault.Canaries(t.Context(), operator, gatehouse.Passphrase([]byte(passphrase)))
	must(t, err)
	if len(list) != 1 || list[0].Subject != bird || list[0].Label != "third floor" {
		t.Errorf("the list: %+v", list)
	}
	_, err = in.vault.Canaries(t.Context(), operator, gatehouse.Passphrase([]byte("not the passphrase")))
	wantCode(t, err, "vault.passphrase")
}

// Whoever can edit the files cannot open a vault that a canary shut: neither by
// forgetting it nor by two people of their own making.
func TestShutVaultCannotBeEditedOpen(t *testing.T) {
	in := install(t)
	in.staff(t, "ana-1", "ben-2")
	record := in.part(t, in.plant(t), "subjects", "record")
	_, err := in.ask(t, operator, "", "person", in.unseal(t), record)
	wantCode(t, err, "vault.canary")
	trip, err := in.vault.Tripped(t.Context())
	must(t, err)
	in.edit(t, `DELETE FROM trips`, `DELETE FROM alarms`)
	_, _, err = in.vault.Unseal(t.Context(), operator, passphrase, time.Hour)
	wantCode(t, err, "vault.canary")
	// Two of their own, put into the table that is not sealed.
	must(t, in.vault.Close())
	key, err := in.gate.FileKey(filepath.Join(in.options.Dir, auditFile))
	must(t, err)
	a, err := openAudit(t.Context(), in.options.Dir, key)
	must(t, err)
	for _, name := range []string{"mal-1", "mal-2"} {
		o, err := approval.New(name, words(name), 10)
		must(t, err)
		signature, err := o.Sign(words(name), approval.LiftCanary, trip.PublicKey, trip.Trip, nil)
		must(t, err)
		must(t, a.db.Write(t.Context(), insert(`INSERT INTO operators (name, salt, work, public, added) VALUES (?, ?, ?, ?, 0)`, o.Name, o.Salt, o.Work, []byte(o.Public))))
		must(t, a.db.Write(t.Context(), insert(`INSERT INTO lifts (trip, operator, at, signature) VALUES (?, ?, 0, ?)`, trip.Trip[:], o.Name, signature)))
	}
	must(t, a.db.Close())
	in.open(t)
	_, _, err = in.vault.Unseal(t.Context(), operator, passphrase, time.Hour)
	wantCode(t, err, "vault.canary")
}

// Where tokens were planted is read by who gives the credential alone.
func TestTokenLabelsAreSealed(t *testing.T) {
	in := install(t)
	in.staff(t, "ana-1", "ben-2")
	plant := func(label string) {
		must(t, in.vault.PlantCanary(t.Context(), operator, phrase(passphrase), Canary{Kind: "token", Label: label, Digest: TokenDigest(label)}))
	}
	plant("in the wiki")
	plant("on the desk")
	list, err := in.vault.Canaries(t.Context(), operator, phrase(passphrase))
	must(t, err)
	var labels []string
	for _, c := range list {
		labels = append(labels, c.Label)
	}
	slices.Sort(labels)
	if !slices.Equal(labels, []string{"in the wiki", "on the desk"}) {
		t.Errorf("the labels: %q", labels)
	}
	hidden(t, in, "in the wiki", "on the desk")
}

// A token that was planted shuts the vault, sealed or not; any other token does nothing.
func TestCanaryToken(t *testing.T) {
	in := install(t)
	staff := in.staff(t, "ana-1", "ben-2")
	must(t, in.vault.PlantCanary(t.Context(), operator, gatehouse.Passphrase([]byte(passphrase)), Canary{Kind: "token", Label: "in the wiki", Digest: TokenDigest("the token")}))
	must(t, in.vault.ShowToken(t.Context(), "another token", "cam-1"))
	proof := in.unseal(t)
	for _, sealed := range []bool{false, true} {
		if sealed {
			must(t, in.vault.SealVault(t.Context()))
		}
		for range 20 { // one alarm tells as much as twenty
			wantCode(t, in.vault.ShowToken(t.Context(), "the token", "cam-1"), "vault.canary")
		}
		_, err := in.ask(t, operator, "", "person", proof, in.name(t, "somebody"))
		wantCode(t, err, "vault.canary")
		in.reopen(t)
		_, _, err = in.vault.Unseal(t.Context(), operator, passphrase, time.Hour)
		wantCode(t, err, "vault.canary")
		trip, err := in.vault.Tripped(t.Context())
		must(t, err)
		if trip.Kind != "token" || trip.Device != "cam-1" {
			t.Errorf("status %+v", trip)
		}
		for _, o := range staff {
			must(t, in.sign(t, o, trip))
		}
		proof = in.unseal(t)
	}
	alarms, err := in.vault.Alarms(t.Context())
	must(t, err)
	if len(alarms) != 2 || alarms[0].Alarm.Device != "cam-1" || !strings.Contains(alarms[0].Alarm.Sentence(), "cam-1") {
		t.Errorf("alarms %+v", alarms)
	}
}

func TestOperators(t *testing.T) {
	in := install(t)
	staff := in.staff(t, "ana-1", "ben-2")
	add := func(o approval.Operator) error {
		return in.vault.AddOperator(t.Context(), operator, phrase(passphrase), o, in.agreement(t, approval.AddOperator, o))
	}
	end := func(name string) error {
		return in.vault.RemoveOperator(t.Context(), operator, phrase(passphrase), name, in.agreement(t, approval.EndOperator, approval.Operator{Name: name}))
	}
	wantCode(t, add(staff["ana-1"]), "operator.exists")
	twice := staff["ana-1"]
	twice.Name = "ana-2"
	wantCode(t, add(twice), "operator.exists")
	wantCode(t, add(approval.Operator{Name: "x"}), "operator.malformed")
	wantCode(t, in.vault.AddOperator(t.Context(), operator, phrase("not the passphrase"), staff["ben-2"], Agreement{}), "vault.passphrase")
	wantCode(t, end("dee-4"), "operator.unknown")
	in.plant(t)
	wantCode(t, end("ben-2"), "operator.needed")
	in.staff(t, "cy-3")
	must(t, end("ben-2"))
	list, err := in.vault.Operators(t.Context())
	must(t, err)
	if len(list) != 2 || list[0].Name != "ana-1" || list[1].Name != "cy-3" || !list[0].Public.Equal(staff["ana-1"].Public) {
		t.Errorf("operators %+v", list)
	}
}

// The canaries are in no file that the web server's keys open.
func TestCanariesAreInNoFile(t *testing.T) {
	in := install(t)
	in.staff(t, "ana-1", "ben-2")
	bird := in.plant(t)
	must(t, in.vault.Close())
	defer in.open(t)
	key, err := in.gate.FileKey(filepath.Join(in.options.Dir, auditFile))
	must(t, err)
	a, err := openAudit(t.Context(), in.options.Dir, key)
	must(t, err)
	var all strings.Builder
	rows, err := a.db.Readers().Query(`SELECT sealed FROM control UNION ALL SELECT leaf FROM leaves`)
	must(t, err)
	for rows.Next() {
		var b []byte
		must(t, rows.Scan(&b))
		all.Write(b)
	}
	must(t, rows.Close())
	must(t, a.db.Close())
	for _, mark := range []string{string(bird[:]), bird.String(), "third floor"} {
		if strings.Contains(all.String(), mark) {
			t.Errorf("the audit file holds %q", mark)
		}
	}
	if !strings.Contains(all.String(), controlChanged) {
		t.Error("the search looks at nothing")
	}
}

// Whatever opens the vault key sets budgets, registers operators and plants canaries;
// what does not is counted.
func controlWith(t *testing.T, in *installation, with gatehouse.Credential, wrong []byte) {
	t.Helper()
	must(t, in.vault.SetLimits(t.Context(), operator, with, budget.Limits{Operator: budget.Limit{Hour: 7}}, false))
	for _, name := range []string{"ana-1", "ben-2"} {
		o, err := approval.New(name, []byte(name+", a passphrase of their own"), 10)
		must(t, err)
		must(t, in.vault.AddOperator(t.Context(), operator, with, o, Agreement{}))
	}
	must(t, in.vault.PlantCanary(t.Context(), operator, with, Canary{Subject: gatehouse.RandomID(), Kind: "vehicle", Label: "row 9"}))
	list, err := in.vault.Canaries(t.Context(), operator, with)
	if err != nil || len(list) != 1 || list[0].Label != "row 9" {
		t.Errorf("%+v, %v", list, err)
	}
	wantCode(t, in.vault.RemoveOperator(t.Context(), operator, with, "ana-1", Agreement{}), "operator.agreement")
	if b, err := in.vault.Budget(t.Context(), operator, ""); err != nil || !b.Known || b.Set.Operator.Hour != 7 {
		t.Errorf("%+v, %v", b, err)
	}
	before, err := in.vault.Status(t.Context())
	must(t, err)
	with.Secret = wrong
	_, err = in.vault.Canaries(t.Context(), operator, with)
	wantCode(t, err, "vault.credential")
	if after, err := in.vault.Status(t.Context()); err != nil || after.WrongUnseals != before.WrongUnseals+1 {
		t.Errorf("a wrong credential was not counted: %+v, %v", after, err)
	}
}

func TestControlWithAKeyFile(t *testing.T) {
	in := install(t)
	key := gatehouse.Credential{Kind: gatehouse.FileCredential, Secret: bytes.Repeat([]byte{5}, 32)}
	none := key
	_, err := in.vault.Canaries(t.Context(), operator, none)
	wantCode(t, err, "vault.no_slot")
	_, err = in.vault.AddSlot(t.Context(), operator, phrase(passphrase), key, "stick")
	must(t, err)
	in.unseal(t)
	controlWith(t, in, key, bytes.Repeat([]byte{6}, 32))
}
