package main

import (
	"context"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
)

// SwapCmd is about swaps of shifts.
type SwapCmd struct {
	List    SwapListCmd `cmd:"" default:"1" help:"List swaps."`
	Approve SwapYesCmd  `cmd:"" help:"Approve a swap that both agreed to: it plans their days."`
	Refuse  SwapNoCmd   `cmd:"" help:"Refuse a swap."`
}

func (o *Out) swap(x wire.Swap) {
	agreed := "waits for the colleague"
	if x.Agreed {
		agreed = "both agreed"
	}
	o.Say("%s  %-9s  %s on %s for %s on %s, %s", x.ID, x.State, x.Labels[0], x.FirstDay, x.Labels[1], x.SecondDay, agreed)
}

// SwapListCmd lists swaps.
type SwapListCmd struct{}

// Run lists them.
func (SwapListCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.Swaps, error) { return a.Swaps(ctx, "") }, func(got wire.Swaps) {
		for _, x := range got.Swaps {
			out.swap(x)
		}
	})
}

func (c CorrectionArg) decideSwap(ctx context.Context, out *Out, approve bool) error {
	id, err := gatehouse.ParseID(c.ID)
	if err != nil {
		return err
	}
	return answer(ctx, out, func(a api.Admin) (wire.Swap, error) {
		return a.DecideSwap(ctx, id, wire.TimeDecision{Approve: approve})
	}, out.swap)
}

// SwapYesCmd approves.
type SwapYesCmd struct{ CorrectionArg }

// Run approves it.
func (cmd SwapYesCmd) Run(ctx context.Context, out *Out) error {
	return cmd.decideSwap(ctx, out, true)
}

// SwapNoCmd refuses.
type SwapNoCmd struct{ CorrectionArg }

// Run refuses it.
func (cmd SwapNoCmd) Run(ctx context.Context, out *Out) error {
	return cmd.decideSwap(ctx, out, false)
}
