package consoletest

import (
	"bytes"
	"context"
	"slices"

	"gatehouse"
	"gatehouse/console"
)

// Raise puts an alarm on the list and tells the feed.
func (s *Site) Raise(a gatehouse.Alarm) gatehouse.Alarm {
	s.mu.Lock()
	if a.At.IsZero() {
		a.At = s.now()
	}
	a.ID = gatehouse.NewID(a.At)
	s.alarms = append(s.alarms, gatehouse.RaisedAlarm{Alarm: a})
	s.mu.Unlock()
	s.Hub.AlarmsChanged()
	return a
}

// Alarms is console.Alarms.
func (s *Site) Alarms(_ context.Context, q gatehouse.AlarmQuery) (out []gatehouse.RaisedAlarm, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range slices.Backward(s.alarms) {
		if (!q.Open || a.Acknowledged.IsZero()) && (q.Before.IsZero() || bytes.Compare(a.ID[:], q.Before[:]) < 0) && len(out) < q.Limit {
			out = append(out, a)
		}
	}
	return out, s.broken
}

// Acknowledge is console.Alarms.
func (s *Site) Acknowledge(_ context.Context, who console.Who, id gatehouse.ID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, a := range s.alarms {
		if a.ID == id {
			s.alarms[i].Acknowledged, s.alarms[i].By = s.now(), who.Operator
			s.Hub.AlarmsChanged()
			return nil
		}
	}
	return gatehouse.Errorf("store.not_found", "", "there is no such alarm")
}
