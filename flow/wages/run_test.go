package wages

import (
	"testing"

	"gatehouse"

	"github.com/google/go-cmp/cmp"
)

// The days of a period are each under one of somebody's terms, and none under two.
func TestTermsInForce(t *testing.T) {
	type days struct{ Terms, From, Until gatehouse.Date }
	for name, c := range map[string]struct {
		starts []gatehouse.Date // the newest first
		want   []days
	}{
		"none":                     {nil, nil},
		"later than the period":    {[]gatehouse.Date{"2026-12-01"}, nil},
		"since long":               {[]gatehouse.Date{"2026-12-01", "2026-01-01", "2025-01-01"}, []days{{"2026-01-01", "2026-11-01", "2026-11-30"}}},
		"from the first day":       {[]gatehouse.Date{"2026-11-01", "2026-01-01"}, []days{{"2026-11-01", "2026-11-01", "2026-11-30"}}},
		"raised within it":         {[]gatehouse.Date{"2026-11-16", "2026-01-01"}, []days{{"2026-01-01", "2026-11-01", "2026-11-15"}, {"2026-11-16", "2026-11-16", "2026-11-30"}}},
		"on the last day, twice":   {[]gatehouse.Date{"2026-11-30", "2026-11-29", "2026-01-01"}, []days{{"2026-01-01", "2026-11-01", "2026-11-28"}, {"2026-11-29", "2026-11-29", "2026-11-29"}, {"2026-11-30", "2026-11-30", "2026-11-30"}}},
		"nothing before the first": {[]gatehouse.Date{"2026-11-16"}, []days{{"2026-11-16", "2026-11-01", "2026-11-30"}}},
	} {
		var list []gatehouse.StoredPayTerms
		for _, d := range c.starts {
			list = append(list, gatehouse.StoredPayTerms{From: d})
		}
		var got []days
		for _, one := range inForce(list, "2026-11-01", "2026-11-30") {
			got = append(got, days{one.From, one.from, one.until})
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
