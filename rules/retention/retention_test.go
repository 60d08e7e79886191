package retention

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Nothing of a kept day is older than it may be, and the day before is.
func TestFirstKept(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "now"), 0).In(time.FixedZone("", rapid.IntRange(-12, 14).Draw(t, "zone")*3600))
		keep := time.Duration(rapid.Int64Range(0, 1000).Draw(t, "hours")) * time.Hour
		day := FirstKept(now, keep)
		if day != day.UTC().Truncate(24*time.Hour) {
			t.Fatalf("%v is no UTC day", day)
		}
		if now.Sub(day) > keep {
			t.Fatalf("an item of %v would be %v old", day, now.Sub(day))
		}
		if now.Sub(day.Add(-24*time.Hour)) <= keep {
			t.Fatalf("the whole day before %v might have been kept", day)
		}
	})
}

func TestPolicyIsRequiredAndFinite(t *testing.T) {
	good := Policy{Passages: 90 * Day, Frames: 7 * Day, Strangers: 3 * Day, Records: 1095 * Day, Metadata: 730 * Day}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Policy){
		"none":                           func(p *Policy) { p.Records = 0 },
		"frames for eight days":          func(p *Policy) { p.Frames = 8 * Day },
		"strangers for four days":        func(p *Policy) { p.Strangers = 4 * Day },
		"for ever":                       func(p *Policy) { p.Passages = 1 << 62 },
		"metadata shorter than passages": func(p *Policy) { p.Metadata = 30 * Day },
		"less than nothing":              func(p *Policy) { p.Metadata = -Day },
	} {
		p := good
		change(&p)
		if p.Check() == nil {
			t.Errorf("%s was allowed", name)
		}
	}
	if _, records := good.Classes()["record"]; records {
		t.Error("records expire by day")
	}
}

func TestMonthOver(t *testing.T) {
	june := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	july := june.AddDate(0, 1, 0)
	if MonthOver(june, 30*Day, july.Add(30*Day-time.Second)) || !MonthOver(june, 30*Day, july.Add(30*Day)) {
		t.Error("June is over when its last second is 30 days old, and not before")
	}
}

func TestLeft(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	ago := func(days int) time.Time { return now.AddDate(0, 0, -days) }
	for name, c := range map[string]struct {
		Presence
		want bool
	}{
		"works here":                    {Presence{Enrolled: ago(900), Last: ago(1)}, false},
		"has not come for years":        {Presence{Enrolled: ago(900), Last: ago(800)}, false}, // may still pass
		"ended long ago":                {Presence{Enrolled: ago(900), Last: ago(500), ValidUntil: ago(400)}, true},
		"ended a while ago":             {Presence{Enrolled: ago(900), Last: ago(500), ValidUntil: ago(300)}, false},
		"ended, and seen since":         {Presence{Enrolled: ago(900), Last: ago(10), ValidUntil: ago(400)}, false},
		"suspended long ago":            {Presence{Enrolled: ago(900), Last: ago(400), Suspended: true}, true},
		"suspended, enrolled yesterday": {Presence{Enrolled: ago(1), Suspended: true}, false},
		"ends next year":                {Presence{Enrolled: ago(900), ValidUntil: now.AddDate(1, 0, 0)}, false},
	} {
		if got := Left(c.Presence, 365*Day, now); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}
