package sheet

import (
	"strings"
	"testing"
)

// What is written is read again as it was, and nothing of it is a formula.
func TestWrite(t *testing.T) {
	titles := []string{"what", "amount"}
	rows := [][]Cell{{{"=1+1", false}, {"-2.50", true}}, {{"@SUM(A1)", false}, {"7", true}}, {{"a, \"b\"", false}, {"", false}}}
	text := string(WriteCSV(titles, rows))
	for _, want := range []string{"'=1+1,-2.50\r\n", "'@SUM(A1),7\r\n", "\"a, \"\"b\"\"\","} {
		if !strings.Contains(text, want) {
			t.Errorf("the CSV lacks %q: %q", want, text)
		}
	}
	b, err := WriteXLSX(titles, rows)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Read(b, "")
	if err != nil || len(got.Rows) != 3 || got.Rows[0].Cells[0] != "=1+1" || got.Rows[0].Cells[1] != "-2.5" {
		t.Errorf("%+v, %v", got, err)
	}
}
