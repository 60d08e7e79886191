package console

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"gatehouse"
	"gatehouse/auth"
)

// Alarms is the list of alarms, which stay open until somebody acknowledges them.
type Alarms interface {
	Alarms(ctx context.Context, q gatehouse.AlarmQuery) ([]gatehouse.RaisedAlarm, error)
	// Acknowledge fails with store.not_found.
	Acknowledge(ctx context.Context, who Who, id gatehouse.ID) error
}

// alarming is the area of alarms.
var alarming = area{
	pages:  []string{"alarms"},
	routes: (*Console).alarmsRoutes,
	nav:    []entry{{"nav.now", "alarms", "/alarms", "nav.alarms", gatehouse.HandleAlarms}},
}

func (c *Console) alarmsRoutes() []auth.Route {
	return []auth.Route{
		{Pattern: "GET /alarms", Policy: auth.Needs(gatehouse.HandleAlarms), Handler: c.alarms},
		{Pattern: "POST /alarms/{id}/acknowledge", Policy: auth.Needs(gatehouse.HandleAlarms), Handler: c.acknowledge, Page: "/alarms"},
	}
}

// alarmRow is one alarm in words.
type alarmRow struct {
	gatehouse.RaisedAlarm
	Says string
	Who  string // who acknowledged it
}

// alarmsBody is the list.
type alarmsBody struct {
	Open  []alarmRow
	Rows  []alarmRow // acknowledged ones
	Older gatehouse.ID
}

// alarmsRead is how many alarms are read at a time; those of other gates fall out.
const alarmsRead = 200

// alarmsOf are the alarms that whoever asks may see: those of their own gates and, unless
// their role counts at some gates only, those of the site.
func (c *Console) alarmsOf(r *http.Request, q gatehouse.AlarmQuery) ([]gatehouse.RaisedAlarm, error) {
	mine := gatesOf(r, gatehouse.HandleAlarms)
	found, err := c.o.Alarms.Alarms(r.Context(), q)
	return slices.DeleteFunc(found, func(a gatehouse.RaisedAlarm) bool { return !mine.All() && (a.Gate == "" || !mine.Has(a.Gate)) }), err
}

func (c *Console) alarms(w http.ResponseWriter, r *http.Request) {
	lang := languageOf(w, r)
	q := gatehouse.AlarmQuery{Place: c.o.Place, Limit: alarmsRead}
	if before := r.URL.Query().Get("before"); before != "" {
		id, err := gatehouse.ParseID(before)
		if err != nil {
			c.fail(w, r, err)
			return
		}
		q.Before = id
	}
	var b alarmsBody
	all, err := c.o.Alarms.Alarms(r.Context(), q)
	if err == nil && len(all) == alarmsRead {
		b.Older = all[alarmsRead-1].ID
	}
	if err == nil {
		all, err = c.alarmsOf(r, q)
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	for _, a := range all {
		row := alarmRow{RaisedAlarm: a, Says: c.alarmWords(lang, a.Alarm), Who: c.loginOf(a.By)}
		if a.Acknowledged.IsZero() {
			b.Open = append(b.Open, row)
		} else {
			b.Rows = append(b.Rows, row)
		}
	}
	c.render(w, r, http.StatusOK, "alarms", "alarms.title", "alarms", b)
}

func (c *Console) acknowledge(w http.ResponseWriter, r *http.Request) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err == nil {
		err = c.maySee(r, id)
	}
	if err == nil {
		err = c.o.Alarms.Acknowledge(r.Context(), who(r), id)
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/alarms", http.StatusSeeOther)
}

// maySee fails with store.not_found for an alarm that is not whoever asks's to see.
func (c *Console) maySee(r *http.Request, id gatehouse.ID) error {
	above := id // the query's cursor leaves its own id out
	for i := len(above) - 1; i >= 0; i-- {
		if above[i]++; above[i] != 0 {
			break
		}
	}
	found, err := c.alarmsOf(r, gatehouse.AlarmQuery{Place: c.o.Place, Before: above, Limit: 1})
	if err == nil && (len(found) == 0 || found[0].ID != id) {
		err = gatehouse.Errorf("store.not_found", "", "there is no such alarm")
	}
	return err
}

// alarmsView is the strip over the live list; nothing is open for whoever may see none.
type alarmsView struct {
	Open int
	More bool // than were counted
	Says string
	Kind gatehouse.AlarmKind
}

func (c *Console) alarmsView(r *http.Request, lang string) alarmsView {
	if !may(r, gatehouse.HandleAlarms) {
		return alarmsView{}
	}
	open, err := c.alarmsOf(r, gatehouse.AlarmQuery{Place: c.o.Place, Open: true, Limit: alarmsRead})
	if err != nil {
		c.o.Log.Error("alarms", "err", err)
	}
	if len(open) == 0 {
		return alarmsView{}
	}
	return alarmsView{Open: len(open), More: len(open) == alarmsRead, Says: c.alarmWords(lang, open[0].Alarm), Kind: open[0].Kind}
}

// alarmWords says what happened, in the language of the page.
func (c *Console) alarmWords(lang string, a gatehouse.Alarm) string {
	switch a.Kind {
	case gatehouse.CanaryAlarm:
		if a.Device != "" {
			return fmt.Sprintf(text(lang, "alarm.canary.device"), a.Device)
		}
		return fmt.Sprintf(text(lang, "alarm.canary"), c.loginOf(a.Operator))
	case gatehouse.BudgetAlarm:
		return fmt.Sprintf(text(lang, "alarm.budget"), c.loginOf(a.Operator), a.Scope)
	case gatehouse.AlteredAlarm:
		return fmt.Sprintf(text(lang, "alarm.altered"), a.Scope)
	case gatehouse.OperatorAlarm:
		return fmt.Sprintf(text(lang, "alarm.operator"), a.Operator)
	case gatehouse.GateAlarm:
		return fmt.Sprintf(text(lang, "alarm.gate"), c.gate(a.Gate).Name)
	case gatehouse.PlateAlarm:
		return fmt.Sprintf(text(lang, "alarm.plate"), c.gate(a.Gate).Name)
	case gatehouse.TestAlarm:
		return text(lang, "alarm.test")
	}
	return a.Sentence()
}
