package wire

import (
	"time"

	"gatehouse"
)

// Rules answers GET /admin/v1/rules: who may pass where and when, beside what lies on
// each badge.
type Rules struct {
	Version   uint64       `json:"version"`
	Groups    []Group      `json:"groups"`
	Rules     []AccessRule `json:"rules"`
	Schedules []Schedule   `json:"schedules"`
	Holidays  []Holiday    `json:"holidays"`
}

// Group is people and vehicles that the same rules count for.
type Group struct {
	ID      gatehouse.GroupID `json:"id"`
	Title   string            `json:"title"`
	Members int               `json:"members"`
}

// AccessRule allows a group at gates within a schedule. Revision is the version that
// last changed it; in a request, the one that the change is made from: 0 makes a new
// rule, and none overwrites whatever is there.
type AccessRule struct {
	ID       gatehouse.RuleID   `json:"id"`
	Group    gatehouse.GroupID  `json:"group"`
	Gates    []gatehouse.GateID `json:"gates"` // ["*"] for every one
	Schedule string             `json:"schedule"`
	From     gatehouse.Date     `json:"from,omitempty"`  // first day
	Until    gatehouse.Date     `json:"until,omitempty"` // last day
	Revision *uint64            `json:"revision,omitempty"`
}

// Schedule says when something is open, in the site's time zone.
type Schedule struct {
	Name       string   `json:"name"`
	Windows    []string `json:"windows"` // "mon-fri 07:00-12:00 13:00-19:00"
	Days       []string `json:"days"`    // "2026-12-24 07:00-10:00", "2026-12-31 closed"
	OnHolidays bool     `json:"on_holidays"`
	File       bool     `json:"file"` // it stands in gatehouse.yml and is changed there
	Revision   *uint64  `json:"revision,omitempty"`
}

// Holiday is a day on which schedules are closed that do not say otherwise.
type Holiday struct {
	Date  gatehouse.Date `json:"date"`
	Title string         `json:"title"`
}

// GroupRequest makes or renames a group. POST /admin/v1/groups.
type GroupRequest struct {
	ID       gatehouse.GroupID `json:"id"`
	Title    string            `json:"title"`
	Revision *uint64           `json:"revision,omitempty"`
}

// MembersRequest adds to a group or takes out of it. POST /admin/v1/groups/{id}/members.
type MembersRequest struct {
	Add    []gatehouse.SubjectID `json:"add,omitempty"`
	Remove []gatehouse.SubjectID `json:"remove,omitempty"`
}

// Members answers GET /admin/v1/groups/{id}/members, by id.
type Members struct {
	Members []gatehouse.SubjectID `json:"members"`
	Next    gatehouse.SubjectID   `json:"next,omitzero"` // cursor
}

// RuleChange is one version of the rule book.
type RuleChange struct {
	Version uint64                `json:"version"`
	At      time.Time             `json:"at"`
	By      string                `json:"by"`
	Event   gatehouse.RuleEvent   `json:"event"`
	Kind    gatehouse.RuleKind    `json:"kind"`
	ID      string                `json:"id"`
	Members []gatehouse.SubjectID `json:"members,omitempty"`
}

// RuleChanges answers GET /admin/v1/rules/changes, the newest first.
type RuleChanges struct {
	Changes []RuleChange `json:"changes"`
	Next    uint64       `json:"next,omitempty"` // cursor
}
