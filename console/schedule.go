package console

import (
	"net/http"
	"strings"

	"gatehouse"
)

// scheduleBody is the page of one schedule.
type scheduleBody struct {
	Problem       string
	Schedule      gatehouse.Schedule
	Windows, Days string // as the form has them, a line each
	Week          []weekday
	File          bool // it stands in gatehouse.yml
	New           bool
}

// weekday is a row of the week's picture; a minute is 1/1440 of it.
type weekday struct {
	Name  string // mon, tue, …
	Spans []block
}

type block struct{ From, Length int }

// weekOf draws the weekly windows; what goes over midnight goes on in the next row.
func weekOf(s gatehouse.Schedule) []weekday {
	week := make([]weekday, 7)
	for i, name := range []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} {
		week[i].Name = name
	}
	for _, w := range s.Windows {
		i := (int(w.Day) + 6) % 7
		week[i].Spans = append(week[i].Spans, block{w.From, min(w.Until, 1440) - w.From})
		if w.Until > 1440 {
			next := (i + 1) % 7
			week[next].Spans = append(week[next].Spans, block{0, w.Until - 1440})
		}
	}
	return week
}

func (c *Console) schedule(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("id")
	s, ok := c.o.Rules.Schedule(name)
	b := scheduleBody{Schedule: s, File: s.Revision == 0}
	if name == newPart {
		b, ok = scheduleBody{New: true, Windows: localDays(languageOf(w, r), "mon-fri 07:00-19:00")}, true
	}
	if !ok {
		c.fail(w, r, gatehouse.Errorf("store.not_found", "", "there is no such schedule"))
		return
	}
	if !b.New {
		b.Windows = localDays(languageOf(w, r), strings.Join(s.Lines(), "\n"))
		for _, d := range s.Days {
			b.Days += localDays(languageOf(w, r), d.String()) + "\n"
		}
		b.Week = weekOf(s)
	}
	c.render(w, r, http.StatusOK, "schedule", "schedule.title", "rules", b)
}

func (c *Console) putSchedule(w http.ResponseWriter, r *http.Request) {
	err := formIn(w, r, maxRuleForm)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	f, lang, was := r.PostForm, languageOf(w, r), revision(r)
	name := strings.TrimSpace(f.Get("name"))
	s, err := gatehouse.ParseSchedule(name, strings.Split(plainDays(f.Get("windows")), "\n"), strings.Split(plainDays(f.Get("days")), "\n"), f.Get("on-holidays") != "")
	if err == nil {
		err = c.o.Rules.PutSchedule(r.Context(), who(r).Operator, was, s)
	}
	s.Name, s.Revision = name, was
	if problem := mendable(lang, err); problem != "" {
		c.render(w, r, http.StatusUnprocessableEntity, "schedule", "schedule.title", "rules",
			scheduleBody{Problem: problem, Schedule: s, Windows: f.Get("windows"), Days: f.Get("days"), New: was == 0})
	} else if err != nil {
		c.fail(w, r, err)
	} else {
		http.Redirect(w, r, localPath("/rules/schedules/"+name), http.StatusSeeOther)
	}
}

// dayWords are the words of schedules in Chinese, beside those that are stored.
var dayWords = []string{"mon", "周一", "tue", "周二", "wed", "周三", "thu", "周四", "fri", "周五", "sat", "周六", "sun", "周日", "closed", "关闭"}

// localDays writes a schedule's lines in the language of the page; plainDays reads both.
func localDays(lang, lines string) string {
	if lang != "zh" {
		return lines
	}
	return strings.NewReplacer(dayWords...).Replace(lines)
}

func plainDays(lines string) string {
	var back []string
	for i := 0; i+1 < len(dayWords); i += 2 {
		back = append(back, dayWords[i+1], dayWords[i])
	}
	return strings.NewReplacer(append(back, "至", "-", "～", "-", "：", ":", "　", " ")...).Replace(lines)
}
