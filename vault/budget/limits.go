package budget

import (
	"time"

	"gatehouse"
)

// Scope says whose budget it is.
type Scope string

// Every disclosure is paid from the budgets of its operator, its role and its
// organization; one for a live window from the operator's live budget in the place of
// the operator's own. The organization's bounds them all, whatever operators and roles
// somebody invents.
const (
	Operator     Scope = "operator"
	Role         Scope = "role"
	Organization Scope = "organization"
	Live         Scope = "live"
)

// Window is the time in which a budget fills from nothing.
type Window string

// The windows; each scope has a budget for both.
const (
	Hour Window = "hour"
	Day  Window = "day"
)

func (w Window) length() time.Duration {
	if w == Day {
		return 24 * time.Hour
	}
	return time.Hour
}

// Limit is how many units a budget holds, and so how many come back in its window.
type Limit struct{ Hour, Day int }

// Limits are the budgets of one vault.
type Limits struct{ Operator, Role, Organization, Live Limit }

// MaxLimit is the most that a budget may hold.
const MaxLimit = 100_000_000

// Defaults are the limits until somebody sets others. An operator looks at 30 records
// an hour; a stolen session gets as far.
func Defaults() Limits {
	return Limits{
		Operator:     Limit{Hour: 300, Day: 1500},
		Role:         Limit{Hour: 600, Day: 3000},
		Organization: Limit{Hour: 1200, Day: 6000},
		Live:         Limit{Hour: 300, Day: 2000},
	}
}

// Of gives a scope's limit in one window.
func (l Limits) Of(scope Scope, window Window) int {
	limit := l.Operator
	switch scope {
	case Role:
		limit = l.Role
	case Organization:
		limit = l.Organization
	case Live:
		limit = l.Live
	}
	if window == Day {
		return limit.Day
	}
	return limit.Hour
}

// each calls f with the name and address of every number.
func (l *Limits) each(f func(name string, n *int)) {
	for _, s := range []struct {
		name  string
		limit *Limit
	}{{"operator", &l.Operator}, {"role", &l.Role}, {"organization", &l.Organization}, {"live", &l.Live}} {
		f(s.name+".hour", &s.limit.Hour)
		f(s.name+".day", &s.limit.Day)
	}
}

// Check refuses what is no budget. It fails with budget.limit.
func (l Limits) Check() (err error) {
	l.each(func(name string, n *int) {
		if err == nil && (*n < 1 || *n > MaxLimit) {
			err = gatehouse.Errorf("budget.limit", "use 1 to 100000000 units", "the budget %s cannot be %d", name, *n)
		}
	})
	return err
}

// Lower gives, number by number, the smaller of l and ceiling; a ceiling of 0 bounds
// nothing.
func (l Limits) Lower(ceiling Limits) Limits {
	var bounds []int
	ceiling.each(func(_ string, n *int) { bounds = append(bounds, *n) })
	i := 0
	l.each(func(_ string, n *int) {
		if bounds[i] > 0 {
			*n = min(*n, bounds[i])
		}
		i++
	})
	return l
}
