package bench

import (
	"os"
	"testing"
)

// Few people, so that what the bench measures is what it says: everybody worked, about
// eight hours on five days of seven.
func TestAttendance(t *testing.T) {
	res, err := RunAttendance(t.Context(), AttendanceOptions{People: 8, Days: 60, Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	hours := float64(res.Worked) / 8 / 60
	if hours < 4.5 || hours > 7 || res.Punches < 8*60*2 || res.Full <= 0 || res.OneMonth <= 0 || res.Changed == 0 {
		t.Errorf("%+v: %.1f hours a day", res, hours)
	}
	if _, err := RunAttendance(t.Context(), AttendanceOptions{People: 1, Days: 5, Dir: t.TempDir()}); err == nil {
		t.Error("five days have no month")
	}
}

// One person's year with a thousand punches.
func BenchmarkRecalculateYear(b *testing.B) {
	f, err := os.CreateTemp(b.TempDir(), "")
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	ends, err := writePunches(f, AttendanceOptions{People: 4, Days: 365})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := everyDay(f, ends, i%4, 365); err != nil {
			b.Fatal(err)
		}
	}
}
