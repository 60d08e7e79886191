package console

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/auth"
)

// Control is what disclosures are controlled by: budgets, canaries, releases. What changes
// it takes the vault's passphrase, which is the caller's to wipe; what takes two people takes
// signatures that are made on operators' own machines, and so is no part of it. Where the
// vault is on another machine, what takes its passphrase fails with vault.elsewhere.
type Control interface {
	Budgets(ctx context.Context) (BudgetState, error)
	// SetBudgets sets the limits, a number that is 0 stays as it is: budget.limit,
	// vault.passphrase, vault.busy, vault.altered, vault.canary.
	SetBudgets(ctx context.Context, who Who, passphrase []byte, set BudgetLimits) error

	// Operators are those who can be told apart by a signature, by name.
	Operators(ctx context.Context) ([]string, error)
	// PlanRelease tells the ids of subjects from those of passages, and counts the values that
	// there are of them: release.fields, release.items, store.not_found.
	PlanRelease(ctx context.Context, ids []gatehouse.ID, fields []string) (subjects []gatehouse.SubjectID, passages []gatehouse.ID, items int, err error)
	// Release gives one with what was asked for, where the vault is unsealed:
	// release.unknown.
	Release(ctx context.Context, id gatehouse.ID) (ReleaseState, error)

	Canary(ctx context.Context) (CanaryState, error)
	// Canaries lists them, which the audit log notes: vault.passphrase, vault.busy.
	Canaries(ctx context.Context, who Who, passphrase []byte) ([]PlantedCanary, error)
	// Spare enrols somebody made up, a person or a vehicle: canary.kind.
	Spare(ctx context.Context, who Who, kind gatehouse.SubjectKind) (SpareCanary, error)
	// Plant makes subjects canaries, in one change: canary.operators, canary.label,
	// canary.too_many, store.not_found. With no subject it makes a token, which is shown
	// this once.
	Plant(ctx context.Context, who Who, passphrase []byte, subjects []gatehouse.SubjectID, note string) (token gatehouse.Secret, err error)
}

// BudgetLimit is what one budget holds, in units.
type BudgetLimit struct{ Hour, Day int }

// BudgetLimits are all budgets, by scope: operator, role, organization, live.
type BudgetLimits map[string]BudgetLimit

// budgetScopes are the scopes of budgets, in the order in which people read them.
var budgetScopes = []string{"operator", "role", "organization", "live"}

// BudgetState is what may be disclosed, and what was.
type BudgetState struct {
	Known     bool // false until the vault was unsealed for the first time since its process started
	Elsewhere bool // the vault is on another machine, where its limits are set
	Set       BudgetLimits
	Limits    BudgetLimits // in force: Set, lowered by gatehouse.yml
	Used      []BudgetUse
}

// BudgetUse is what was used of one budget and has not come back, in units.
type BudgetUse struct {
	Scope     string // operator, role or organization
	Name      string // an account's login, or a role
	Hour, Day int
}

// ReleaseState is a release, and how much of what was asked for.
type ReleaseState struct {
	gatehouse.Release
	Fields []ReleaseCount // none while the vault is sealed
}

// ReleaseCount is how many values of a field.
type ReleaseCount struct {
	Field string
	Count int
}

// PlantedCanary is one, and where it was planted in an operator's words.
type PlantedCanary struct {
	Kind    string // person, vehicle, token
	Label   string // of the badge; "" for a token
	Subject gatehouse.SubjectID
	Note    string
	Planted time.Time
}

// SpareCanary is somebody made up who was enrolled.
type SpareCanary struct {
	Kind    gatehouse.SubjectKind
	Label   string
	Subject gatehouse.SubjectID
}

// controlling is the area of budgets, canaries and one release.
var controlling = area{
	pages:  []string{"budgets", "canaries", "release", "releaseplan"},
	routes: (*Console).controlRoutes,
	nav: []entry{
		{"nav.privacy", "releaseplan", "/privacy/releases/new", "releases.plan", gatehouse.RequestReleases},
		{"nav.privacy", "budgets", "/privacy/budgets", "budgets.title", gatehouse.ManageBudget},
		{"nav.privacy", "canaries", "/privacy/canaries", "canaries.title", gatehouse.ManageCanaries},
	},
}

func (c *Console) controlRoutes() []auth.Route {
	if c.o.Control == nil {
		return nil
	}
	needs, fresh := auth.Needs, auth.NeedsFresh
	return []auth.Route{
		{Pattern: "GET /privacy/budgets", Policy: needs(gatehouse.ManageBudget), Handler: func(w http.ResponseWriter, r *http.Request) { c.budgets(w, r, http.StatusOK, "") }},
		{Pattern: "POST /privacy/budgets", Policy: fresh(gatehouse.ManageBudget), Handler: c.setBudgets, Page: "/privacy/budgets"},
		{Pattern: "GET /privacy/releases/new", Policy: needs(gatehouse.RequestReleases), Handler: c.planRelease},
		{Pattern: "POST /privacy/releases/plan", Policy: needs(gatehouse.RequestReleases), Handler: c.plannedCommand},
		{Pattern: "GET /privacy/releases/{id}", Policy: needs(gatehouse.ApproveReleases), Handler: c.release},
		{Pattern: "GET /privacy/canaries", Policy: needs(gatehouse.ManageCanaries), Handler: func(w http.ResponseWriter, r *http.Request) { c.canaries(w, r, http.StatusOK, canariesBody{}) }},
		{Pattern: "POST /privacy/canaries/list", Policy: fresh(gatehouse.ManageCanaries), Handler: c.listCanaries, Page: "/privacy/canaries"},
		{Pattern: "POST /privacy/canaries/spare", Policy: fresh(gatehouse.ManageCanaries), Handler: c.spareCanary, Page: "/privacy/canaries"},
		{Pattern: "POST /privacy/canaries", Policy: fresh(gatehouse.ManageCanaries), Handler: c.plantCanaries, Page: "/privacy/canaries"},
	}
}

// maxControlForm bounds the forms with a passphrase, in bytes: that, and a hundred ids.
const maxControlForm = 12 << 10

// withPassphrase reads a form with the vault's passphrase, and lets do carry out what it
// asks for.
func withPassphrase(w http.ResponseWriter, r *http.Request, do func(f secretForm, passphrase []byte) error) error {
	f, err := readSecretForm(w, r, maxControlForm)
	defer f.wipe()
	if err != nil {
		return err
	}
	passphrase := f.take("passphrase")
	if len(passphrase) == 0 || len(passphrase) > maxPassphrase {
		return gatehouse.Errorf("form.malformed", "give the vault's passphrase", "the form was not filled in")
	}
	return do(f, passphrase)
}

// controlRight is setRight for what takes the vault's passphrase, too.
func controlRight(lang string, err error) (int, string) {
	switch gatehouse.ErrorCode(err) {
	case "vault.passphrase":
		return http.StatusForbidden, text(lang, "control.passphrase.wrong")
	case "vault.busy":
		return http.StatusTooManyRequests, plainError(lang, err)
	case "vault.canary", "vault.altered":
		return http.StatusLocked, plainError(lang, err)
	case "vault.elsewhere":
		return http.StatusConflict, plainError(lang, err)
	case "store.not_found", "id.malformed":
		return http.StatusUnprocessableEntity, text(lang, "code.subject.unknown")
	}
	return setRight(lang, err)
}

type budgetsBody struct {
	BudgetState
	Rows    []budgetRow
	Users   []budgetUser
	Most    int
	Problem string
}

// budgetRow is one scope's limits.
type budgetRow struct {
	Scope           string
	Set, Limit      BudgetLimit
	Lowered         bool
	HourName, DayOf string // of the form's fields
}

type budgetUser struct {
	BudgetUse
	Role   gatehouse.Role // where it is a role's
	Shares [2]float64     // of the hour's and the day's limit
	Limit  BudgetLimit
}

// maxBudget is the most that a budget may hold; vault/budget checks it.
const maxBudget = 100_000_000

func (c *Console) budgets(w http.ResponseWriter, r *http.Request, status int, problem string) {
	s, err := c.o.Control.Budgets(r.Context())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	b := budgetsBody{BudgetState: s, Most: maxBudget, Problem: problem}
	for _, scope := range budgetScopes {
		b.Rows = append(b.Rows, budgetRow{Scope: scope, Set: s.Set[scope], Limit: s.Limits[scope], Lowered: s.Set[scope] != s.Limits[scope], HourName: scope + "-hour", DayOf: scope + "-day"})
	}
	for _, u := range s.Used {
		limit := s.Limits[u.Scope]
		user := budgetUser{BudgetUse: u, Limit: limit, Shares: [2]float64{float64(u.Hour) / float64(max(1, limit.Hour)), float64(u.Day) / float64(max(1, limit.Day))}}
		if u.Scope == "role" {
			user.Role = gatehouse.Role(u.Name)
		}
		b.Users = append(b.Users, user)
	}
	slices.SortStableFunc(b.Users, func(a, b budgetUser) int {
		return slices.Index([]string{"organization", "role", "operator"}, a.Scope) - slices.Index([]string{"organization", "role", "operator"}, b.Scope)
	})
	c.render(w, r, status, "budgets", "budgets.title", "budgets", b)
}

func (c *Console) setBudgets(w http.ResponseWriter, r *http.Request) {
	err := withPassphrase(w, r, func(f secretForm, passphrase []byte) error {
		set := BudgetLimits{}
		for _, scope := range budgetScopes {
			var l BudgetLimit
			for suffix, into := range map[string]*int{"-hour": &l.Hour, "-day": &l.Day} {
				s := strings.TrimSpace(f.text(scope + suffix))
				if s == "" {
					continue // it stays
				}
				n, err := strconv.Atoi(s)
				if err != nil || n < 1 || n > maxBudget {
					return gatehouse.Errorf("budget.limit", "use 1 to 100000000 units", "a budget is a whole number of units")
				}
				*into = n
			}
			set[scope] = l
		}
		return c.o.Control.SetBudgets(r.Context(), who(r), passphrase, set)
	})
	if status, problem := controlRight(languageOf(w, r), err); status != 0 {
		c.budgets(w, r, status, problem)
		return
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/privacy/budgets", http.StatusSeeOther)
}

type releaseBody struct {
	ReleaseState
	State     string
	Operators []string
	File      releaseView
}

func (c *Console) release(w http.ResponseWriter, r *http.Request) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	b := releaseBody{}
	if err == nil {
		b.ReleaseState, err = c.o.Control.Release(r.Context(), id)
	}
	if err == nil {
		b.Operators, err = c.o.Control.Operators(r.Context())
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	b.State, b.File = releaseState(b.Release, c.o.Now()), c.releaseView(r, languageOf(w, r), id)
	c.render(w, r, http.StatusOK, "release", "releases.one", "releases", b)
}

type canariesBody struct {
	CanaryState
	Operators []string
	Planted   []PlantedCanary
	Listed    bool
	Spares    []SpareCanary
	Token     string // shown this once
	Done      int    // that many were planted
	Problem   string
}

// Few reports whether there are too few operators to lift what a canary would shut.
func (b canariesBody) Few() bool { return len(b.Operators) < 2 }

func (c *Console) canaries(w http.ResponseWriter, r *http.Request, status int, b canariesBody) {
	var err error
	if b.CanaryState, err = c.o.Control.Canary(r.Context()); err == nil {
		b.Operators, err = c.o.Control.Operators(r.Context())
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.render(w, r, status, "canaries", "canaries.title", "canaries", b)
}

// onCanaries shows the page with what came of a form.
func (c *Console) onCanaries(w http.ResponseWriter, r *http.Request, b canariesBody, err error) {
	if status, problem := controlRight(languageOf(w, r), err); status != 0 {
		c.canaries(w, r, status, canariesBody{Problem: problem})
		return
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.canaries(w, r, http.StatusOK, b)
}

func (c *Console) listCanaries(w http.ResponseWriter, r *http.Request) {
	b := canariesBody{Listed: true}
	err := withPassphrase(w, r, func(_ secretForm, passphrase []byte) (err error) {
		b.Planted, err = c.o.Control.Canaries(r.Context(), who(r), passphrase)
		return err
	})
	c.onCanaries(w, r, b, err)
}

// maxSpares is how many are made at once.
const maxSpares = 20

func (c *Console) spareCanary(w http.ResponseWriter, r *http.Request) {
	var b canariesBody
	err := formIn(w, r, 4096)
	n, notNumber := 0, error(nil)
	if err == nil {
		if n, notNumber = strconv.Atoi(r.PostForm.Get("count")); notNumber != nil || n < 1 || n > maxSpares {
			err = gatehouse.Errorf("form.malformed", "make 1 to 20 at once", "the form was not filled in")
		}
	}
	for range n {
		if err != nil {
			break
		}
		var one SpareCanary
		if one, err = c.o.Control.Spare(r.Context(), who(r), gatehouse.SubjectKind(r.PostForm.Get("kind"))); err == nil {
			b.Spares = append(b.Spares, one)
		}
	}
	c.onCanaries(w, r, b, err)
}

func (c *Console) plantCanaries(w http.ResponseWriter, r *http.Request) {
	var b canariesBody
	err := withPassphrase(w, r, func(f secretForm, passphrase []byte) error {
		var subjects []gatehouse.SubjectID
		what := f.text("what")
		if what == "subjects" {
			for _, s := range strings.Fields(f.text("subjects")) {
				id, err := gatehouse.ParseID(s)
				if err != nil {
					return err
				}
				subjects = append(subjects, id)
			}
		}
		if what != "token" && len(subjects) == 0 {
			return gatehouse.Errorf("form.malformed", "give ids of people or vehicles", "the form was not filled in")
		}
		token, err := c.o.Control.Plant(r.Context(), who(r), passphrase, subjects, strings.TrimSpace(f.text("note")))
		b.Token, b.Done = token.Reveal(), max(1, len(subjects))
		return err
	})
	c.onCanaries(w, r, b, err)
}
