package sqlite_test

import (
	"fmt"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/rules/books"
)

// BenchmarkBook books what a driver pays, with ten and with ten thousand payments before it:
// what an entry costs must not grow with the books.
func BenchmarkBook(b *testing.B) {
	for _, before := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("before=%d", before), func(b *testing.B) {
			s := openStore(b, b.TempDir(), fileKeys{})
			n := 0
			pay := func() {
				n++
				id, at := gatehouse.RandomID(), noon.Add(time.Duration(n)*time.Second)
				e := gatehouse.BookEvent{Place: here, Kind: gatehouse.BookPayment, At: at, Heard: at, Stay: id, Amount: gatehouse.Money{Minor: 250, Currency: "EUR"}, Provider: "card", Payment: id.String(), Object: id.String()}
				if _, outcome, err := s.Book(b.Context(), e, books.Decide); err != nil || outcome != gatehouse.Booked {
					b.Fatal(outcome, err)
				}
			}
			for range before {
				pay()
			}
			for b.Loop() {
				pay()
			}
		})
	}
}
