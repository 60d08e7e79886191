package gallery

import (
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestDotRowsAgree holds the vector path to the plain one, bit by bit.
func TestDotRowsAgree(t *testing.T) {
	t.Logf("kernel %s", Kernel())
	rapid.Check(t, func(t *rapid.T) {
		dims := pad * rapid.IntRange(1, 33).Draw(t, "blocks")
		n := rapid.IntRange(0, 9).Draw(t, "rows")
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		// Few different values make saturation and sign errors likely to show.
		pick := rapid.SampledFrom([][]int{{-128}, {127}, {-128, 127}, {-1, 0, 1}, {-128, -127, -1, 0, 1, 127}, nil}).Draw(t, "values")
		value := func() int {
			if pick == nil {
				return r.IntN(256) - 128
			}
			return pick[r.IntN(len(pick))]
		}
		query := make([]int16, dims)
		rows := make([]int8, n*dims+r.IntN(40)) // what lies behind must not count
		for i := range query {
			query[i] = int16(value())
		}
		for i := range rows {
			rows[i] = int8(value())
		}
		want := make([]int32, n)
		for i := range want {
			for k := range dims {
				want[i] += int32(query[k]) * int32(rows[i*dims+k])
			}
		}
		got, plain := make([]int32, n), make([]int32, n)
		dotRows(got, query, rows)
		dotRowsGo(plain, query, rows)
		if !slices.Equal(got, want) || !slices.Equal(plain, want) {
			t.Fatalf("dims %d: dotRows %v, dotRowsGo %v, want %v", dims, got, plain, want)
		}
	})
}

func TestDotRowsShortRows(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Fatal("rows that are too short were read past their end")
		}
	}()
	dotRows(make([]int32, 2), make([]int16, 64), make([]int8, 127))
}

func benchmarkDot(b *testing.B, f func([]int32, []int16, []int8)) {
	const dims, n = 512, 100_000
	rows := make([]int8, n*dims)
	for i := range rows {
		rows[i] = int8(i * 7)
	}
	query, out := make([]int16, dims), make([]int32, n)
	for i := range query {
		query[i] = int16(i%255 - 127)
	}
	b.SetBytes(int64(len(rows)))
	for b.Loop() {
		f(out, query, rows)
	}
}

func BenchmarkScan100k(b *testing.B)   { benchmarkDot(b, dotRows) }
func BenchmarkScan100kGo(b *testing.B) { benchmarkDot(b, dotRowsGo) }
