package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"gatehouse"
	"gatehouse/auth"
	"gatehouse/flow/rulebook"
)

// Rules is the site's rule book; flow/rulebook has it. by is who asks.
type Rules interface {
	List() rulebook.Listing
	Group(id gatehouse.GroupID) (gatehouse.Group, bool)
	// GroupsOf are those that a subject is in, by title.
	GroupsOf(id gatehouse.SubjectID) []gatehouse.Group
	Rule(id gatehouse.RuleID) (gatehouse.AccessRule, bool)
	Schedule(name string) (gatehouse.Schedule, bool)
	Members(group gatehouse.GroupID, after gatehouse.SubjectID, limit int) []gatehouse.SubjectID
	Changes(ctx context.Context, before uint64, limit int) ([]gatehouse.RuleChange, error)
	PutGroup(ctx context.Context, by string, was uint64, g gatehouse.Group) error
	RemoveGroup(ctx context.Context, by string, id gatehouse.GroupID) error
	AddMembers(ctx context.Context, by string, id gatehouse.GroupID, members []gatehouse.SubjectID) error
	RemoveMembers(ctx context.Context, by string, id gatehouse.GroupID, members []gatehouse.SubjectID) error
	PutRule(ctx context.Context, by string, was uint64, r gatehouse.AccessRule) error
	RemoveRule(ctx context.Context, by string, id gatehouse.RuleID) error
	PutSchedule(ctx context.Context, by string, was uint64, s gatehouse.Schedule) error
	RemoveSchedule(ctx context.Context, by string, name string) error
	PutHoliday(ctx context.Context, by string, h gatehouse.Holiday) error
	RemoveHoliday(ctx context.Context, by string, d gatehouse.Date) error
}

// ruling is the area of who may pass where and when.
var ruling = area{
	pages:  []string{"rules", "group", "rule", "schedule", "changes", "why"},
	routes: (*Console).rulesRoutes,
	nav:    []entry{{"nav.site", "rules", "/rules", "nav.rules", gatehouse.ManageRules}},
}

func (c *Console) rulesRoutes() []auth.Route {
	see, change := auth.Needs(gatehouse.ManageRules), auth.NeedsFresh(gatehouse.ManageRules)
	// A change leads to a page, and its sender goes on there after showing who they are.
	on := func(pattern, page string, do func(r *http.Request) (next string, err error)) auth.Route {
		return auth.Route{Pattern: "POST /rules/" + pattern, Policy: change, Page: page, Handler: c.changeRules(page, do)}
	}
	return []auth.Route{
		{Pattern: "GET /rules", Policy: see, Handler: c.rules},
		{Pattern: "GET /rules/changes", Policy: see, Handler: c.ruleChanges},
		{Pattern: "GET /rules/groups/{id}", Policy: see, Handler: c.group},
		{Pattern: "POST /rules/groups/{id}/find", Policy: see, Handler: c.findMembers, Page: "/rules/groups/{id}"},
		{Pattern: "GET /rules/grants/{id}", Policy: see, Handler: c.rule},
		{Pattern: "GET /rules/schedules/{id}", Policy: see, Handler: c.schedule},
		{Pattern: "POST /rules/grants", Policy: change, Page: "/rules", Handler: c.putRule},
		{Pattern: "POST /rules/schedules", Policy: change, Page: "/rules", Handler: c.putSchedule},
		{Pattern: "GET /rules/why", Policy: auth.Needs(gatehouse.SeePeople), Handler: c.askWhy},
		{Pattern: "POST /rules/why", Policy: auth.Needs(gatehouse.SeePeople), Handler: c.findWhy, Page: "/rules/why"},
		{Pattern: "GET /passages/{id}/why", Policy: auth.Needs(gatehouse.SeePassages), Handler: c.passageWhy},
		on("groups", "/rules", func(r *http.Request) (string, error) {
			id := strings.TrimSpace(r.PostForm.Get("id"))
			return "/rules/groups/" + id, c.o.Rules.PutGroup(r.Context(), who(r).Operator, revision(r), gatehouse.Group{ID: gatehouse.GroupID(id), Title: r.PostForm.Get("title")})
		}),
		on("groups/{id}/members", "/rules/groups/{id}", func(r *http.Request) (string, error) {
			ids, err := idsIn(r)
			if err == nil && r.PostForm.Get("do") == "remove" {
				err = c.o.Rules.RemoveMembers(r.Context(), who(r).Operator, gatehouse.GroupID(r.PathValue("id")), ids)
			} else if err == nil {
				err = c.o.Rules.AddMembers(r.Context(), who(r).Operator, gatehouse.GroupID(r.PathValue("id")), ids)
			}
			return "/rules/groups/" + r.PathValue("id"), err
		}),
		on("groups/{id}/remove", "/rules/groups/{id}", func(r *http.Request) (string, error) {
			return "/rules", c.o.Rules.RemoveGroup(r.Context(), who(r).Operator, gatehouse.GroupID(r.PathValue("id")))
		}),
		on("grants/{id}/remove", "/rules/grants/{id}", func(r *http.Request) (string, error) {
			return "/rules", c.o.Rules.RemoveRule(r.Context(), who(r).Operator, gatehouse.RuleID(r.PathValue("id")))
		}),
		on("schedules/{id}/remove", "/rules/schedules/{id}", func(r *http.Request) (string, error) {
			return "/rules", c.o.Rules.RemoveSchedule(r.Context(), who(r).Operator, r.PathValue("id"))
		}),
		on("holidays", "/rules", func(r *http.Request) (string, error) {
			return "/rules#holidays", c.o.Rules.PutHoliday(r.Context(), who(r).Operator, gatehouse.Holiday{Date: gatehouse.Date(strings.TrimSpace(r.PostForm.Get("date"))), Title: r.PostForm.Get("title")})
		}),
		on("holidays/{id}/remove", "/rules", func(r *http.Request) (string, error) {
			return "/rules#holidays", c.o.Rules.RemoveHoliday(r.Context(), who(r).Operator, gatehouse.Date(r.PathValue("id")))
		}),
	}
}

// maxRuleForm bounds a form about rules, in bytes.
const maxRuleForm = 64 << 10

// changeRules carries out one change and leads on; what was wrong is said on the page
// that the form stands on.
func (c *Console) changeRules(page string, do func(*http.Request) (string, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := formIn(w, r, maxRuleForm)
		next := ""
		if err == nil {
			next, err = do(r)
		}
		switch problem := mendable(languageOf(w, r), err); {
		case err == nil:
			http.Redirect(w, r, localPath(next), http.StatusSeeOther)
		case problem == "" || page == "/rules/schedules/{id}" || page == "/rules/grants/{id}":
			c.fail(w, r, err)
		case page == "/rules/groups/{id}":
			c.showGroup(w, r, http.StatusUnprocessableEntity, groupBody{Problem: problem})
		default:
			c.showRules(w, r, http.StatusUnprocessableEntity, problem)
		}
	}
}

// mendable puts into words what somebody can mend in a form; "" for all else.
func mendable(lang string, err error) string {
	var e *gatehouse.Error
	if !errors.As(err, &e) {
		return ""
	}
	family, _, _ := strings.Cut(e.Code, ".")
	if !slices.Contains([]string{"rules", "schedule", "date", "form", "id"}, family) && e.Code != "store.not_found" || e.Code == "rules.damaged" {
		return ""
	}
	return errorText(lang, e)
}

// revision is the one that a form was made from; none makes a new part.
func revision(r *http.Request) uint64 {
	n, err := strconv.ParseUint(r.PostForm.Get("revision"), 10, 63)
	if err != nil {
		return 0
	}
	return n
}

func idsIn(r *http.Request) (ids []gatehouse.SubjectID, err error) {
	for _, s := range r.PostForm["subject"] {
		id, err := gatehouse.ParseID(strings.TrimSpace(s))
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// rulesBody is the overview.
type rulesBody struct {
	rulebook.Listing
	// How the tables were asked for; they share what they are filtered by.
	GroupList, RuleList, ScheduleList, HolidayList listing
	None                                           struct{ Groups, Rules, Schedules, Holidays bool } // there is none at all
	Problem                                        string
	Titles                                         map[gatehouse.GroupID]string
	Gates                                          []gatehouse.Gate
	People                                         bool // whoever looks may see who is enrolled
}

func (c *Console) rules(w http.ResponseWriter, r *http.Request) {
	c.showRules(w, r, http.StatusOK, "")
}

func (c *Console) showRules(w http.ResponseWriter, r *http.Request, status int, problem string) {
	b := rulesBody{Listing: c.o.Rules.List(), Problem: problem, Titles: map[gatehouse.GroupID]string{}, Gates: c.o.Gates, People: may(r, gatehouse.SeePeople)}
	for _, g := range b.Groups {
		b.Titles[g.ID] = g.Title
	}
	if c.arrangeRules(w, r, &b) {
		return
	}
	c.render(w, r, status, "rules", "rules.title", "rules", b)
}

// arrangeRules arranges the tables of the overview, or answers with one of them as a file.
func (c *Console) arrangeRules(w http.ResponseWriter, r *http.Request, b *rulesBody) (answered bool) {
	for _, t := range []struct {
		list *listing
		name string
	}{{&b.GroupList, "groups"}, {&b.RuleList, "rules"}, {&b.ScheduleList, "schedules"}, {&b.HolidayList, "holidays"}} {
		*t.list = listingFor(t.name, r)
		t.list.Path = "/rules" // also where a form answers
	}
	b.None.Groups, b.None.Rules, b.None.Schedules, b.None.Holidays = len(b.Groups) == 0, len(b.Rules) == 0, len(b.Schedules) == 0, len(b.Holidays) == 0
	b.Groups = arrange(&b.GroupList, b.Groups, func(g rulebook.Counted) []string { return []string{string(g.ID), g.Title} },
		by("title", func(g rulebook.Counted) string { return g.Title }), by("id", func(g rulebook.Counted) string { return string(g.ID) }), by("members", func(g rulebook.Counted) int { return g.Members }))
	b.Rules = arrange(&b.RuleList, b.Rules, func(x gatehouse.AccessRule) []string {
		return append(append([]string{string(x.ID), b.Titles[x.Group], x.Schedule}, c.gateNames(x.Gates)...), joined(x.Gates))
	}, by("id", func(x gatehouse.AccessRule) string { return string(x.ID) }), by("group", func(x gatehouse.AccessRule) string { return b.Titles[x.Group] }),
		by("schedule", func(x gatehouse.AccessRule) string { return x.Schedule }), by("until", func(x gatehouse.AccessRule) string { return string(x.Until) }))
	b.Schedules = arrange(&b.ScheduleList, b.Schedules, func(s gatehouse.Schedule) []string { return []string{s.Name} }, by("name", func(s gatehouse.Schedule) string { return s.Name }))
	b.Holidays = arrange(&b.HolidayList, b.Holidays, func(h gatehouse.Holiday) []string { return []string{string(h.Date), h.Title} },
		by("date", func(h gatehouse.Holiday) string { return string(h.Date) }), by("title", func(h gatehouse.Holiday) string { return h.Title }))
	var out [][]string
	switch {
	case b.GroupList.File:
		for _, g := range b.Groups {
			out = append(out, []string{string(g.ID), g.Title, strconv.Itoa(g.Members)})
		}
		c.file(w, "groups", []string{"id", "title", "members"}, out)
	case b.RuleList.File:
		for _, x := range b.Rules {
			out = append(out, []string{string(x.ID), string(x.Group), joined(x.Gates), x.Schedule, string(x.From), string(x.Until)})
		}
		c.file(w, "rules", []string{"id", "group", "gates", "schedule", "from", "until"}, out)
	case b.ScheduleList.File:
		for _, s := range b.Schedules {
			out = append(out, []string{s.Name, strings.Join(s.Lines(), "; "), strconv.Itoa(len(s.Days)), strconv.FormatBool(s.OnHolidays)})
		}
		c.file(w, "schedules", []string{"name", "hours", "days_of_their_own", "open_on_holidays"}, out)
	case b.HolidayList.File:
		for _, h := range b.Holidays {
			out = append(out, []string{string(h.Date), h.Title})
		}
		c.file(w, "holidays", []string{"date", "title"}, out)
	default:
		return false
	}
	return true
}

// gateNames are the names of gates, for people; none stands for every gate.
func (c *Console) gateNames(ids []gatehouse.GateID) (names []string) {
	for _, id := range ids {
		if id == "*" {
			return nil
		}
		names = append(names, c.gate(id).Name)
	}
	return names
}

// ruleBody is the page of one rule.
type ruleBody struct {
	Problem   string
	Rule      gatehouse.AccessRule
	Every     bool
	Choices   []gateChoice
	Groups    []rulebook.Counted
	Schedules []gatehouse.Schedule
	New       bool
}

// newPart is the path's name of a part that is still to be made; CheckName refuses it, so
// that no part can be called so.
const newPart = "-"

func (c *Console) rule(w http.ResponseWriter, r *http.Request) {
	rule, ok := c.o.Rules.Rule(gatehouse.RuleID(r.PathValue("id")))
	if r.PathValue("id") == newPart {
		rule, ok = gatehouse.AccessRule{Group: gatehouse.GroupID(r.URL.Query().Get("group")), Schedule: "always"}, true
	}
	if !ok {
		c.fail(w, r, gatehouse.Errorf("store.not_found", "", "there is no such rule"))
		return
	}
	c.showRule(w, r, http.StatusOK, rule, "")
}

func (c *Console) showRule(w http.ResponseWriter, r *http.Request, status int, rule gatehouse.AccessRule, problem string) {
	l := c.o.Rules.List()
	b := ruleBody{Problem: problem, Rule: rule, Every: slices.Contains(rule.Gates, "*"), Groups: l.Groups, Schedules: l.Schedules, New: rule.Revision == 0}
	for _, g := range c.o.Gates {
		b.Choices = append(b.Choices, gateChoice{g, slices.Contains(rule.Gates, g.ID)})
	}
	c.render(w, r, status, "rule", "rule.title", "rules", b)
}

func (c *Console) putRule(w http.ResponseWriter, r *http.Request) {
	if err := formIn(w, r, maxRuleForm); err != nil {
		c.fail(w, r, err)
		return
	}
	f := r.PostForm
	rule := gatehouse.AccessRule{ID: gatehouse.RuleID(strings.TrimSpace(f.Get("id"))), Group: gatehouse.GroupID(f.Get("group")), Schedule: f.Get("schedule"),
		From: gatehouse.Date(f.Get("from")), Until: gatehouse.Date(f.Get("until")), Revision: revision(r)}
	for _, g := range f["gate"] {
		rule.Gates = append(rule.Gates, gatehouse.GateID(g))
	}
	if f.Get("every") != "" {
		rule.Gates = []gatehouse.GateID{"*"}
	}
	err := c.o.Rules.PutRule(r.Context(), who(r).Operator, rule.Revision, rule)
	if problem := mendable(languageOf(w, r), err); problem != "" {
		c.showRule(w, r, http.StatusUnprocessableEntity, rule, problem)
	} else if err != nil {
		c.fail(w, r, err)
	} else {
		http.Redirect(w, r, "/rules", http.StatusSeeOther)
	}
}

// changesBody is the book's history.
type changesBody struct {
	Rows  []changeRow
	Part  string // that it is narrowed to, "" for all
	Parts []string
	Older uint64
}

// Address is a page of the history: file for all of it, else what is older than before.
func (b changesBody) Address(file bool, before uint64) string {
	v := url.Values{}
	if b.Part != "" {
		v.Set("part", b.Part)
	}
	if file {
		v.Set("format", "csv")
	} else {
		v.Set("before", strconv.FormatUint(before, 10))
	}
	return "/rules/changes?" + v.Encode()
}

// changesFile is the book's history as a file.
func (c *Console) changesFile(w http.ResponseWriter, r *http.Request, part string) {
	before := uint64(0)
	c.batches(w, r, "rule-changes", []string{"version", "at", "who", "event", "part", "id", "members"}, func() (out [][]string, last bool, err error) {
		found, err := c.o.Rules.Changes(r.Context(), before, leafRead)
		for _, x := range found {
			if before = x.Version; part == "" || part == string(x.Kind) {
				out = append(out, []string{strconv.FormatUint(x.Version, 10), when(x.At), c.loginOf(x.By), string(x.Event), string(x.Kind), x.ID, strconv.Itoa(len(x.Members))})
			}
		}
		return out, len(found) < leafRead, err
	})
}

type changeRow struct {
	gatehouse.RuleChange
	Who string // a login, or who it was else
}

// ruleParts are what changes are of.
var ruleParts = []string{"group", "rule", "schedule", "holiday"}

func (c *Console) ruleChanges(w http.ResponseWriter, r *http.Request) {
	b := changesBody{Part: r.URL.Query().Get("part"), Parts: ruleParts}
	if !slices.Contains(ruleParts, b.Part) {
		b.Part = ""
	}
	if r.URL.Query().Get("format") == "csv" {
		c.changesFile(w, r, b.Part)
		return
	}
	before, _ := strconv.ParseUint(r.URL.Query().Get("before"), 10, 63)
	limit := pageRows + 1
	if b.Part != "" {
		limit = leafRead
	}
	for looked := 0; b.Older == 0; looked += limit {
		if looked >= leafMost {
			b.Older = before // the next page goes on
			break
		}
		found, err := c.o.Rules.Changes(r.Context(), before, limit)
		if err != nil {
			c.fail(w, r, err)
			return
		}
		for _, change := range found {
			if b.Part == "" || b.Part == string(change.Kind) {
				if len(b.Rows) == pageRows {
					b.Older = before
					break
				}
				b.Rows = append(b.Rows, changeRow{change, c.loginOf(change.By)})
			}
			before = change.Version
		}
		if len(found) < limit {
			break
		}
	}
	c.render(w, r, http.StatusOK, "changes", "changes.title", "rules", b)
}

// loginOf is the login of an operator who has an account, else the operator as it is.
func (c *Console) loginOf(operator string) string {
	_, text, found := strings.Cut(operator, "/")
	if !found {
		text = operator
	}
	if id, err := gatehouse.ParseID(text); err == nil && c.o.Accounts != nil {
		if a, ok := c.o.Accounts.Account(id); ok {
			return a.Login
		}
	}
	return operator
}
