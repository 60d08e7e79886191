package privacy

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func day(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", s, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestAnswer(t *testing.T) {
	for opened, want := range map[string][2]string{
		"2026-01-15 10:00": {"2026-02-14 23:59", "2026-04-15 23:59"},
		"2026-01-31 10:00": {"2026-02-28 23:59", "2026-04-30 23:59"},
		"2028-01-31 00:00": {"2028-02-29 23:59", "2028-04-30 23:59"},
		"2026-04-30 23:59": {"2026-05-30 23:59", "2026-07-30 23:59"},
		"2026-12-31 12:00": {"2027-01-30 23:59", "2027-03-31 23:59"},
	} {
		at := day(t, opened)
		if got := Answer(at, time.UTC).Format("2006-01-02 15:04"); got != want[0] {
			t.Errorf("%s is due %s, not %s", opened, got, want[0])
		}
		if got := Extend(at, time.UTC).Format("2006-01-02 15:04"); got != want[1] {
			t.Errorf("%s, extended, is due %s, not %s", opened, got, want[1])
		}
	}
	// The site's day counts: in Shanghai it is tomorrow already.
	shanghai := time.FixedZone("CST", 8*3600)
	if got := Answer(day(t, "2026-03-01 20:00"), shanghai).Format(time.DateOnly); got != "2026-04-01" {
		t.Errorf("an evening in UTC is due %s in Shanghai", got)
	}
}

func TestAnswerHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		opened := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "opened"), 0)
		zone := time.FixedZone("", rapid.IntRange(-12, 14).Draw(t, "zone")*3600)
		due, later := Answer(opened, zone), Extend(opened, zone)
		if days := due.Sub(opened).Hours() / 24; days < 27 || days > 31 {
			t.Fatalf("due after %.1f days", days)
		}
		if !later.After(due) || later.Sub(opened) > 93*24*time.Hour {
			t.Fatalf("extended from %v to %v", due, later)
		}
	})
}

func TestFiling(t *testing.T) {
	for people, want := range map[int]FilingState{0: Below, 79_999: Below, 80_000: Near, 99_999: Near, 100_000: Due, 200_000: Due} {
		if got := FilingOf(people); got != want {
			t.Errorf("%d people: %s", people, got)
		}
	}
}

func TestLapsing(t *testing.T) {
	now := day(t, "2026-06-01 12:00")
	for until, want := range map[time.Time]bool{{}: false, now.AddDate(0, 0, 29): true, now.AddDate(0, 0, 31): false, now.AddDate(0, 0, -1): true} {
		if got := Lapsing(until, now); got != want {
			t.Errorf("until %v: %t", until, got)
		}
	}
}
