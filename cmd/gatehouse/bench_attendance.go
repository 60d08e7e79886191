package main

import (
	"context"

	"gatehouse/lab/bench"
	"gatehouse/server"
)

// BenchAttendanceCmd is gatehouse bench attendance.
type BenchAttendanceCmd struct {
	People int    `help:"People with about a thousand punches a year each." default:"10000"`
	Days   int    `help:"Days that each is calculated for, 31 to 800." default:"365"`
	Dir    string `help:"Where the punches lie meanwhile; it takes about 250 MB for the defaults." default:"." placeholder:"DIR" type:"existingdir"`
}

// Run measures and prints.
func (cmd BenchAttendanceCmd) Run(ctx context.Context, out *Out) error {
	tell := out.steps()
	res, err := bench.RunAttendance(ctx, bench.AttendanceOptions{People: cmd.People, Days: cmd.Days, Dir: cmd.Dir,
		Progress: func(done, total int) {
			tell(server.BackupProgress{Stage: "hours", Done: int64(done), Total: int64(total)})
		}})
	if err != nil {
		return err
	}
	return out.figures(res)
}
