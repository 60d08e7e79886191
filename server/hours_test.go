package server

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/console"
	"gatehouse/flow/accounts"
	"gatehouse/flow/follow"
	"gatehouse/flow/timesheet"
	"gatehouse/rules/privacy"

	"filippo.io/age"
	"github.com/xuri/excelize/v2"
)

func TestAttendanceThatCannotBe(t *testing.T) {
	gates := []GateConfig{{ID: "front-door", Kind: "door"}, {ID: "lane", Kind: "lane"}}
	for _, c := range []struct {
		AttendanceConfig
		law string
		ok  bool
	}{
		{AttendanceConfig{Gates: []string{"front-door"}, Faces: true}, "eu", true},
		{AttendanceConfig{Gates: []string{"front-door"}}, "fr", true},
		{AttendanceConfig{Gates: []string{"front-door"}, Faces: true}, "fr", false},
		{AttendanceConfig{Gates: []string{"lane"}}, "", false},
		{AttendanceConfig{Gates: []string{"gone"}}, "", false},
	} {
		law, err := privacy.LawOf(c.law, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.check(gates, law); (err == nil) != c.ok {
			t.Errorf("%+v under %q: %v", c.AttendanceConfig, c.law, err)
		}
	}
}

// A site's hours, from the reader to the payroll program, with the vault sealed until the
// end: passages count, an erased person's hours are nobody's, and the file is the same
// whatever was changed since.
func TestHoursOfASite(t *testing.T) {
	c := testConfig(t)
	c.Gates[0].RepeatWithin = 0
	c.Attendance.Gates = []string{"front-door"}
	s := open(t, c)
	ctx := t.Context()
	if _, err := s.hours.Cursor(ctx); err != nil {
		t.Fatal(err)
	}
	addDevice(t, s, "tablet")
	anna, ben := enrol(t, s, "B-1", "Anna Nowak", nil), enrol(t, s, "B-2", "Ben Nowak", nil)
	for _, number := range []gatehouse.Secret{"card B-1", "card B-2"} {
		card(t, s, "tablet", number)
	}
	followNow(t, s)
	for _, id := range []gatehouse.SubjectID{anna, ben} {
		if traces, err := s.store.SubjectTraces(ctx, s.Place(), id); err != nil || traces.Hours != 1 {
			t.Fatalf("%+v, %v", traces, err)
		}
	}

	admin := s.Admin()
	rows := wire.PunchImportRequest{Layout: time.RFC3339, In: "in", Out: "out"}
	for i, at := range []string{"2026-01-05T08:00:00Z in", "2026-01-05T17:30:00Z out"} {
		when, way, _ := strings.Cut(at, " ")
		for k, label := range []string{"B-1", "B-2"} {
			rows.Rows = append(rows.Rows, wire.PunchRow{Line: 2*i + k + 2, Person: label, At: when, Direction: way})
		}
	}
	if got, err := admin.ImportPunches(ctx, rows); err != nil || got.Added != 4 {
		t.Fatalf("%+v, %v", got, err)
	}
	// The same from the console, as a file, changes nothing; a file with a wrong row changes nothing at all.
	upload := console.PunchUpload{Person: "No", At: "When", Direction: "Way", Layout: rows.Layout, Encoding: "auto", Zone: rows.Zone, In: rows.In, Out: rows.Out}
	file := "No,When,Way,Name\n"
	for _, r := range rows.Rows {
		file += r.Person + "," + r.At + "," + r.Direction + ",whoever\n"
	}
	upload.Data = []byte(file)
	if got, err := (pages{s}).ImportPunches(ctx, timesheet.Actor{Account: gatehouse.RandomID()}, upload); err != nil || got.Rows != 4 || got.There() != 4 {
		t.Errorf("the same as a file: %+v, %v", got, err)
	}
	upload.Data = []byte(file + "nobody," + rows.Rows[0].At + "," + rows.Rows[0].Direction + ",x\n")
	if got, err := (pages{s}).ImportPunches(ctx, timesheet.Actor{Account: gatehouse.RandomID()}, upload); err != nil || got.Added != 0 || len(got.Problems) != 1 || got.Problems[0] != (console.PunchProblem{Line: 6, Column: "No", Code: "punch.who", Reason: got.Problems[0].Reason}) {
		t.Errorf("a row of nobody: %+v, %v", got, err)
	}
	upload.Person = "Badge"
	if _, err := (pages{s}).ImportPunches(ctx, timesheet.Actor{Account: gatehouse.RandomID()}, upload); gatehouse.ErrorCode(err) != "hours.import" {
		t.Errorf("a column that is not there: %v", err)
	}
	if _, err := admin.PutPlan(ctx, wire.PlanRequest{Rules: &wire.HoursRules{From: "2026-01-01", Preset: "cn"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := admin.ClosePeriod(ctx, wire.PeriodRequest{From: "2026-01-05", Until: "2026-01-11"}); err != nil {
		t.Fatal(err)
	}
	key, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	other := timesheet.Actor{Account: gatehouse.RandomID()}
	take := func(format gatehouse.PayFormat) ([]byte, string) {
		t.Helper()
		asked, err := admin.AskPayExport(ctx, wire.PayExportAsk{From: "2026-01-05", Until: "2026-01-11", Format: format, Recipients: []string{key.Recipient().String()}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := admin.PayExportFile(ctx, asked.ID); gatehouse.ErrorCode(err) != "export.two_people" {
			t.Errorf("one person took a file: %v", err)
		}
		if _, err := s.hours.ApproveExport(ctx, other, asked.ID); err != nil {
			t.Fatal(err)
		}
		file, err := admin.PayExportFile(ctx, asked.ID)
		if err != nil {
			t.Fatal(err)
		}
		r, err := age.Decrypt(bytes.NewReader(file.Sealed), key)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := io.ReadAll(r)
		if err != nil || bytes.Contains(file.Sealed, []byte("overtime")) {
			t.Fatalf("not encrypted: %v", err)
		}
		return plain, file.SHA256
	}
	table, digest := take(gatehouse.PayCSV)
	for _, line := range []string{"B-1,,2026-01-05,2026-01-11,regular,100.00,480,8.00,0.00,main,,\r\n", "B-2,,2026-01-05,2026-01-11,overtime-150,150.00,90,1.50,0.00,main,,\r\n"} {
		if !bytes.Contains(table, []byte(line)) {
			t.Errorf("the file has no %q:\n%s", line, table)
		}
	}
	book, _ := take(gatehouse.PayXLSX)
	sheet, err := excelize.OpenReader(bytes.NewReader(book))
	if err != nil {
		t.Fatal(err)
	}
	if cells, err := sheet.GetRows(sheet.GetSheetName(0)); err != nil || len(cells) != 5 || cells[1][0] != "B-1" {
		t.Errorf("%v, %v", cells, err)
	}

	// Rules that change do not change what was closed.
	if _, err := admin.PutPlan(ctx, wire.PlanRequest{Rules: &wire.HoursRules{From: "2026-01-01", Name: "none"}}); err != nil {
		t.Fatal(err)
	}
	if again, sum := take(gatehouse.PayCSV); !bytes.Equal(again, table) || sum != digest {
		t.Errorf("the same hours give another file:\n%s\n%s", table, again)
	}
	if diff, err := admin.HoursDifferences(ctx, anna, "2026-01-05", "2026-01-11", 0, time.Time{}); err != nil || len(diff.Differences) != 2 {
		t.Errorf("since it was closed: %+v, %v", diff, err)
	}

	// What people write is sealed; whoever decides reads it.
	asked, err := admin.AskCorrection(ctx, wire.CorrectionAsk{Person: "B-1", Kind: gatehouse.DisputeTime, At: time.Now().Add(-time.Minute), Reason: "no break was given"})
	if err != nil {
		t.Fatal(err)
	}
	clerk := console.Who{Operator: "site/clerk", Role: gatehouse.SiteManager}
	if _, err := (pages{s}).CorrectionReason(ctx, clerk, asked.ID); gatehouse.ErrorCode(err) != "vault.sealed" {
		t.Errorf("the reason while the vault is sealed: %v", err)
	}
	if err := s.Unseal(ctx, []byte(passphrase)); err != nil {
		t.Fatal(err)
	}
	if words, err := (pages{s}).CorrectionReason(ctx, clerk, asked.ID); err != nil || words != "no break was given" {
		t.Errorf("%q, %v", words, err)
	}

	account, _, err := s.accounts.Add(ctx, "test", accounts.New{Login: "e-1", Roles: []gatehouse.Assignment{{Role: gatehouse.Employee}}, Person: anna})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := admin.Erase(ctx, wire.EraseRequest{Subject: anna, Reason: "asked for it"}); err != nil {
		t.Fatal(err)
	}
	if traces, err := s.store.SubjectTraces(ctx, s.Place(), anna); err != nil || traces != (gatehouse.SubjectTraces{}) {
		t.Errorf("after the erasure: %+v, %v", traces, err)
	}
	if _, there := s.accounts.Account(account.ID); there {
		t.Error("an erased person has an account")
	}
	if gone, _ := take(gatehouse.PayCSV); bytes.Contains(gone, []byte("B-1,")) || !bytes.Contains(gone, []byte("B-2,")) || bytes.Count(gone, []byte("erased-")) != 2 {
		t.Errorf("after the erasure:\n%s", gone)
	}
}

func followNow(t *testing.T, s *Server) {
	t.Helper()
	if _, err := follow.CatchUp(t.Context(), s.store, s.hours); err != nil {
		t.Fatal(err)
	}
}
