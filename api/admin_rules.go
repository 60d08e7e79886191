package api

import (
	"context"
	"net/http"
	"strconv"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
)

// RulesAdmin manages groups, rules, schedules and holidays. Every change fails with
// rules.changed where a revision was named that is not the newest, and with
// rules.exists for revision 0 where the name is taken.
type RulesAdmin interface {
	Rules(ctx context.Context) (wire.Rules, error)
	// RuleChanges pages the book's versions, the newest first, below before.
	RuleChanges(ctx context.Context, before uint64) (wire.RuleChanges, error)
	// PutGroup: rules.name, rules.title, rules.too_many.
	PutGroup(ctx context.Context, r wire.GroupRequest) (wire.Rules, error)
	// RemoveGroup: rules.unknown, rules.in_use.
	RemoveGroup(ctx context.Context, id string) (wire.Rules, error)
	// Members pages a group's, by id, behind after: rules.unknown.
	Members(ctx context.Context, id string, after gatehouse.SubjectID) (wire.Members, error)
	// ChangeMembers: rules.unknown, rules.members, store.not_found.
	ChangeMembers(ctx context.Context, id string, r wire.MembersRequest) (wire.Rules, error)
	// PutRule: rules.name, rules.unknown, rules.gates, rules.days, rules.too_many.
	PutRule(ctx context.Context, r wire.AccessRule) (wire.Rules, error)
	// RemoveRule: rules.unknown.
	RemoveRule(ctx context.Context, id string) (wire.Rules, error)
	// PutSchedule: rules.name, rules.fixed, schedule.malformed, schedule.window, rules.days.
	PutSchedule(ctx context.Context, r wire.Schedule) (wire.Rules, error)
	// RemoveSchedule: rules.unknown, rules.fixed, rules.in_use.
	RemoveSchedule(ctx context.Context, id string) (wire.Rules, error)
	// PutHoliday: date.malformed, rules.title.
	PutHoliday(ctx context.Context, r wire.Holiday) (wire.Rules, error)
	// RemoveHoliday: rules.unknown.
	RemoveHoliday(ctx context.Context, id string) (wire.Rules, error)
}

func (a *API) rulesRoutes() []auth.Route {
	on := func(pattern string, h http.HandlerFunc) auth.Route {
		return auth.Route{Pattern: pattern, Policy: auth.OnSocket, Handler: h}
	}
	return []auth.Route{
		on("GET /admin/v1/rules", func(w http.ResponseWriter, r *http.Request) { tell(a, w, r, http.StatusOK, a.o.Admin.Rules) }),
		on("GET /admin/v1/rules/changes", a.ruleChanges),
		on("POST /admin/v1/rules", putting(a, RulesAdmin.PutRule)),
		on("DELETE /admin/v1/rules/{id}", removing(a, RulesAdmin.RemoveRule)),
		on("POST /admin/v1/groups", putting(a, RulesAdmin.PutGroup)),
		on("DELETE /admin/v1/groups/{id}", removing(a, RulesAdmin.RemoveGroup)),
		on("GET /admin/v1/groups/{id}/members", a.members),
		on("POST /admin/v1/groups/{id}/members", func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusOK, func(ctx context.Context, q wire.MembersRequest) (wire.Rules, error) {
				return a.o.Admin.ChangeMembers(ctx, r.PathValue("id"), q)
			})
		}),
		on("POST /admin/v1/schedules", putting(a, RulesAdmin.PutSchedule)),
		on("DELETE /admin/v1/schedules/{id}", removing(a, RulesAdmin.RemoveSchedule)),
		on("POST /admin/v1/holidays", putting(a, RulesAdmin.PutHoliday)),
		on("DELETE /admin/v1/holidays/{id}", removing(a, RulesAdmin.RemoveHoliday)),
	}
}

// putting carries out a change that the request's body describes.
func putting[Q any](a *API, do func(RulesAdmin, context.Context, Q) (wire.Rules, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		carry(a, w, r, http.StatusOK, func(ctx context.Context, q Q) (wire.Rules, error) { return do(a.o.Admin, ctx, q) })
	}
}

// removing removes what the path names.
func removing(a *API, do func(RulesAdmin, context.Context, string) (wire.Rules, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.Rules, error) { return do(a.o.Admin, ctx, r.PathValue("id")) })
	}
}

func (a *API) members(w http.ResponseWriter, r *http.Request) {
	var after gatehouse.SubjectID
	if s := r.URL.Query().Get("after"); s != "" {
		id, err := gatehouse.ParseID(s)
		if err != nil {
			a.fail(w, r, err)
			return
		}
		after = id
	}
	tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.Members, error) {
		return a.o.Admin.Members(ctx, r.PathValue("id"), after)
	})
}

func (a *API) ruleChanges(w http.ResponseWriter, r *http.Request) {
	var before uint64
	if s := r.URL.Query().Get("before"); s != "" {
		n, err := strconv.ParseUint(s, 10, 63)
		if err != nil {
			a.fail(w, r, gatehouse.Errorf("request.malformed", "before is a version", "this is no version"))
			return
		}
		before = n
	}
	tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.RuleChanges, error) { return a.o.Admin.RuleChanges(ctx, before) })
}
