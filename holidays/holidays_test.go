package holidays

import (
	"slices"
	"testing"

	"gatehouse"
)

func dates(t *testing.T, place string, year int) (out []gatehouse.Date) {
	t.Helper()
	c, err := Of(place, year, year)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range c.Days {
		if d.Kind != gatehouse.HolidayDay || d.Title == "" {
			t.Errorf("%s: %+v", place, d)
		}
		out = append(out, d.Date)
	}
	return out
}

// Days that stand in the countries' own lists for 2026.
func TestKnownHolidays(t *testing.T) {
	for place, want := range map[string][]gatehouse.Date{
		"de":    {"2026-01-01", "2026-04-03", "2026-04-06", "2026-05-01", "2026-05-14", "2026-05-25", "2026-10-03", "2026-12-25", "2026-12-26"},
		"us":    {"2026-01-01", "2026-01-19", "2026-02-16", "2026-05-25", "2026-06-19", "2026-07-03", "2026-09-07", "2026-10-12", "2026-11-11", "2026-11-26", "2026-12-25"},
		"fr":    {"2026-01-01", "2026-04-06", "2026-05-01", "2026-05-08", "2026-05-14", "2026-05-25", "2026-07-14", "2026-08-15", "2026-11-01", "2026-11-11", "2026-12-25"},
		"de-by": nil,
	} {
		got := dates(t, place, 2026)
		if place == "de-by" {
			for _, d := range []gatehouse.Date{"2026-01-06", "2026-06-04", "2026-11-01", "2026-10-03"} {
				if !slices.Contains(got, d) {
					t.Errorf("Bavaria works on %s", d)
				}
			}
			continue
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", place, got, want)
		}
	}
	// New Year's Day 2022 was a Saturday: observed in the year before.
	if got := dates(t, "us", 2021); !slices.Contains(got, "2021-12-31") {
		t.Errorf("2021: %v", got)
	}
}

func TestEveryPlaceHasItsDays(t *testing.T) {
	for _, place := range Places() {
		for year := 2024; year <= 2030; year++ {
			got := dates(t, place, year)
			if len(got) < 5 || len(got) > 25 || !slices.IsSorted(got) {
				t.Errorf("%s %d: %v", place, year, got)
			}
		}
	}
	if _, err := Of("xx", 2026, 2026); gatehouse.ErrorCode(err) != "holidays.unknown" {
		t.Error(err)
	}
	if _, err := Of("de", 2027, 2026); gatehouse.ErrorCode(err) != "holidays.years" {
		t.Error(err)
	}
}
