package timesheet

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"gatehouse"
	"gatehouse/rules/attendance"
)

// Clock punches for whoever asks, now. Errors: hours.web_clock, hours.nobody,
// hours.direction.
func (h *Hours) Clock(ctx context.Context, by Actor, direction gatehouse.Direction) error {
	switch {
	case !h.WebClock:
		return gatehouse.Errorf("hours.web_clock", "punch at the gate, or ask for `attendance.web_clock`", "this site has no clock on the web")
	case by.Person.IsZero():
		return nobody()
	}
	if err := way(direction); err != nil {
		return err
	}
	if err := h.enrolled(ctx, by.Person); err != nil {
		return err
	}
	now := h.Now().UTC()
	p := gatehouse.Punch{ID: gatehouse.NewID(now), Subject: by.Person, Source: gatehouse.FromWeb, Site: h.Place.Site, Direction: direction, At: now, Made: now}
	_, err := h.Store.AddPunches(ctx, h.Place, []gatehouse.Punch{p}, gatehouse.PunchesLeaf(now, h.Place, by.String(), p.Source, 1))
	return err
}

// Enter adds a punch for somebody else, of an open period. Errors: hours.own,
// subject.unknown, hours.direction, hours.future, correction.period.
func (h *Hours) Enter(ctx context.Context, by Actor, who gatehouse.SubjectID, at time.Time, direction gatehouse.Direction) error {
	if by.Person == who {
		return gatehouse.Errorf("hours.own", "ask for a correction: somebody else approves it", "nobody enters their own hours")
	}
	if err := way(direction); err != nil {
		return err
	}
	if err := h.enrolled(ctx, who); err != nil {
		return err
	}
	h.writes.Lock()
	defer h.writes.Unlock()
	if err := h.changeable(ctx, at); err != nil {
		return err
	}
	now := h.Now().UTC()
	p := gatehouse.Punch{ID: gatehouse.IDAt(at, seed(who, at, direction, gatehouse.FromSupervisor)), Subject: who, Source: gatehouse.FromSupervisor, Site: h.Place.Site, Direction: direction, At: at.UTC(), Made: now}
	_, err := h.Store.AddPunches(ctx, h.Place, []gatehouse.Punch{p}, gatehouse.PunchesLeaf(now, h.Place, by.String(), p.Source, 1))
	return err
}

// maxImport is how many rows one import has at most.
const maxImport = 50_000

// ImportPunches reads another system's rows. With one problem nothing is written, and each
// has its line and reason. A row that was imported before changes nothing, so that a file
// may be imported again. A dry import looks at all rows, and writes none. Errors: hours.import, correction.period, and the store's.
func (h *Hours) ImportPunches(ctx context.Context, by Actor, rows []attendance.PunchRow, f attendance.PunchFormat, who map[string]gatehouse.SubjectID, dry bool) (added int, found []attendance.Problem, err error) {
	if len(rows) == 0 || len(rows) > maxImport {
		return 0, nil, gatehouse.Errorf("hours.import", fmt.Sprintf("import 1 to %d rows at a time", maxImport), "%d rows cannot be imported at once", len(rows))
	}
	if f.Zone == nil {
		f.Zone = h.Location
	}
	if f.Site == "" {
		f.Site = h.Place.Site
	}
	now := h.Now().UTC()
	h.mu.RLock()
	for _, r := range h.book.rules {
		f.Travel = max(f.Travel, r.Rules.TravelWithin)
	}
	h.mu.RUnlock()
	h.writes.Lock()
	defer h.writes.Unlock()
	f.Closed = func(at time.Time) bool {
		if failed := h.changeable(ctx, at); gatehouse.ErrorCode(failed) == "correction.period" {
			return true
		} else if err == nil {
			err = failed
		}
		return false
	}
	punches, found := attendance.FromRows(rows, f, who, now, func() gatehouse.ID { return gatehouse.ID{} })
	if err != nil {
		return 0, nil, err
	}
	for i := range punches {
		p := &punches[i]
		p.ID, p.At = gatehouse.IDAt(p.At, seed(p.Subject, p.At, p.Direction, gatehouse.FromImport)), p.At.UTC()
	}
	if len(found) > 0 || dry {
		return 0, found, nil
	}
	added, err = h.Store.AddPunches(ctx, h.Place, punches, gatehouse.PunchesLeaf(now, h.Place, by.String(), gatehouse.FromImport, len(punches)))
	return added, nil, err
}

// seed tells one punch from another: the same entry twice is one.
func seed(who gatehouse.SubjectID, at time.Time, direction gatehouse.Direction, source gatehouse.PunchSource) []byte {
	return []byte(who.String() + " " + strconv.FormatInt(at.Unix(), 10) + " " + string(direction) + " " + string(source))
}

// changeable fails with correction.period where the moment's day is in a closed period,
// and with hours.future where it has not come yet. Called with writes held.
func (h *Hours) changeable(ctx context.Context, at time.Time) error {
	if at.After(h.Now()) || at.Year() < 2000 {
		return gatehouse.Errorf("hours.future", "give a time that has been", "hours are not known in advance")
	}
	p, err := h.periodOf(ctx, gatehouse.DateOf(at.In(h.Location)))
	if err == nil && p.State != gatehouse.OpenPeriod {
		err = gatehouse.Errorf("correction.period", "two people can reopen it", "the period is closed")
	}
	return err
}

func way(d gatehouse.Direction) error {
	if d != gatehouse.In && d != gatehouse.Out {
		return gatehouse.Errorf("hours.direction", "use in or out", "a punch is coming or going")
	}
	return nil
}

func nobody() error {
	return gatehouse.Errorf("hours.nobody", "`gatehouse account person` says whose an account is", "this account belongs to nobody who is enrolled")
}
