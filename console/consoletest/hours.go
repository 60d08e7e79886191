package consoletest

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/console"
	"gatehouse/flow/timesheet"
)

// hoursStore keeps hours in memory, for one place.
type hoursStore struct {
	mu          sync.Mutex
	items       map[string]gatehouse.HoursItem
	changes     []gatehouse.HoursChange
	punches     map[gatehouse.ID]gatehouse.Punch
	corrections map[gatehouse.ID]gatehouse.TimeCorrection
	leave       map[gatehouse.ID]gatehouse.LeaveRequest
	periods     map[gatehouse.Date]gatehouse.StoredPeriod
	exports     []gatehouse.PayExport
	swaps       map[gatehouse.ID]gatehouse.StoredSwap
	cursor      uint64
}

// openHours makes the real flow over a store in memory.
func (s *Site) openHours(zone *time.Location) {
	if zone == nil {
		zone = time.Local
	}
	store := &hoursStore{items: map[string]gatehouse.HoursItem{}, punches: map[gatehouse.ID]gatehouse.Punch{}, corrections: map[gatehouse.ID]gatehouse.TimeCorrection{}, leave: map[gatehouse.ID]gatehouse.LeaveRequest{}, swaps: map[gatehouse.ID]gatehouse.StoredSwap{}, periods: map[gatehouse.Date]gatehouse.StoredPeriod{}}
	h, err := timesheet.Load(context.Background(), timesheet.Ports{Place: Place, Location: zone, Store: store, Passages: s, Subjects: s.shelf, Sealer: s.shelf, WebClock: true, CheckRecipients: func([]string) error { return nil }, Now: s.now})
	if err != nil {
		panic(err)
	}
	s.Hours, s.hoursStore = h, store
}

// Punch adds a punch of a passage at the front door.
func (s *Site) Punch(who gatehouse.SubjectID, at time.Time, direction gatehouse.Direction) gatehouse.ID {
	p := gatehouse.Punch{ID: gatehouse.NewID(at), Subject: who, Source: gatehouse.FromPassage, Site: Place.Site, Gate: "front-door", Direction: direction, At: at.UTC(), Made: at.UTC()}
	_, _ = s.Hours.Store.AddPunches(context.Background(), Place, []gatehouse.Punch{p}, nil)
	return p.ID
}

func (s *hoursStore) Hours(_ context.Context, _ gatehouse.Place, version uint64) (gatehouse.StoredHours, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	items := s.items
	if version != 0 {
		items = map[string]gatehouse.HoursItem{}
		for _, c := range s.changes[:min(int(version), len(s.changes))] {
			key := string(c.Item.Kind) + " " + c.Item.ID
			if delete(items, key); c.Event == gatehouse.RulePut {
				items[key] = c.Item
			}
		}
	}
	return gatehouse.StoredHours{Version: uint64(len(s.changes)), Items: slices.Collect(maps.Values(items))}, nil
}

func (s *hoursStore) ChangeHours(_ context.Context, c gatehouse.HoursChange) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := string(c.Item.Kind) + " " + c.Item.ID
	if delete(s.items, key); c.Event == gatehouse.RulePut {
		s.items[key] = c.Item
	}
	s.changes = append(s.changes, c)
	return nil
}

func (s *hoursStore) HoursChanges(context.Context, gatehouse.Place, uint64, int) ([]gatehouse.HoursChange, error) {
	return nil, nil
}

func (s *hoursStore) AddPunches(_ context.Context, _ gatehouse.Place, list []gatehouse.Punch, _ []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range list {
		s.punches[p.ID] = p
	}
	return len(list), nil
}

func (s *hoursStore) DropPunches(context.Context, gatehouse.Place, []gatehouse.ID) error { return nil }

func (s *hoursStore) EachPunch(_ context.Context, _ gatehouse.Place, from, until time.Time, f func(gatehouse.Punch) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.punches {
		if !p.At.Before(from) && p.At.Before(until) {
			if err := f(p); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *hoursStore) Punches(ctx context.Context, place gatehouse.Place, who gatehouse.SubjectID, from, until time.Time) (out []gatehouse.Punch, err error) {
	err = s.EachPunch(ctx, place, from, until, func(p gatehouse.Punch) error {
		if p.Subject == who {
			out = append(out, p)
		}
		return nil
	})
	slices.SortFunc(out, func(a, b gatehouse.Punch) int { return a.At.Compare(b.At) })
	return out, err
}

func none(what string) error {
	return gatehouse.Errorf("store.not_found", "check the id", "there is no such %s here", what)
}

func (s *hoursStore) Punch(_ context.Context, _ gatehouse.Place, id gatehouse.ID) (gatehouse.Punch, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.punches[id]
	if !ok {
		return p, none("punch")
	}
	return p, nil
}

func (s *hoursStore) PunchCursor(context.Context, gatehouse.Place) (uint64, bool, error) {
	return s.cursor, true, nil
}

func (s *hoursStore) SetPunchCursor(_ context.Context, _ gatehouse.Place, at uint64) error {
	s.cursor = at
	return nil
}

// page gives those of a query, the newest first.
func page[T any](all map[gatehouse.ID]T, q gatehouse.TimesQuery, of func(T) (gatehouse.SubjectID, gatehouse.CorrectionState)) (out []T) {
	ids := slices.SortedFunc(maps.Keys(all), func(a, b gatehouse.ID) int { return bytes.Compare(b[:], a[:]) })
	for _, id := range ids {
		who, state := of(all[id])
		if (q.Subject.IsZero() || q.Subject == who) && (q.State == "" || q.State == state) && (q.Before.IsZero() || bytes.Compare(id[:], q.Before[:]) < 0) && len(out) < q.Limit {
			out = append(out, all[id])
		}
	}
	return out
}

func (s *hoursStore) PutTimeCorrection(_ context.Context, c gatehouse.TimeCorrection, _ []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.corrections[c.ID] = c
	return nil
}

func (s *hoursStore) TimeCorrection(_ context.Context, _ gatehouse.Place, id gatehouse.ID) (gatehouse.TimeCorrection, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.corrections[id]
	if !ok {
		return c, none("correction")
	}
	return c, nil
}

func (s *hoursStore) TimeCorrections(_ context.Context, q gatehouse.TimesQuery) ([]gatehouse.TimeCorrection, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return page(s.corrections, q, func(c gatehouse.TimeCorrection) (gatehouse.SubjectID, gatehouse.CorrectionState) {
		return c.Subject, c.State
	}), nil
}

func (s *hoursStore) PutLeave(_ context.Context, l gatehouse.LeaveRequest, _ []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leave[l.ID] = l
	return nil
}

func (s *hoursStore) LeaveRequest(_ context.Context, _ gatehouse.Place, id gatehouse.ID) (gatehouse.LeaveRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l, ok := s.leave[id]
	if !ok {
		return l, none("request for leave")
	}
	return l, nil
}

func (s *hoursStore) LeaveRequests(_ context.Context, q gatehouse.TimesQuery) ([]gatehouse.LeaveRequest, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return page(s.leave, q, func(l gatehouse.LeaveRequest) (gatehouse.SubjectID, gatehouse.CorrectionState) {
		return l.Subject, l.State
	}), nil
}

func (s *hoursStore) PutPeriod(_ context.Context, p gatehouse.StoredPeriod, _ []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.periods[p.From] = p
	return nil
}

func (s *hoursStore) Periods(context.Context, gatehouse.Place) ([]gatehouse.StoredPeriod, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Values(s.periods), func(a, b gatehouse.StoredPeriod) int { return strings.Compare(string(b.From), string(a.From)) }), nil
}

// hoursReasons opens what people wrote, which is not sealed here.
type hoursReasons struct{ *Site }

func (h hoursReasons) open(sealed []byte) (string, error) {
	if !h.unsealed {
		return "", gatehouse.Errorf("vault.sealed", "unseal it", "the vault is sealed")
	}
	return strings.TrimPrefix(string(sealed), sealedMark), nil
}

// CorrectionReason implements console.HoursReasons.
func (h hoursReasons) CorrectionReason(ctx context.Context, _ console.Who, id gatehouse.ID) (string, error) {
	c, err := h.Hours.Correction(ctx, id)
	if err != nil {
		return "", err
	}
	return h.open(c.Reason)
}

// LeaveReason implements console.HoursReasons.
func (h hoursReasons) LeaveReason(ctx context.Context, _ console.Who, id gatehouse.ID) (string, error) {
	l, err := h.hoursStore.LeaveRequest(ctx, Place, id)
	if err != nil {
		return "", err
	}
	return h.open(l.Reason)
}

func (s *hoursStore) PutPayExport(_ context.Context, e gatehouse.PayExport, _ []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.exports = append([]gatehouse.PayExport{e}, slices.DeleteFunc(s.exports, func(o gatehouse.PayExport) bool { return o.ID == e.ID })...)
	return nil
}

func (s *hoursStore) PayExports(context.Context, gatehouse.Place, int) ([]gatehouse.PayExport, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.exports), nil
}

// PayFile implements console.PayFiles. What a file is made of is the server's.
func (h hoursReasons) PayFile(ctx context.Context, by timesheet.Actor, id gatehouse.ID) (name string, sealed []byte, err error) {
	_, _, err = h.Hours.TakeExport(ctx, by, id)
	return "hours.csv.age", []byte("encrypted"), err
}

// ImportPunches implements console.PunchFiles, for one column of badge labels: what files are is the
// server's. Somebody without a label is a problem of the row.
func (h hoursReasons) ImportPunches(_ context.Context, _ timesheet.Actor, u console.PunchUpload) (console.PunchReport, error) {
	if u.Person != "person" {
		return console.PunchReport{}, gatehouse.Errorf("hours.import", "", "the file has no column %q", u.Person)
	}
	var out console.PunchReport
	for i, line := range strings.Split(strings.TrimSpace(string(u.Data)), "\n")[1:] {
		out.Rows++
		if label, _, _ := strings.Cut(line, ","); label == "" || label == "B-99" {
			out.Problems = append(out.Problems, console.PunchProblem{Line: i + 2, Column: u.Person, Code: "punch.who", Reason: "there is nobody with this number"})
		}
	}
	if len(out.Problems) == 0 && !u.DryRun {
		out.Added = out.Rows
	}
	return out, nil
}

func (s *hoursStore) PutSwap(_ context.Context, x gatehouse.StoredSwap, _ []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.swaps[x.ID] = x
	return nil
}

func (s *hoursStore) Swap(_ context.Context, _ gatehouse.Place, id gatehouse.ID) (gatehouse.StoredSwap, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x, ok := s.swaps[id]
	if !ok {
		return x, none("swap")
	}
	return x, nil
}

func (s *hoursStore) Swaps(_ context.Context, q gatehouse.TimesQuery) ([]gatehouse.StoredSwap, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return page(s.swaps, q, func(x gatehouse.StoredSwap) (gatehouse.SubjectID, gatehouse.CorrectionState) {
		if x.Second == q.Subject {
			return x.Second, x.State
		}
		return x.First, x.State
	}), nil
}
