package budget

import (
	"fmt"
	"math"
	"testing"
	"time"

	"gatehouse"

	"pgregory.net/rapid"
)

// Whatever is asked for, by whomever, whenever and over whatever restarts and clocks
// that jump: no bucket gives more than what it holds and what the running time refills.
func TestNeverMoreThanTheBudget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := func(name string) Limit {
			return Limit{Hour: rapid.IntRange(1, 2000).Draw(t, name+" hour"), Day: rapid.IntRange(1, 9000).Draw(t, name+" day")}
		}
		limits := Limits{Operator: limit("operator"), Role: limit("role"), Organization: limit("organization"), Live: limit("live")}
		l := New(limits, nil, 0)
		var now, ran time.Duration // of this process's clock; time that truly passed while one ran
		spent := map[Key]int{}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0: // a restart: another clock, and the time between is not credited
				if rapid.Bool().Draw(t, "lowered") { // the server starts it with lower limits for a while
					l.SetLimits(limits.Lower(Limits{Operator: Limit{1, 1}, Role: Limit{1, 1}, Organization: Limit{1, 1}, Live: Limit{1, 1}}), now)
				}
				missing := l.Missing(now)
				now = time.Duration(rapid.Int64Range(0, int64(100*time.Hour)).Draw(t, "boot"))
				l = New(limits, missing, now)
			case 1: // the clock jumps back, which the monotonic one never does
				_ = l.Left(now-time.Duration(rapid.Int64Range(0, int64(50*time.Hour)).Draw(t, "back")), Key{Organization, "", Hour})
			case 2, 3, 4:
				d := time.Duration(rapid.Int64Range(0, int64(5*time.Hour)).Draw(t, "passed"))
				now, ran = now+d, ran+d
			default:
				p := Payer{Operator: fmt.Sprint(rapid.IntRange(0, 3).Draw(t, "who")), Role: fmt.Sprint(rapid.IntRange(0, 1).Draw(t, "role")), Live: rapid.Bool().Draw(t, "live")}
				units := rapid.IntRange(0, 700).Draw(t, "units")
				short, ok := l.Spend(now, p, units)
				if ok {
					for _, key := range p.keys() {
						spent[key] += units
					}
				} else if short.Left >= units {
					t.Fatalf("refused %d units while %d were there: %+v", units, short.Left, short)
				}
			}
			for key, n := range spent {
				full := float64(limits.Of(key.Scope, key.Window))
				most := full + full*float64(ran)/float64(key.Window.length())
				if float64(n) > math.Ceil(most) {
					t.Fatalf("%v: %d units were spent, %v were there in %v", key, n, most, ran)
				}
			}
		}
	})
}

// What Spend says about waiting is true.
func TestWait(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limits := Defaults()
		l := New(limits, nil, 0)
		p := Payer{Operator: "a"}
		units := rapid.IntRange(1, limits.Operator.Hour).Draw(t, "units")
		for {
			if _, ok := l.Spend(0, p, units); !ok {
				break
			}
		}
		short, _ := l.Spend(0, p, units)
		if short.Wait <= 0 {
			t.Fatalf("it says %v", short)
		}
		if _, ok := l.Spend(short.Wait, p, units); !ok {
			t.Fatalf("not there after %v", short.Wait)
		}
	})
}

func TestSpend(t *testing.T) {
	limits := Limits{Operator: Limit{100, 150}, Role: Limit{1000, 1000}, Organization: Limit{120, 1000}, Live: Limit{10, 10}}
	l := New(limits, nil, 0)
	ask := func(now time.Duration, p Payer, units int) Short {
		t.Helper()
		s, _ := l.Spend(now, p, units)
		return s
	}
	if s, ok := l.Spend(0, Payer{Operator: "a"}, 100); !ok {
		t.Fatalf("refused: %+v", s)
	}
	// All or none: the operator's day and organization's hour stay as they were.
	if s := ask(0, Payer{Operator: "a"}, 10); s.Key != (Key{Operator, "a", Hour}) || s.Left != 0 {
		t.Errorf("got %+v", s)
	}
	if got := l.Left(0, Key{Organization, "", Hour}); got != 20 {
		t.Errorf("the organization has %d left, want 20", got)
	}
	// Somebody invents operators and roles: the organization's budget holds.
	total := 0
	for i := range 1000 {
		if _, ok := l.Spend(0, Payer{Operator: fmt.Sprint(i), Role: fmt.Sprint(i)}, 1); ok {
			total++
		}
	}
	if total != 20 {
		t.Errorf("invented operators got %d units, want 20", total)
	}
	if s := ask(0, Payer{Operator: "b"}, 121); s.Wait >= 0 {
		t.Errorf("more than the whole budget, and it says to wait %v", s.Wait)
	}
	if _, ok := l.Spend(time.Hour, Payer{Operator: "a", Live: true}, 10); !ok {
		t.Error("the live budget is not one of its own")
	}
	if s := ask(time.Hour, Payer{Operator: "a", Live: true}, 1); s.Scope != Live {
		t.Errorf("got %+v", s)
	}
	l.Refund(Payer{Operator: "a", Live: true}, 10)
	if got := l.Left(time.Hour, Key{Live, "a", Hour}); got != 10 {
		t.Errorf("after the refund %d are left", got)
	}
}

func TestSpentUpAndLowered(t *testing.T) {
	l := SpentUp(Defaults(), 0)
	if s, ok := l.Spend(0, Payer{Operator: "a"}, 1); ok || s.Scope != Organization {
		t.Errorf("spent up, and it gives: %+v", s)
	}
	if _, ok := l.Spend(time.Hour, Payer{Operator: "a"}, 1); !ok {
		t.Error("it never refills")
	}
	l = New(Defaults(), nil, 0)
	l.SetLimits(Defaults().Lower(Limits{Operator: Limit{Hour: 7}}), 0)
	if got := l.Limits(); got.Operator != (Limit{7, 1500}) || got.Live != Defaults().Live {
		t.Errorf("lowered: %+v", got)
	}
	if _, ok := l.Spend(0, Payer{Operator: "a"}, 8); ok {
		t.Error("a lowered limit does not hold")
	}
	// A limit that is lowered for a while gives nothing back that was spent.
	l = New(Defaults(), nil, 0)
	for _, ok := l.Spend(0, Payer{Operator: "a"}, 300); ok; _, ok = l.Spend(0, Payer{Operator: "a"}, 300) {
	}
	l.SetLimits(Defaults().Lower(Limits{Operator: Limit{Hour: 1, Day: 1}}), 0)
	l = New(Defaults(), l.Missing(0), 0)
	if _, ok := l.Spend(0, Payer{Operator: "a"}, 1); ok {
		t.Error("lowered and raised again, a budget that was spent gives more")
	}
	if err := (Limits{}).Check(); gatehouse.ErrorCode(err) != "budget.limit" {
		t.Errorf("no limits at all: %v", err)
	}
}

func TestBucketsAreBounded(t *testing.T) {
	limits := Defaults()
	limits.Organization, limits.Role = Limit{MaxLimit, MaxLimit}, Limit{MaxLimit, MaxLimit}
	l := New(limits, nil, 0)
	for i := 0; l.Room(0) == nil; i++ {
		l.Spend(0, Payer{Operator: fmt.Sprint(i)}, 1)
		if i > maxBuckets {
			t.Fatal("there is always room")
		}
	}
	if err := l.Room(24 * time.Hour); err != nil || len(l.buckets) > 0 {
		t.Errorf("a day later %d are kept: %v", len(l.buckets), err)
	}
}

func TestCost(t *testing.T) {
	for field, want := range map[string]int{"name": 1, "national_id": 50, "record": 10, "face": 10, "": 10} {
		if got := Cost(field); got != want {
			t.Errorf("%q costs %d, want %d", field, got, want)
		}
	}
	if LiveCost("passages", "detail") != 1 || LiveCost("evidence", "face") != 10 || LiveCost("subjects", "national_id") != 50 {
		t.Error("a live window's costs")
	}
}
