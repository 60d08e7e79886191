package timesheet

import (
	"maps"
	"slices"

	"gatehouse"
	"gatehouse/rules/attendance"
)

// What pages are told of the rules, which they do not reach themselves.
type (
	// LeaveBalance is what somebody has of a kind of leave.
	LeaveBalance = attendance.LeaveBalance
	// TeamFigures are a team's hours of some days.
	TeamFigures = attendance.TeamFigures
	// RulesFrom are rules and the first day on which they count.
	RulesFrom = attendance.RulesFrom
)

// SmallGroup is how many people a team has at least whose figures are shown.
const SmallGroup = attendance.SmallGroup

// Presets names what laws ask for, and Preset is one of them; false where there is none.
func Presets() []string { return slices.Sorted(maps.Keys(attendance.Presets())) }

// Preset is what a law asks for.
func Preset(name string) (gatehouse.AttendanceRules, bool) {
	r, ok := attendance.Presets()[name]
	return r, ok
}
