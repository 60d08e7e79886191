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
