package main

import (
	"context"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
)

// OpenCmd opens a gate from afar.
type OpenCmd struct {
	Gate       string `required:"" help:"The gate." placeholder:"GATE"`
	Reason     string `help:"Why, in words; it is sealed." placeholder:"TEXT"`
	ReasonFile string `help:"Read the reason from a file (- for standard input): a command line is seen by others." placeholder:"FILE"`
}

// Run opens it.
func (cmd OpenCmd) Run(ctx context.Context, out *Out) error {
	r := wire.OpenRequest{Reason: cmd.Reason}
	if (cmd.Reason == "") == (cmd.ReasonFile == "") {
		return gatehouse.Errorf("open.reason", "give --reason or --reason-file", "opening a gate needs one reason")
	}
	if cmd.ReasonFile != "" {
		var err error
		if r.Reason, err = readSecret(out, cmd.ReasonFile); err != nil {
			return err
		}
	}
	return answer(ctx, out, func(a api.Admin) (wire.OpenResponse, error) { return a.OpenGate(ctx, cmd.Gate, r) }, func(got wire.OpenResponse) {
		out.Say("%s was told to open; it is recorded as passage %s", got.Gate, got.Passage)
	})
}
