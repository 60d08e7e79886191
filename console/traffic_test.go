package console_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

// Passages are counted by hour and by day, at one gate or all, in the site's time; the table
// and its file say what the chart shows.
func TestPassagesOverTime(t *testing.T) {
	s, g := open(t)
	day := time.Now().UTC().AddDate(0, 0, -2).Truncate(24 * time.Hour)
	for i, at := range []time.Duration{time.Hour, 90 * time.Minute, 5 * time.Hour, 29 * time.Hour} {
		p := face(gatehouse.RandomID())
		p.At = day.Add(at)
		if i == 1 {
			p.Gate, p.Decision = "car-park", gatehouse.Decision{Reason: gatehouse.Unknown}
		}
		s.Arrive(p, gatehouse.Detail{})
	}
	from, until := day.Format(time.DateOnly), day.AddDate(0, 0, 1).Format(time.DateOnly)
	query := "?from=" + from + "&until=" + until
	data := func(query string) (columns [3][]int64) {
		_, body := g.get("/traffic/counts" + query)
		var all map[string][3][]int64
		if err := json.Unmarshal([]byte(body), &all); err != nil {
			t.Fatal(err, body)
		}
		return all["passages"]
	}
	got := data(query)
	if len(got[0]) != 48 || got[0][1] != day.Add(time.Hour).Unix() || got[1][1] != 1 || got[2][1] != 1 || got[1][5] != 1 || got[1][29] != 1 || got[1][0] != 0 {
		t.Errorf("by hour: %v", got)
	}
	if got = data(query + "&gate=car-park"); got[1][1] != 0 || got[2][1] != 1 {
		t.Errorf("at one gate: %v", got)
	}
	week := "?from=" + day.AddDate(0, 0, -9).Format(time.DateOnly) + "&until=" + until
	if got = data(week); len(got[0]) != 11 || got[1][9] != 2 || got[2][9] != 1 || got[1][10] != 1 {
		t.Errorf("by day: %v", got)
	}
	_, page := g.get("/traffic" + query + "&sort=-granted")
	if !strings.Contains(page, "3 were let in and 1 turned away") || !regexp.MustCompile(`<tbody>\s*<tr><th scope="row"><time datetime="`+from+`T01:00:00Z">`).MatchString(page) {
		t.Error("the table does not begin with the busiest hour")
	}
	if _, file := g.get("/traffic" + query + "&format=csv"); strings.Count(file, "\n") != 49 || !strings.Contains(file, from+"T01:00:00Z,,1,1\n") {
		t.Errorf("the file: %.200s", file)
	}
}
