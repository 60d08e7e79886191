package books

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"gatehouse"
	rules "gatehouse/rules/books"
	"gatehouse/store/sqlite"
)

var (
	here = gatehouse.Place{Org: "acme", Site: "north"}
	noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
)

// operation is the n-th of a run: an event about one of a few hundred stays and payments, so
// that they meet in every order; a quarter tells an earlier one again.
func operation(seed uint64, n int) gatehouse.BookEvent {
	r := rand.New(rand.NewPCG(seed, uint64(n)))
	if n > 0 && r.IntN(4) == 0 {
		return operation(seed, r.IntN(n))
	}
	kinds := []gatehouse.BookKind{gatehouse.BookCharge, gatehouse.BookCharge, gatehouse.BookPayment, gatehouse.BookPayment, gatehouse.BookPayment, gatehouse.BookRefund, gatehouse.BookRefund,
		gatehouse.BookRefundFailed, gatehouse.BookDispute, gatehouse.BookDisputeWon, gatehouse.BookDisputeLost, gatehouse.BookWriteOff, gatehouse.BookFee, gatehouse.BookPayout}
	at := noon.Add(time.Duration(n) * time.Second)
	e := gatehouse.BookEvent{Place: here, Kind: kinds[r.IntN(len(kinds))], At: at, Heard: at, Amount: gatehouse.Money{Minor: 1 + r.Int64N(2000), Currency: "EUR"}, Provider: "stripe"}
	near := r.IntN(1 + n/6) // the payments grow with the run
	payment := "pi_" + strconv.Itoa(near)
	stay := gatehouse.ID{byte(near >> 8), byte(near), 1}
	switch e.Kind {
	case gatehouse.BookCharge:
		e.Provider, e.Stay, e.Tax = "", stay, e.Amount.Minor/6
	case gatehouse.BookPayment:
		e.Stay, e.Payment, e.Object = stay, payment, payment
	case gatehouse.BookWriteOff:
		e.Provider, e.Stay, e.Object, e.By, e.Reason = "", stay, "w"+strconv.Itoa(near), "chief", gatehouse.ForGoodwill
	case gatehouse.BookFee, gatehouse.BookPayout:
		e.Object = string(e.Kind) + strconv.Itoa(near)
	case gatehouse.BookRefund, gatehouse.BookRefundFailed:
		e.Payment, e.Object = payment, "re_"+strconv.Itoa(near)+"_"+strconv.Itoa(r.IntN(2))
	default:
		e.Payment, e.Object = payment, "dp_"+strconv.Itoa(near)
	}
	return e
}

// TestKilledBooks carries out random operations in a process that is killed with SIGKILL again
// and again, and goes on behind the last that it acknowledged. The books must add up after
// every operation, and hold after every kill what a ledger in memory holds that was told the
// same: nothing is lost, nothing is booked twice.
//
// GATEHOUSE_BOOKS_OPERATIONS sets the number of operations.
func TestKilledBooks(t *testing.T) {
	operations := 150
	if v := os.Getenv("GATEHOUSE_BOOKS_OPERATIONS"); v != "" {
		var err error
		if operations, err = strconv.Atoi(v); err != nil {
			t.Fatal("GATEHOUSE_BOOKS_OPERATIONS is a number")
		}
	}
	dir := t.TempDir()
	seed := rand.Uint64()
	keys := map[string][32]byte{"site.db": {1}, "working.db": {2}, "books.db": {3}}
	pause := 80 // operations between two kills, at most
	if operations > 1000 {
		pause = 250
	}
	done, kills, booked := 0, 0, 0
	var twin memory
	for done < operations {
		upTo, killed := runAndKill(t, dir, seed, done, operations, 1+rand.IntN(pause), time.Duration(rand.IntN(6000))*time.Microsecond)
		for ; done < upTo; done++ {
			twin.book(operation(seed, done))
		}
		if killed {
			kills++
		}
		if upTo >= operations && kills == 0 && operations < 1500 { // the kills came too late, as they do on a busy machine
			operations += 150
		}
		s, err := sqlite.Open(t.Context(), sqlite.Options{Dir: dir, Key: func(f string) ([32]byte, error) { return keys[f], nil }})
		if err != nil {
			t.Fatalf("seed %d, after %d operations: what was left does not open: %v", seed, done, err)
		}
		if err := s.CheckBooks(t.Context(), here); err != nil {
			t.Fatalf("seed %d, after %d operations: %v", seed, done, err)
		}
		booked = twin.compare(t, s, operation(seed, done), fmt.Sprintf("seed %d, after %d operations", seed, done))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if t.Failed() {
			return
		}
	}
	if kills == 0 && operations >= 150 {
		t.Error("nobody was killed: this says nothing")
	}
	t.Logf("%d operations, %d entries, %d kills: the books balance, nothing lost, nothing twice", operations, booked, kills)
}

// memory is the same books without a disk.
type memory struct {
	entries []gatehouse.BookEntry
	keys    map[string]bool
	waiting []gatehouse.BookEvent
}

func (m *memory) book(e gatehouse.BookEvent) {
	var known gatehouse.BookKnown
	for _, x := range m.entries {
		if x.Stay == e.Stay {
			known.OfStay = append(known.OfStay, x)
		}
		if e.Payment != "" && x.Provider == e.Provider && x.Payment == e.Payment {
			known.OfPayment = append(known.OfPayment, x)
		}
	}
	entry, outcome, err := rules.Decide(e, known)
	if err != nil {
		return
	}
	same := func(w gatehouse.BookEvent) bool {
		return w.Kind == e.Kind && w.Object == e.Object && w.Payment == e.Payment
	}
	at := -1
	for i, w := range m.waiting {
		if same(w) {
			at = i
		}
	}
	if outcome == gatehouse.BookWaiting {
		if at < 0 {
			m.waiting = append(m.waiting, e)
		}
		return
	}
	if at >= 0 && outcome != gatehouse.BookUnchanged {
		m.waiting = append(m.waiting[:at:at], m.waiting[at+1:]...)
	}
	if outcome != gatehouse.Booked || m.keys[entry.Key] {
		return
	}
	if m.keys == nil {
		m.keys = map[string]bool{}
	}
	m.keys[entry.Key] = true
	m.entries = append(m.entries, entry)
	if entry.Payment == "" {
		return
	}
	for _, w := range append([]gatehouse.BookEvent(nil), m.waiting...) {
		if w.Payment == entry.Payment {
			m.book(w)
		}
	}
}

func (m *memory) balances() map[gatehouse.LedgerAccount]int64 {
	sums := map[gatehouse.LedgerAccount]int64{}
	for _, e := range m.entries {
		for _, p := range e.Postings {
			if sums[p.Account] += p.Amount; sums[p.Account] == 0 {
				delete(sums, p.Account)
			}
		}
	}
	return sums
}

// compare holds the store against the memory: as it is, or, since the process may have been
// killed between a commit and its acknowledgement, after one more operation, of which what
// waited for it may be left for the next time.
func (m *memory) compare(t *testing.T, s *sqlite.Store, next gatehouse.BookEvent, when string) int {
	t.Helper()
	b := New(Ports{Place: here, Store: s})
	if err := b.Resume(t.Context()); err != nil {
		t.Error(err)
	}
	got := map[gatehouse.LedgerAccount]int64{}
	all, err := s.BookBalances(t.Context(), here)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range all {
		got[x.Account] = x.Amount.Minor
	}
	last, err := s.LastBooked(t.Context(), here, noon.AddDate(1, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(got) == fmt.Sprint(m.balances()) && int(last) == len(m.entries) {
		return len(m.entries)
	}
	one := memory{entries: append([]gatehouse.BookEntry(nil), m.entries...), keys: map[string]bool{}, waiting: append([]gatehouse.BookEvent(nil), m.waiting...)}
	for k := range m.keys {
		one.keys[k] = true
	}
	one.book(next)
	if fmt.Sprint(got) != fmt.Sprint(one.balances()) || int(last) != len(one.entries) {
		t.Errorf("%s: the books hold %v in %d entries, not %v in %d", when, got, last, m.balances(), len(m.entries))
	}
	return len(m.entries)
}

const faultDir = "GATEHOUSE_BOOKS_CHILD"

// runAndKill runs the child from an operation on, kills it a moment after some
// acknowledgements, and returns how many operations were acknowledged in all.
func runAndKill(t *testing.T, dir string, seed uint64, from, until, some int, after time.Duration) (done int, killed bool) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.CommandContext(t.Context(), self)
	child.Env = append(os.Environ(), faultDir+"="+dir, "GATEHOUSE_BOOKS_RUN="+strconv.FormatUint(seed, 10)+" "+strconv.Itoa(from)+" "+strconv.Itoa(until))
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	done = from
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		var n int
		if json.Unmarshal(lines.Bytes(), &n) != nil || n != done {
			continue // the last line, cut
		}
		if done == from+some {
			time.AfterFunc(after, func() { _ = child.Process.Kill() })
		}
		done++
	}
	err = child.Wait()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() >= 0 {
		t.Fatalf("the child failed after %d operations: %v", done, err)
	}
	return done, err != nil
}

// operate is the child.
func operate(dir, run string) error {
	var seed uint64
	var from, until int
	if _, err := fmt.Sscan(run, &seed, &from, &until); err != nil {
		return err
	}
	ctx := context.Background()
	keys := map[string][32]byte{"site.db": {1}, "working.db": {2}, "books.db": {3}}
	s, err := sqlite.Open(ctx, sqlite.Options{Dir: dir, Key: func(f string) ([32]byte, error) { return keys[f], nil }})
	if err != nil {
		return err
	}
	b := New(Ports{Place: here, Store: s})
	if err := b.Resume(ctx); err != nil {
		return err
	}
	for n := from; n < until; n++ {
		if _, _, err := b.take(ctx, operation(seed, n)); err != nil && gatehouse.ErrorCode(err) != "books.too_much" {
			return fmt.Errorf("operation %d: %w", n, err)
		}
		if n%3 == 0 { // asked twice, and every other of the next year
			for range 2 {
				if _, _, err := s.NumberInvoice(ctx, here, fmt.Sprint("invoice ", n), 2026+n%2, noon); err != nil {
					return err
				}
			}
		}
		all, err := s.BookBalances(ctx, here)
		if err != nil {
			return err
		}
		var sum int64
		for _, x := range all {
			sum += x.Amount.Minor
		}
		if sum != 0 {
			return fmt.Errorf("after operation %d the balances add up to %d", n, sum)
		}
		fmt.Println(n)
	}
	return s.Close()
}

func TestMain(m *testing.M) {
	if dir := os.Getenv(faultDir); dir != "" {
		if err := operate(dir, os.Getenv("GATEHOUSE_BOOKS_RUN")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}
