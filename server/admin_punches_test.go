package server

import (
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/rules/attendance"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
)

// A workbook whose times are dates to a spreadsheet is read as its clock shows them; what is
// a text that looks like one, or a formula, is said with its row and column.
func TestPunchesOfAWorkbook(t *testing.T) {
	f := excelize.NewFile()
	defer f.Close()
	rows := [][]any{{"No.", "Name", "When", "State"}, {17, "Anna", time.Date(2026, 1, 5, 8, 0, 30, 0, time.UTC), "C/In"}, {17, "Anna", "2026-01-05 17:00", "C/Out"}, {17, "Anna", time.Date(2026, 1, 5, 17, 0, 0, 0, time.UTC), "OT"}}
	for i, r := range rows {
		cell, err := excelize.CoordinatesToCellName(1, i+1)
		must(t, err)
		must(t, f.SetSheetRow("Sheet1", cell, &r))
	}
	must(t, f.SetCellFormula("Sheet1", "C5", "NOW()"))
	must(t, f.SetCellStr("Sheet1", "A5", "18"))
	b, err := f.WriteToBuffer()
	must(t, err)
	file := wire.PunchFile{Data: b.Bytes(), Prefix: "B-", Columns: wire.PunchColumns{Person: "no.", At: "When", Direction: "State"}}
	got, date1904, found, err := punchRows(file)
	must(t, err)
	if diff := cmp.Diff([]wire.RowProblem{{Line: 5, Column: "When", Code: "punch.formula", Reason: "it is a formula, and no value"}}, found); diff != "" || date1904 {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	must(t, err)
	var in []attendance.PunchRow
	for _, r := range got[:3] {
		in = append(in, attendance.PunchRow{Line: r.Line, Who: r.Person, At: r.At, Direction: r.Direction})
	}
	anna := gatehouse.RandomID()
	punches, wrong := attendance.FromRows(in, attendance.PunchFormat{Serial: true, Zone: berlin, In: "C/In|0", Out: "C/Out|1", Neither: "OT", Site: "main"}, map[string]gatehouse.SubjectID{"B-17": anna}, time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC), func() gatehouse.ID { return gatehouse.ID{} })
	if len(wrong) != 1 || wrong[0].Line != 3 || wrong[0].Code != "punch.time" || wrong[0].Column() != "at" {
		t.Errorf("a text for a date: %v", wrong)
	}
	if len(punches) != 2 || !punches[0].At.Equal(time.Date(2026, 1, 5, 7, 0, 30, 0, time.UTC)) || punches[0].Direction != gatehouse.In || punches[1].Direction != "" {
		t.Errorf("read %+v", punches)
	}
	file.Columns.At = "Time"
	if _, _, _, err := punchRows(file); gatehouse.ErrorCode(err) != "hours.import" {
		t.Errorf("a column that is not there: %v", err)
	}
}
