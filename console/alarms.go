package console

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

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
	List  leafing
	Kinds []gatehouse.AlarmKind
	Open  []alarmRow
	Rows  []alarmRow // acknowledged ones
}

// alarmsRead is how many open alarms are read; those of other gates fall out.
const alarmsRead = 200

// alarmsOf are the alarms that whoever asks may see: those of their own gates and, unless
// their role counts at some gates only, those of the site.
func (c *Console) alarmsOf(r *http.Request, q gatehouse.AlarmQuery) ([]gatehouse.RaisedAlarm, error) {
	mine := c.alarmsFor(r)
	found, err := c.o.Alarms.Alarms(r.Context(), q)
	return slices.DeleteFunc(found, func(a gatehouse.RaisedAlarm) bool { return !mine(a) }), err
}

// alarmsFor says of an alarm whether whoever asks may see it.
func (c *Console) alarmsFor(r *http.Request) func(gatehouse.RaisedAlarm) bool {
	mine := gatesOf(r, gatehouse.HandleAlarms)
	return func(a gatehouse.RaisedAlarm) bool { return mine.All() || a.Gate != "" && mine.Has(a.Gate) }
}

func (c *Console) alarms(w http.ResponseWriter, r *http.Request) {
	lang := languageOf(w, r)
	list, err := leafingOf(r, "kind")
	if err != nil {
		c.fail(w, r, err)
		return
	}
	b := alarmsBody{List: list, Kinds: gatehouse.AlarmKinds}
	kind, mine := gatehouse.AlarmKind(list.Is("kind")), c.alarmsFor(r)
	all := grownLog[gatehouse.RaisedAlarm]{
		read: func(before gatehouse.ID, limit int) ([]gatehouse.RaisedAlarm, error) {
			return c.o.Alarms.Alarms(r.Context(), gatehouse.AlarmQuery{Place: c.o.Place, Before: before, Limit: limit})
		},
		id: func(a gatehouse.RaisedAlarm) gatehouse.ID { return a.ID },
		fits: func(a gatehouse.RaisedAlarm) bool {
			return mine(a) && (kind == "" || a.Kind == kind) && (list.File || !a.Acknowledged.IsZero())
		},
		columns: []column[gatehouse.RaisedAlarm]{byTime("at", func(a gatehouse.RaisedAlarm) time.Time { return a.At }), by("kind", func(a gatehouse.RaisedAlarm) string { return string(a.Kind) + " " + string(a.Gate) }),
			by("by", func(a gatehouse.RaisedAlarm) string { return c.loginOf(a.By) }), byTime("acknowledged", func(a gatehouse.RaisedAlarm) time.Time { return a.Acknowledged })},
	}
	if list.File {
		leafFile(c, w, r, list, all, "alarms", []string{"at", "kind", "what", "acknowledged_by", "acknowledged"}, func(a gatehouse.RaisedAlarm) []string {
			return []string{when(a.At), string(a.Kind), c.alarmWords(lang, a.Alarm), c.loginOf(a.By), when(a.Acknowledged)}
		})
		return
	}
	done, err := leaf(c, &b.List, all)
	var open []gatehouse.RaisedAlarm
	if err == nil && list.First() { // whatever the filter says: somebody has to see them
		open, err = c.alarmsOf(r, gatehouse.AlarmQuery{Place: c.o.Place, Open: true, Limit: alarmsRead})
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	b.Open, b.Rows = c.alarmRows(lang, open), c.alarmRows(lang, done)
	c.render(w, r, http.StatusOK, "alarms", "alarms.title", "alarms", b)
}

func (c *Console) alarmRows(lang string, all []gatehouse.RaisedAlarm) (rows []alarmRow) {
	for _, a := range all {
		rows = append(rows, alarmRow{RaisedAlarm: a, Says: c.alarmWords(lang, a.Alarm), Who: c.loginOf(a.By)})
	}
	return rows
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
	case gatehouse.TailgateAlarm:
		return fmt.Sprintf(text(lang, "alarm.tailgate"), c.gate(a.Gate).Name)
	case gatehouse.HelpAlarm:
		return fmt.Sprintf(text(lang, "alarm.help"), c.gate(a.Gate).Name)
	case gatehouse.TestAlarm:
		return text(lang, "alarm.test")
	}
	return a.Sentence()
}
