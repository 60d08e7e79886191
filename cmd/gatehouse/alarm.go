package main

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
)

// AlarmCmd is about alarms.
type AlarmCmd struct {
	List        AlarmListCmd        `cmd:"" help:"List the alarms that nobody has acknowledged, or all of them."`
	Acknowledge AlarmAcknowledgeCmd `cmd:"" help:"Say that an alarm was seen; who and when is kept."`
	Test        AlarmTestCmd        `cmd:"" help:"Send a test alarm to the log, the webhook and the mailboxes."`
}

// AlarmListCmd lists alarms.
type AlarmListCmd struct {
	All bool `help:"Also those that were acknowledged."`
}

// Run lists them, one line an alarm, the newest first.
func (cmd AlarmListCmd) Run(ctx context.Context, out *Out) error {
	return out.withAdmin(ctx, func(admin api.Admin) error {
		all := []wire.Alarm{}
		for before := (gatehouse.ID{}); ; {
			page, err := admin.Alarms(ctx, before, !cmd.All)
			if err != nil {
				return err
			}
			all = append(all, page.Alarms...)
			if before = page.Next; before.IsZero() {
				break
			}
		}
		if out.JSON {
			return out.Object(map[string]any{"alarms": all})
		}
		for _, a := range all {
			out.alarm(a)
		}
		return nil
	})
}

func (o *Out) alarm(a wire.Alarm) {
	state := "open"
	if !a.Acknowledged.IsZero() {
		state = "acknowledged " + a.Acknowledged.Local().Format(time.DateTime) + " by " + a.By
	}
	o.Say("%s  %s  %s  (%s)", a.ID, a.At.Local().Format(time.DateTime), a.Says, state)
}

// AlarmAcknowledgeCmd acknowledges one.
type AlarmAcknowledgeCmd struct {
	Alarm string `arg:"" help:"The alarm's id, as 'gatehouse alarm list' shows it."`
}

// Run acknowledges it.
func (cmd AlarmAcknowledgeCmd) Run(ctx context.Context, out *Out) error {
	id, err := gatehouse.ParseID(cmd.Alarm)
	if err != nil {
		return err
	}
	return answer(ctx, out, func(a api.Admin) (map[string]gatehouse.ID, error) {
		return map[string]gatehouse.ID{"acknowledged": id}, a.AcknowledgeAlarm(ctx, id)
	}, func(map[string]gatehouse.ID) { out.Say("the alarm is acknowledged") })
}

// AlarmTestCmd sends one.
type AlarmTestCmd struct{}

// Run sends.
func (AlarmTestCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (map[string]bool, error) { return map[string]bool{"sent": true}, a.TestAlarm(ctx) },
		func(map[string]bool) { out.Say("the alarm is on its way; the log says what became of it") })
}
