package main

import (
	"context"

	"gatehouse/api"
	"gatehouse/api/wire"
)

// RetentionCmd is about what goes by itself.
type RetentionCmd struct {
	Show RetentionShowCmd `cmd:"" help:"Show how long what is kept."`
	Run  RetentionRunCmd  `cmd:"" help:"Take away now what is over its time; the server does it every hour."`
}

// RetentionShowCmd shows the policy.
type RetentionShowCmd struct{}

// Run shows it.
func (RetentionShowCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.Retention, error) { return a.Retention(ctx) }, func(r wire.Retention) {
		out.Say("what passages said, and their pictures   %4d days", r.PassageDays)
		out.Say("whole frames                             %4d days", r.FrameDays)
		out.Say("pictures of who is not enrolled          %4d days", r.StrangerDays)
		out.Say("records of who has left                  %4d days", r.RecordDays)
		out.Say("times at gates                           %4d days", r.MetadataDays)
		if r.OldestDay != "" {
			out.Say("the oldest day that can be opened is %s", r.OldestDay)
		}
	})
}

// RetentionRunCmd runs it.
type RetentionRunCmd struct{}

// Run runs it. Interrupted, it goes on from there the next time.
func (RetentionRunCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.RetentionReport, error) { return a.RunRetention(ctx) }, func(r wire.RetentionReport) {
		out.Say("keys of %d days are deleted; %d sealed items, %d months and %d subjects who had left are gone; %d holds ended", r.Days, r.Items, r.Months, r.Erased, r.Holds)
		if r.Delayed > 0 {
			out.Say("%d days wait: the retention was longer within the last seven days", r.Delayed)
		}
	})
}
