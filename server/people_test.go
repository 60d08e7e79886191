package server

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/console"
	"gatehouse/flow/enroll"
)

// What is changed about people and vehicles stands in the audit log as it stands in the
// rows, also where they are suspended meanwhile; the archive opens what was corrected, and
// the index finds it.
func TestChangesOfPeopleAreLoggedAndFound(t *testing.T) {
	s := open(t, testConfig(t))
	run(t, s)
	if err := s.Unseal(t.Context(), []byte(passphrase)); err != nil {
		t.Fatal(err)
	}
	unlimited(t, s)
	photo, _ := actor(t, 1)
	other, _ := actor(t, 9)
	id, err := s.enroll.Person(t.Context(), enroll.Person{Label: "B-1", Record: gatehouse.PersonRecord{Name: "Ana Silva", NationalID: "ID-1", Phone: "+49 1"}, Card: "4711", Photos: [][]byte{photo},
		Consent: enroll.Agreement{Given: true, Attendance: true, Guardian: true, How: "reference", Notice: "zh", By: gatehouse.RandomID().String()}, Grants: []gatehouse.Grant{{Gate: "*", Schedule: "always"}}})
	if err != nil {
		t.Fatal(err)
	}
	van, err := s.enroll.Vehicle(t.Context(), enroll.Vehicle{Label: "V-1", Record: gatehouse.VehicleRecord{Plate: "AB12CDE"}})
	if err != nil {
		t.Fatal(err)
	}
	reference := enroll.Agreement{Given: true, How: "terminal", Notice: "en"}
	for what, do := range map[string]func() error{
		"suspend": func() error { return s.enroll.SetStatus(t.Context(), id, gatehouse.SuspendedStatus) },
		"correct": func() error {
			return s.enroll.CorrectPerson(t.Context(), id, gatehouse.PersonRecord{Name: "Ana Souza", Phone: "+49 2"}, nil)
		},
		"access": func() error { return s.enroll.SetAccess(t.Context(), id, enroll.Access{Label: "B-2"}) },
		"card":   func() error { return s.enroll.SetCredential(t.Context(), id, gatehouse.CardItem, "4712") },
		"plate": func() error {
			return s.enroll.CorrectVehicle(t.Context(), van, gatehouse.VehicleRecord{Plate: "XY99ZZZ"})
		},
		"withdraw, once":     func() error { return s.enroll.WithdrawConsent(t.Context(), id, gatehouse.FaceAtAttendance) },
		"withdraw, the door": func() error { return s.enroll.WithdrawConsent(t.Context(), id, gatehouse.FaceAtDoors) },
		"other photos": func() error {
			return s.enroll.SetFace(t.Context(), id, [][]byte{other}, reference, gatehouse.SubjectID{})
		},
	} {
		if err := do(); err != nil { // in whatever order the map gives
			t.Errorf("%s: %v", what, err)
		}
	}
	report, err := s.Admin().AuditVerify(t.Context(), wire.AuditVerifyRequest{Deep: true})
	if err != nil || len(report.Findings) > 0 {
		t.Errorf("the log: %+v, %v", report.Findings, err)
	}
	// Suspended people stay so, and the photos of before are in no store.
	if row, err := s.store.Subject(t.Context(), s.site.Place, id); err != nil || row.Status != gatehouse.SuspendedStatus || len(row.Photos) != 1 {
		t.Errorf("%+v, %v", row, err)
	}
	blobs := 0
	_ = s.blobs.EachBlob(t.Context(), func(gatehouse.BlobID, time.Time) error { blobs++; return nil })
	if blobs != 1 {
		t.Errorf("%d sealed photos are kept", blobs)
	}
	who := console.Who{Operator: "hr-1", Role: gatehouse.HR}
	record, err := records{s}.Record(t.Context(), who, id, "a new phone", true)
	var rest gatehouse.PersonRecord
	if err != nil || record.Name != "Ana Souza" || record.NationalID != "ID-1" || json.Unmarshal(record.Rest, &rest) != nil || rest.Phone != "+49 2" {
		t.Errorf("%+v, %v", record, err)
	}
	if photos, err := (records{s}).Photos(t.Context(), who, id, "a complaint"); err != nil || len(photos) != 1 || string(photos[0]) != string(other) {
		t.Errorf("%d photos, %v", len(photos), err)
	}
	// Whoever looked is named, by role and reason, before anything was released.
	list, err := s.vault.Disclosures(t.Context(), gatehouse.ID{}, 10)
	if err != nil || len(list) < 2 || !strings.HasSuffix(list[1].Operator, "hr-1") || list[1].Role != "hr" || !list[1].ReasonSealed || !strings.Contains(fmt.Sprint(list[1].Items), "subjects/"+id.String()+"/national_id") {
		t.Errorf("the disclosure log: %+v, %v", list, err)
	}
	found := func(name string) int {
		got, err := pages{s}.Search(t.Context(), who, "a test", gatehouse.SearchQuery{Name: name, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		return len(got.Hits)
	}
	for end := time.Now().Add(20 * time.Second); found("Souza") == 0 && time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
	}
	if n := found("Souza"); n != 1 {
		t.Errorf("the corrected name is found %d times", n)
	}
	if n := found("Silva"); n != 0 {
		t.Errorf("the name of before is found %d times", n)
	}
}

// A table is enrolled by the running server; closing the server stops it after a row, and
// the same table goes on with the rest.
func TestATableIsGoneOnWithAfterARestart(t *testing.T) {
	c := testConfig(t)
	var table strings.Builder
	table.WriteString("label,name,card\n")
	for i := range 60 {
		fmt.Fprintf(&table, "B-%d,Somebody %d,card-%d\n", i, i, i)
	}
	q := wire.ImportRequest{Kind: gatehouse.PersonSubject, File: []byte(table.String())}
	s, err := Open(t.Context(), c, Options{NewPassphrase: []byte(passphrase), Stderr: testLog{t}})
	if err != nil {
		t.Fatal(err)
	}
	checked, err := s.Admin().ImportCheck(t.Context(), q)
	if err != nil || checked.Ready != 60 {
		t.Fatalf("%+v, %v", checked, err)
	}
	if _, err := s.Admin().ImportStart(t.Context(), checked.ID); err != nil {
		t.Fatal(err)
	}
	for got := checked; got.Enrolled < 5; {
		if got, err = s.Admin().Import(t.Context(), checked.ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	s = open(t, c)
	again, err := s.Admin().ImportCheck(t.Context(), q)
	if err != nil || again.There < 5 || again.Ready != 60-again.There || again.Bad != 0 {
		t.Fatalf("after the restart: %+v, %v", again, err)
	}
	if _, err := s.Admin().ImportStart(t.Context(), again.ID); err != nil {
		t.Fatal(err)
	}
	for again.State != "done" {
		if again, err = s.Admin().Import(t.Context(), again.ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Millisecond)
	}
	if people, _ := s.working.Count(); people != 60 || len(again.Failed) > 0 {
		t.Errorf("%d are enrolled, %v failed", people, again.Failed)
	}
	report, err := s.Admin().AuditVerify(t.Context(), wire.AuditVerifyRequest{})
	if err != nil || len(report.Findings) > 0 {
		t.Errorf("the log: %+v, %v", report.Findings, err)
	}
}
