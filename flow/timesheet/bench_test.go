package timesheet_test

import (
	"testing"
	"time"

	"gatehouse"
	"gatehouse/flow/timesheet"
	"gatehouse/store/sqlite"
)

// BenchmarkSheet is one person's month out of an encrypted store that has the punches of
// 2,000 people for three months, as a page shows it; BenchmarkEverybody the month of all.
func BenchmarkSheet(b *testing.B) {
	h, people := crowd(b)
	for i := 0; b.Loop(); i++ {
		v, err := h.Sheet(b.Context(), people[i%len(people)], "2026-11-01", "2026-11-30", timesheet.AsOf{})
		if err != nil || v.Sheet.Days[2].Worked == 0 {
			b.Fatal(err)
		}
	}
}

func BenchmarkEverybody(b *testing.B) {
	h, people := crowd(b)
	for b.Loop() {
		n := 0
		err := h.Everybody(b.Context(), "2026-11-01", "2026-11-30", timesheet.AsOf{}, func(gatehouse.GroupID, gatehouse.Timesheet) error { n++; return nil })
		if err != nil || n != len(people) {
			b.Fatal(n, err)
		}
	}
}

func crowd(b *testing.B) (*timesheet.Hours, []gatehouse.SubjectID) {
	b.Helper()
	store, err := sqlite.Open(b.Context(), sqlite.Options{Dir: b.TempDir(), Key: func(string) ([32]byte, error) { return [32]byte{1}, nil }})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	people := make([]gatehouse.SubjectID, 2000)
	for i := range people {
		people[i] = gatehouse.RandomID()
	}
	for day := time.Date(2026, 10, 1, 8, 0, 0, 0, zone); day.Year() == 2026; day = day.AddDate(0, 0, 1) {
		var list []gatehouse.Punch
		for _, who := range people {
			for k, hour := range []int{0, 4, 5, 9} {
				at := day.Add(time.Duration(hour) * time.Hour)
				list = append(list, gatehouse.Punch{ID: gatehouse.NewID(at), Subject: who, Source: gatehouse.FromPassage, Site: place.Site, Direction: []gatehouse.Direction{gatehouse.In, gatehouse.Out}[k%2], At: at, Made: at})
			}
		}
		if _, err := store.AddPunches(b.Context(), place, list, nil); err != nil {
			b.Fatal(err)
		}
	}
	h, err := timesheet.Load(b.Context(), timesheet.Ports{Place: place, Location: zone, Store: store, Passages: store, Subjects: store, Sealer: closed{}, Newest: store.Newest, Now: func() time.Time { return time.Date(2027, 1, 1, 0, 0, 0, 0, zone) }})
	if err != nil {
		b.Fatal(err)
	}
	return h, people
}

// BenchmarkPeople is the list of everybody's month as the pages and the API show it: the
// first time, again, and after somebody punched.
func BenchmarkPeople(b *testing.B) {
	h, people := crowd(b)
	list := func(b *testing.B) {
		if got, err := h.People(b.Context(), "2026-11-01", "2026-11-30"); err != nil || len(got) != len(people) {
			b.Fatal(len(got), err)
		}
	}
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			h.Forget()
			list(b)
		}
	})
	b.Run("again", func(b *testing.B) {
		for b.Loop() {
			list(b)
		}
	})
	punch := func(b *testing.B, i int) {
		at := time.Date(2026, 11, 3, 17, 30, i, 0, zone)
		if _, err := h.Store.AddPunches(b.Context(), place, []gatehouse.Punch{{ID: gatehouse.NewID(at), Subject: people[i%len(people)], Source: gatehouse.FromPassage, Site: place.Site, Direction: gatehouse.In, At: at, Made: at}}, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("punched", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			punch(b, i)
			list(b)
		}
	})
	teams := func(b *testing.B) {
		if _, all, err := h.Performance(b.Context(), "2026-11-01", "2026-11-30"); err != nil || all.People != len(people) {
			b.Fatal(all.People, err)
		}
	}
	b.Run("teams", func(b *testing.B) {
		for b.Loop() {
			teams(b)
		}
	})
	b.Run("teams/punched", func(b *testing.B) {
		for i := 100_000; b.Loop(); i++ {
			punch(b, i)
			teams(b)
		}
	})
}
