package rulebook

import (
	"bytes"
	"encoding/json"
	"time"

	"gatehouse"
)

// How the parts are stored: JSON, as below. What a version does not know it refuses, so
// that a rule never means less than it says.

func decode(b []byte, v json.Unmarshaler) error {
	if err := v.UnmarshalJSON(b); err != nil {
		return damaged()
	}
	return nil
}

func strictly(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

type groupBody struct{ *gatehouse.Group }

type storedGroup struct {
	Title string `json:"title"`
}

func (g groupBody) MarshalJSON() ([]byte, error) { return json.Marshal(storedGroup{g.Title}) }

func (g *groupBody) UnmarshalJSON(b []byte) error {
	var s storedGroup
	err := strictly(b, &s)
	g.Title = s.Title
	return err
}

type ruleBody struct{ *gatehouse.AccessRule }

type storedRule struct {
	Group    gatehouse.GroupID  `json:"group"`
	Gates    []gatehouse.GateID `json:"gates"`
	Schedule string             `json:"schedule"`
	From     gatehouse.Date     `json:"from,omitempty"`
	Until    gatehouse.Date     `json:"until,omitempty"`
}

func (r ruleBody) MarshalJSON() ([]byte, error) {
	return json.Marshal(storedRule{r.Group, r.Gates, r.Schedule, r.From, r.Until})
}

func (r *ruleBody) UnmarshalJSON(b []byte) error {
	var s storedRule
	err := strictly(b, &s)
	r.Group, r.Gates, r.Schedule, r.From, r.Until = s.Group, s.Gates, s.Schedule, s.From, s.Until
	return err
}

type scheduleBody struct{ *gatehouse.Schedule }

type storedSchedule struct {
	Windows    []storedWindow `json:"windows"`
	OnHolidays bool           `json:"on_holidays,omitempty"`
	Days       []storedDay    `json:"days,omitempty"`
}

type storedWindow struct {
	Day   time.Weekday `json:"day"` // 0 is Sunday
	From  int          `json:"from"`
	Until int          `json:"until"`
}

type storedDay struct {
	Date  gatehouse.Date `json:"date"`
	Spans []storedSpan   `json:"spans"`
}

type storedSpan struct {
	From  int `json:"from"`
	Until int `json:"until"`
}

func (s scheduleBody) MarshalJSON() ([]byte, error) {
	out := storedSchedule{OnHolidays: s.OnHolidays, Windows: []storedWindow{}}
	for _, w := range s.Windows {
		out.Windows = append(out.Windows, storedWindow(w))
	}
	for _, d := range s.Days {
		day := storedDay{Date: d.Date, Spans: []storedSpan{}}
		for _, x := range d.Spans {
			day.Spans = append(day.Spans, storedSpan(x))
		}
		out.Days = append(out.Days, day)
	}
	return json.Marshal(out)
}

func (s *scheduleBody) UnmarshalJSON(b []byte) error {
	var in storedSchedule
	err := strictly(b, &in)
	s.OnHolidays = in.OnHolidays
	for _, w := range in.Windows {
		s.Windows = append(s.Windows, gatehouse.Window(w))
	}
	for _, d := range in.Days {
		day := gatehouse.SpecialDay{Date: d.Date}
		for _, x := range d.Spans {
			day.Spans = append(day.Spans, gatehouse.Span(x))
		}
		s.Days = append(s.Days, day)
	}
	return err
}

type holidayBody struct{ *gatehouse.Holiday }

type storedHoliday struct {
	Title string `json:"title"`
}

func (h holidayBody) MarshalJSON() ([]byte, error) { return json.Marshal(storedHoliday{h.Title}) }

func (h *holidayBody) UnmarshalJSON(b []byte) error {
	var s storedHoliday
	err := strictly(b, &s)
	h.Title = s.Title
	return err
}
