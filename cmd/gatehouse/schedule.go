package main

import (
	"context"
	"strings"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
)

// ScheduleCmd is about when something is open.
type ScheduleCmd struct {
	List    ScheduleListCmd   `cmd:"" help:"List the schedules, those of gatehouse.yml too, and the holidays."`
	Set     ScheduleSetCmd    `cmd:"" help:"Make or replace a schedule; the gates know at once."`
	Remove  ScheduleRemoveCmd `cmd:"" help:"Remove a schedule that nothing is within."`
	Holiday HolidayCmd        `cmd:"" help:"Days on which schedules are closed that do not say otherwise."`
}

// ScheduleArg names a schedule.
type ScheduleArg struct {
	Schedule string `arg:"" help:"The schedule's name: lower-case letters, digits and hyphens."`
}

// ScheduleListCmd lists the schedules.
type ScheduleListCmd struct{}

// Run lists them.
func (ScheduleListCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.Rules, error) { return a.Rules(ctx) }, out.schedules)
}

func (o *Out) schedules(got wire.Rules) {
	for _, s := range got.Schedules {
		more := ""
		if s.File {
			more = "  (gatehouse.yml)"
		} else if s.OnHolidays {
			more = "  (on holidays too)"
		}
		o.Say("%-20s  %s%s", s.Name, strings.Join(append(s.Windows, s.Days...), ", "), more)
	}
	for _, h := range got.Holidays {
		o.Say("holiday %s  %s", h.Date, h.Title)
	}
}

// ScheduleSetCmd makes a schedule.
type ScheduleSetCmd struct {
	ScheduleArg
	Window     []string `sep:"none" help:"\"mon-fri 07:00-12:00 13:00-19:00\"; \"sat 22:00-06:00\" goes over midnight. May be repeated." placeholder:"DAYS HOURS"`
	Day        []string `sep:"none" help:"A day of its own: \"2026-12-24 07:00-10:00\" or \"2026-12-31 closed\". May be repeated." placeholder:"DATE HOURS"`
	OnHolidays bool     `help:"The windows hold on holidays, too."`
}

// Run makes it.
func (cmd ScheduleSetCmd) Run(ctx context.Context, out *Out) error {
	return changeRules(ctx, out, func(a api.Admin) (wire.Rules, error) {
		return a.PutSchedule(ctx, wire.Schedule{Name: cmd.Schedule, Windows: cmd.Window, Days: cmd.Day, OnHolidays: cmd.OnHolidays})
	}, out.schedules)
}

// ScheduleRemoveCmd removes a schedule.
type ScheduleRemoveCmd struct{ ScheduleArg }

// Run removes it.
func (cmd ScheduleRemoveCmd) Run(ctx context.Context, out *Out) error {
	return changeRules(ctx, out, func(a api.Admin) (wire.Rules, error) { return a.RemoveSchedule(ctx, cmd.Schedule) }, out.schedules)
}

// HolidayCmd is about holidays.
type HolidayCmd struct {
	Set    HolidaySetCmd    `cmd:"" help:"Make a day a holiday."`
	Remove HolidayRemoveCmd `cmd:"" help:"Make a holiday a day like any other."`
}

// HolidaySetCmd makes a holiday.
type HolidaySetCmd struct {
	Date  string `arg:"" help:"YYYY-MM-DD."`
	Title string `required:"" help:"What people call it." placeholder:"TEXT"`
}

// Run makes it.
func (cmd HolidaySetCmd) Run(ctx context.Context, out *Out) error {
	return changeRules(ctx, out, func(a api.Admin) (wire.Rules, error) {
		return a.PutHoliday(ctx, wire.Holiday{Date: gatehouse.Date(cmd.Date), Title: cmd.Title})
	}, out.schedules)
}

// HolidayRemoveCmd removes a holiday.
type HolidayRemoveCmd struct {
	Date string `arg:"" help:"YYYY-MM-DD."`
}

// Run removes it.
func (cmd HolidayRemoveCmd) Run(ctx context.Context, out *Out) error {
	return changeRules(ctx, out, func(a api.Admin) (wire.Rules, error) { return a.RemoveHoliday(ctx, cmd.Date) }, out.schedules)
}
