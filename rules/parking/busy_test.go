package parking

import (
	"math/rand/v2"
	"testing"
	"time"
)

func TestBusiest(t *testing.T) {
	day := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	at := func(hour, minute int) time.Time {
		return day.Add(time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute)
	}
	steps := Busiest([]Presence{
		{at(-5, 0), at(1, 30)},  // from the day before
		{at(-9, 0), at(-1, 0)},  // had left
		{at(1, 0), at(1, 10)},   // in and out within an hour
		{at(1, 30), at(2, 0)},   // takes the space in the moment in which the first leaves it
		{at(2, 0), time.Time{}}, // still there
		{at(4, 0), at(4, 0)},    // reversed: never inside
		{at(9, 0), time.Time{}}, // later
	}, day, at(4, 30), time.Hour)
	want := []Busy{{From: day, Most: 1}, {From: at(1, 0), Most: 2, In: 2, Out: 2}, {From: at(2, 0), Most: 1, In: 1, Out: 1}, {From: at(3, 0), Most: 1}, {From: at(4, 0), Most: 1}}
	if len(steps) != len(want) {
		t.Fatalf("%d steps", len(steps))
	}
	for i := range want {
		if steps[i] != want[i] {
			t.Errorf("step %d is %+v, not %+v", i, steps[i], want[i])
		}
	}
}

// Against counting, minute for minute.
func TestBusiestIsWhatIsCounted(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 7))
	day := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	for range 200 {
		var all []Presence
		for range r.IntN(12) {
			p := Presence{From: day.Add(time.Duration(r.IntN(400)-100) * time.Minute)}
			if r.IntN(4) > 0 {
				p.Until = p.From.Add(time.Duration(r.IntN(200)) * time.Minute)
			}
			all = append(all, p)
		}
		for _, s := range Busiest(all, day, day.Add(5*time.Hour), time.Hour) {
			most, in, out := 0, 0, 0
			for m := range 60 {
				now, inside := s.From.Add(time.Duration(m)*time.Minute), 0
				for _, p := range all {
					if !p.Until.IsZero() && !p.Until.After(p.From) {
						continue
					}
					if !p.From.After(now) && (p.Until.IsZero() || p.Until.After(now)) {
						inside++
					}
					if p.From.Equal(now) {
						in++
					}
					if p.Until.Equal(now) {
						out++
					}
				}
				most = max(most, inside)
			}
			if s.Most != most || s.In != in || s.Out != out {
				t.Fatalf("%+v, counted %d %d %d: %v", s, most, in, out, all)
			}
		}
	}
}
