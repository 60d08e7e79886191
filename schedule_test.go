package gatehouse_test

import (
	"slices"
	"testing"

	"gatehouse"
)

func TestScheduleText(t *testing.T) {
	var s gatehouse.Schedule
	for _, line := range []string{"mon-fri 08:00-12:00", "Mon - Fri 13:00 – 17:00", "sat 22:00-06:00", "sun 00:00-24:00"} {
		w, err := gatehouse.ParseWindows(line)
		if err != nil {
			t.Fatal(line, err)
		}
		s.Windows = append(s.Windows, w...)
	}
	want := []string{"mon-fri 08:00-12:00 13:00-17:00", "sat 22:00-06:00", "sun 00:00-24:00"}
	if got := s.Lines(); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	for _, line := range []string{"", "mon", "mon 7-9", "mon 07:00", "mon 25:00-26:00", "foo 07:00-08:00", "mon-xyz 07:00-08:00", "mon 24:00-06:00", "mon -1:00-06:00"} {
		if w, err := gatehouse.ParseWindows(line); err == nil {
			t.Errorf("%q is read as %v", line, w)
		}
	}
	for _, line := range []string{"2026-12-24 07:00-10:00 12:00-13:00", "2026-12-25 closed", "2026-12-31 22:00-03:00"} {
		d, err := gatehouse.ParseSpecialDay(line)
		if err != nil || d.String() != line {
			t.Errorf("%q became %q, %v", line, d, err)
		}
	}
	for _, line := range []string{"", "2026-02-30 closed", "2026-12-24", "2026-12-24 shut", "1970-01-01 closed", "24.12.2026 closed"} {
		if d, err := gatehouse.ParseSpecialDay(line); err == nil {
			t.Errorf("%q is read as %v", line, d)
		}
	}
}
