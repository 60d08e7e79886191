package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"gatehouse"
	"gatehouse/api/wire"
)

// Rules gives the rule book: groups, rules, schedules and holidays.
func (c *Client) Rules(ctx context.Context) (wire.Rules, error) {
	return c.rules(ctx, http.MethodGet, "/admin/v1/rules", nil)
}

func (c *Client) rules(ctx context.Context, method, path string, q any) (wire.Rules, error) {
	var out wire.Rules
	err := c.ask(ctx, method, path, q, &out)
	return out, err
}

// RuleChanges pages the book's versions, the newest first, below before (0: all).
func (c *Client) RuleChanges(ctx context.Context, before uint64) (wire.RuleChanges, error) {
	path := "/admin/v1/rules/changes"
	if before > 0 {
		path += "?before=" + strconv.FormatUint(before, 10)
	}
	var out wire.RuleChanges
	err := c.ask(ctx, http.MethodGet, path, nil, &out)
	return out, err
}

// PutGroup makes or renames a group.
func (c *Client) PutGroup(ctx context.Context, r wire.GroupRequest) (wire.Rules, error) {
	return c.rules(ctx, http.MethodPost, "/admin/v1/groups", r)
}

// RemoveGroup forgets a group that no rule is about.
func (c *Client) RemoveGroup(ctx context.Context, id string) (wire.Rules, error) {
	return c.rules(ctx, http.MethodDelete, "/admin/v1/groups/"+url.PathEscape(id), nil)
}

// Members pages a group's members, by id, behind after.
func (c *Client) Members(ctx context.Context, id string, after gatehouse.SubjectID) (wire.Members, error) {
	path := "/admin/v1/groups/" + url.PathEscape(id) + "/members"
	if !after.IsZero() {
		path += "?after=" + after.String()
	}
	var out wire.Members
	err := c.ask(ctx, http.MethodGet, path, nil, &out)
	return out, err
}

// ChangeMembers adds to a group, and takes out of it.
func (c *Client) ChangeMembers(ctx context.Context, id string, r wire.MembersRequest) (wire.Rules, error) {
	return c.rules(ctx, http.MethodPost, "/admin/v1/groups/"+url.PathEscape(id)+"/members", r)
}

// PutRule makes or replaces a rule.
func (c *Client) PutRule(ctx context.Context, r wire.AccessRule) (wire.Rules, error) {
	return c.rules(ctx, http.MethodPost, "/admin/v1/rules", r)
}

// RemoveRule forgets a rule.
func (c *Client) RemoveRule(ctx context.Context, id string) (wire.Rules, error) {
	return c.rules(ctx, http.MethodDelete, "/admin/v1/rules/"+url.PathEscape(id), nil)
}

// PutSchedule makes or replaces a schedule.
func (c *Client) PutSchedule(ctx context.Context, r wire.Schedule) (wire.Rules, error) {
	return c.rules(ctx, http.MethodPost, "/admin/v1/schedules", r)
}

// RemoveSchedule forgets a schedule that nothing is within.
func (c *Client) RemoveSchedule(ctx context.Context, name string) (wire.Rules, error) {
	return c.rules(ctx, http.MethodDelete, "/admin/v1/schedules/"+url.PathEscape(name), nil)
}

// PutHoliday makes or renames a holiday.
func (c *Client) PutHoliday(ctx context.Context, r wire.Holiday) (wire.Rules, error) {
	return c.rules(ctx, http.MethodPost, "/admin/v1/holidays", r)
}

// RemoveHoliday makes a day like any other.
func (c *Client) RemoveHoliday(ctx context.Context, date string) (wire.Rules, error) {
	return c.rules(ctx, http.MethodDelete, "/admin/v1/holidays/"+url.PathEscape(date), nil)
}
