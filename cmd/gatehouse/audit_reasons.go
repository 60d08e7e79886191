package main

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
)

// AuditReasonsCmd lists disclosures with what operators said for a reason.
type AuditReasonsCmd struct {
	Before string `help:"Those before this disclosure." placeholder:"ID"`
	Limit  int    `help:"How many, 1 to 200." default:"50"`
}

// Run lists. The running server's vault must be unsealed.
func (cmd AuditReasonsCmd) Run(ctx context.Context, out *Out) error {
	if cmd.Limit < 1 || cmd.Limit > 200 {
		return gatehouse.Errorf("audit.limit", "say 1 to 200; --before goes on from there", "so many are not listed at once")
	}
	r := wire.ReasonsRequest{Limit: cmd.Limit}
	if cmd.Before != "" {
		var err error
		if r.Before, err = gatehouse.ParseID(cmd.Before); err != nil {
			return err
		}
	}
	return answer(ctx, out, func(a api.Admin) (wire.ReasonsResponse, error) { return a.Reasons(ctx, r) }, func(r wire.ReasonsResponse) {
		for _, d := range r.Disclosures {
			reason := d.Reason
			if d.Gone {
				reason = "(expired)"
			}
			out.Say("%s  %s  %-8s %5d units  %s  %q", d.ID, d.At.Local().Format(time.DateTime), d.Purpose, d.Units, d.Operator, reason)
		}
	})
}
