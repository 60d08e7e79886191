package attendance

import (
	"testing"

	"gatehouse"
)

func TestBalance(t *testing.T) {
	const days = 480
	annual := gatehouse.LeaveKind{ID: "annual", PerYear: 24 * days, CarryOver: 5 * days}
	monthly := annual
	monthly.Monthly = true
	for _, c := range []struct {
		name                     string
		kind                     gatehouse.LeaveKind
		joined, on               gatehouse.Date
		taken                    map[int]int
		accrued, carried, taken2 int
	}{
		{"all of it on 1 January", annual, "2020-05-01", "2026-01-01", nil, 24 * days, 5 * days, 0},
		{"nothing is left from a year in which it was taken", annual, "2020-05-01", "2026-03-01", map[int]int{2025: 24 * days, 2026: 3 * days}, 24 * days, 0, 3 * days},
		{"two days are", annual, "2020-05-01", "2026-03-01", map[int]int{2025: 22 * days}, 24 * days, 2 * days, 0},
		{"a year that began in July", annual, "2026-07-15", "2026-08-01", nil, 12 * days, 0, 0},
		{"by month", monthly, "2020-05-01", "2026-03-31", nil, 6 * days, 5 * days, 0},
		{"by month, from July", monthly, "2026-07-15", "2026-08-01", nil, 4 * days, 0, 0},
		{"before anything", monthly, "2026-07-15", "2026-07-14", nil, 0, 0, 0},
		{"who joined last year carries what that year gave", annual, "2025-12-01", "2026-01-15", nil, 24 * days, 2 * days, 0},
	} {
		b := Balance(c.kind, c.joined, c.on, c.taken)
		if b.Accrued != c.accrued || b.Carried != c.carried || b.Taken != c.taken2 || b.Left() != c.accrued+c.carried-c.taken2 {
			t.Errorf("%s: %+v", c.name, b)
		}
	}
}
