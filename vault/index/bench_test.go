package index

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"gatehouse"
)

// BenchmarkMillion fills an index in batches of 512, as the server feeds it, and
// searches it. GATEHOUSE_INDEX_ROWS is the number of passages, each with a plate of its
// own of one city; a tenth of them is of 1,000 people.
func BenchmarkMillion(b *testing.B) {
	rows := 1_000_000
	if s := os.Getenv("GATEHOUSE_INDEX_ROWS"); s != "" {
		n, err := strconv.Atoi(s)
		must(b, err)
		rows = n
	}
	path := filepath.Join(b.TempDir(), "index.db")
	x, err := Open(b.Context(), path, [32]byte{1})
	must(b, err)
	defer func() { must(b, x.Close()) }()

	const letters = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"
	r := rand.New(rand.NewPCG(1, 2))
	var people []gatehouse.SubjectID
	var batch []Entry
	at := uint64(0)
	flush := func() {
		must(b, x.Put(b.Context(), at, at+uint64(len(batch)), began, batch))
		at, batch = at+uint64(len(batch)), batch[:0]
	}
	for i := range 1000 {
		people = append(people, gatehouse.RandomID())
		batch = append(batch, recordOf(people[i], Fields{Name: fmt.Sprintf("Person%d Silva", i), Phone: fmt.Sprintf("1380013%04d", i), NationalID: fmt.Sprint(110101199003070000 + i)}))
	}
	flush()
	plates := make([]string, 0, rows)
	start := time.Now()
	for i := range rows {
		plate := "京"
		for j := range 6 {
			if j == 0 {
				plate += string(letters[r.IntN(24)])
				continue
			}
			plate += string(letters[r.IntN(len(letters))])
		}
		e := passageOf(i, gatehouse.RandomID(), plate)
		if i%10 == 0 {
			e.Subject = people[r.IntN(len(people))]
		}
		plates = append(plates, plate)
		if batch = append(batch, e); len(batch) == 512 {
			flush()
		}
	}
	if len(batch) > 0 {
		flush()
	}
	rate := float64(rows) / time.Since(start).Seconds()
	info, err := os.Stat(path)
	must(b, err)
	b.Logf("built with %.0f rows a second, %.0f bytes a row", rate, float64(info.Size())/float64(rows))

	one := func() string { return plates[r.IntN(len(plates))] }
	for _, c := range []struct {
		name  string
		query func() gatehouse.SearchQuery
	}{
		{"exact", func() gatehouse.SearchQuery { return gatehouse.SearchQuery{Plate: one()} }},
		{"prefix-5", func() gatehouse.SearchQuery {
			return gatehouse.SearchQuery{Plate: string([]rune(one())[:5]), PlateMatch: gatehouse.PlatePrefix}
		}},
		{"prefix-2", func() gatehouse.SearchQuery {
			return gatehouse.SearchQuery{Plate: string([]rune(one())[:2]), PlateMatch: gatehouse.PlatePrefix}
		}},
		{"near", func() gatehouse.SearchQuery {
			return gatehouse.SearchQuery{Plate: one(), PlateMatch: gatehouse.PlateNear}
		}},
		{"phone-end", func() gatehouse.SearchQuery {
			return gatehouse.SearchQuery{PhoneEnd: fmt.Sprintf("%04d", r.IntN(1000))}
		}},
		{"name", func() gatehouse.SearchQuery {
			return gatehouse.SearchQuery{Name: fmt.Sprintf("person%d", r.IntN(1000))}
		}},
		{"name-of-all", func() gatehouse.SearchQuery { return gatehouse.SearchQuery{Name: "silva"} }},
		{"name-and-plate", func() gatehouse.SearchQuery {
			return gatehouse.SearchQuery{Name: "silva", Plate: string([]rune(one())[:3]), PlateMatch: gatehouse.PlatePrefix}
		}},
		{"gate-and-hour", func() gatehouse.SearchQuery {
			since := began.Add(time.Duration(r.IntN(rows)) * time.Second)
			return gatehouse.SearchQuery{Gate: "gate-1", Since: since, Until: since.Add(time.Hour)}
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				q := c.query()
				q.Place, q.Limit = place, 50
				start := time.Now()
				if _, _, err := x.Search(b.Context(), q); err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(took[len(took)/2].Seconds()*1000, "p50-ms")
		})
	}
}
