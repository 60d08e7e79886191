package sqlite_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/store/sqlite"
)

// BenchmarkCommit commits passages with a sealed detail of 4 KiB, one reference to
// evidence and a leaf, each durable before its call returns.
func BenchmarkCommit(b *testing.B) {
	for _, committers := range []int{1, 8} {
		b.Run(fmt.Sprintf("committers=%d", committers), func(b *testing.B) {
			s := openStore(b, b.TempDir(), fileKeys{})
			commits := make([]gatehouse.PassageCommit, b.N)
			for i := range commits {
				commits[i] = newCommit(noon.Add(time.Duration(i) * time.Second))
			}
			var next atomic.Int64
			var wg sync.WaitGroup
			b.ResetTimer()
			for range committers {
				wg.Go(func() {
					for i := next.Add(1) - 1; i < int64(b.N); i = next.Add(1) - 1 {
						if err := s.CommitPassage(b.Context(), commits[i]); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "commits/s")
		})
	}
}

// BenchmarkNewest reads the newest 50 of 100,000 passages of a month, as the live
// page does when it is opened.
func BenchmarkNewest(b *testing.B) {
	const rows = 100_000
	s := openStore(b, b.TempDir(), fileKeys{})
	fill(b, s, rows, 10*time.Millisecond)
	for name, q := range map[string]gatehouse.PassageQuery{
		"all":   {Place: here, Limit: 50},
		"gate":  {Place: here, Gate: "front-door", Limit: 50},
		"since": {Place: here, Since: noon.Add(rows*10*time.Millisecond - time.Minute), Limit: 50},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if got, err := s.Passages(b.Context(), q); err != nil || len(got) != 50 {
					b.Fatal(len(got), err)
				}
			}
		})
	}
	b.Run("counts", func(b *testing.B) {
		for b.Loop() {
			counts, err := s.CountPassages(b.Context(), here, noon, noon.Add(24*time.Hour), gatehouse.AllGates())
			if err != nil || counts.Granted != rows {
				b.Fatal(counts, err)
			}
		}
	})
}

// BenchmarkMillion pages through a year with a million passages, 50 at a time: the first
// page, and the one that ends with the oldest passage.
func BenchmarkMillion(b *testing.B) {
	const rows, every = 1_000_000, 31 * time.Second
	s := openStore(b, b.TempDir(), fileKeys{})
	fill(b, s, rows, every)
	oldest, err := s.Passages(b.Context(), gatehouse.PassageQuery{Place: here, Until: noon.Add(51*every + time.Millisecond), Limit: 60})
	if err != nil || len(oldest) != 51 {
		b.Fatal(len(oldest), err)
	}
	for _, page := range []struct {
		name   string
		before gatehouse.ID
	}{{"first", gatehouse.ID{}}, {"millionth", oldest[0].ID}} {
		for name, q := range map[string]gatehouse.PassageQuery{
			"all":    {Place: here, Limit: 50, Before: page.before},
			"gate":   {Place: here, Gate: "front-door", Limit: 50, Before: page.before},
			"within": {Place: here, Within: new(gatehouse.SomeGates("front-door", "side-door")), Limit: 50, Before: page.before},
		} {
			b.Run(page.name+"/"+name, func(b *testing.B) {
				for b.Loop() {
					if got, err := s.Passages(b.Context(), q); err != nil || len(got) != 50 {
						b.Fatal(len(got), err)
					}
				}
			})
		}
	}
}

// fill commits passages, one every so often.
func fill(b *testing.B, s *sqlite.Store, rows int, every time.Duration) {
	b.Helper()
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(rows); i = next.Add(1) {
				c := newCommit(noon.Add(time.Duration(i) * every))
				c.Detail = c.Detail[:256]
				if err := s.CommitPassage(b.Context(), c); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
}
