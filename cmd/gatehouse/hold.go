package main

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
)

// HoldCmd is about legal holds.
type HoldCmd struct {
	Add    HoldAddCmd    `cmd:"" help:"Keep a subject or a day beyond its retention, until a date."`
	List   HoldListCmd   `cmd:"" help:"List the holds in force."`
	Extend HoldExtendCmd `cmd:"" help:"Give a hold a later end; what came since is held too."`
	Lift   HoldLiftCmd   `cmd:"" help:"End a hold now: what it kept beyond its retention is gone."`
}

// HoldAddCmd makes a hold.
type HoldAddCmd struct {
	Subject    string `help:"The subject's id." xor:"what" required:"" placeholder:"ID"`
	Day        string `help:"A day (UTC)." xor:"what" required:"" placeholder:"YYYY-MM-DD"`
	Until      string `required:"" help:"The last day of the hold, at most a year ahead." placeholder:"YYYY-MM-DD"`
	Reason     string `help:"Why. Others see a command line: for anything personal use --reason-file."`
	ReasonFile string `help:"Read the reason from a file (- for standard input)." placeholder:"FILE"`
}

// Run holds.
func (cmd HoldAddCmd) Run(ctx context.Context, out *Out) error {
	r := wire.HoldRequest{Day: cmd.Day}
	var err error
	if cmd.Subject != "" {
		if r.Subject, err = gatehouse.ParseID(cmd.Subject); err != nil {
			return err
		}
	}
	if r.Until, err = endOfDay(cmd.Until); err != nil {
		return err
	}
	if r.Reason, err = reasonOf(out, cmd.Reason, cmd.ReasonFile); err != nil {
		return err
	}
	return answer(ctx, out, func(a api.Admin) (wire.Hold, error) { return a.AddHold(ctx, r) }, func(h wire.Hold) { out.hold(h) })
}

// endOfDay reads the last day of something.
func endOfDay(day string) (time.Time, error) {
	t, err := time.ParseInLocation(time.DateOnly, day, time.Local)
	if err != nil {
		return t, gatehouse.Errorf("hold.until", "write it as YYYY-MM-DD", "the end of a hold is a date")
	}
	return t.AddDate(0, 0, 1), nil
}

func (o *Out) hold(h wire.Hold) {
	what := "day " + h.Day
	if h.Day == "" {
		what = "subject " + h.Subject.String()
	}
	o.Say("%s  %s  until %s", h.ID, what, h.Until.Local().Format(time.DateTime))
}

// holds asks for the list and prints it.
func (o *Out) holds(ctx context.Context, ask func(api.Admin) (wire.HoldsResponse, error)) error {
	return answer(ctx, o, ask, func(list wire.HoldsResponse) {
		for _, h := range list.Holds {
			o.hold(h)
		}
	})
}

// HoldListCmd lists.
type HoldListCmd struct{}

// Run lists.
func (HoldListCmd) Run(ctx context.Context, out *Out) error {
	return out.holds(ctx, func(a api.Admin) (wire.HoldsResponse, error) { return a.Holds(ctx) })
}

// HoldExtendCmd extends.
type HoldExtendCmd struct {
	ID    string `arg:"" help:"The hold's id."`
	Until string `required:"" help:"The last day of the hold, at most a year ahead." placeholder:"YYYY-MM-DD"`
}

// Run extends.
func (cmd HoldExtendCmd) Run(ctx context.Context, out *Out) error {
	id, err := gatehouse.ParseID(cmd.ID)
	if err != nil {
		return err
	}
	until, err := endOfDay(cmd.Until)
	if err != nil {
		return err
	}
	return out.holds(ctx, func(a api.Admin) (wire.HoldsResponse, error) {
		return a.ExtendHold(ctx, id, wire.HoldEndRequest{Until: until})
	})
}

// HoldLiftCmd lifts.
type HoldLiftCmd struct {
	ID string `arg:"" help:"The hold's id."`
}

// Run lifts.
func (cmd HoldLiftCmd) Run(ctx context.Context, out *Out) error {
	id, err := gatehouse.ParseID(cmd.ID)
	if err != nil {
		return err
	}
	return out.holds(ctx, func(a api.Admin) (wire.HoldsResponse, error) { return a.LiftHold(ctx, id) })
}
