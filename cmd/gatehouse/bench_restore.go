package main

import (
	"context"

	"gatehouse/lab/bench"
	"gatehouse/server"
)

// BenchRestoreCmd is gatehouse bench restore.
type BenchRestoreCmd struct {
	Passages int    `help:"Passages in the store." default:"1000000"`
	Images   int    `help:"Sealed pictures of 60 KB among them." default:"100000"`
	Dir      string `help:"Where the data is made, and removed again: on the disk that is to be measured; it takes about 20 GB for the defaults." default:"." placeholder:"DIR" type:"existingdir"`
}

// Run measures and prints.
func (cmd BenchRestoreCmd) Run(ctx context.Context, out *Out) error {
	tell := out.steps()
	res, err := bench.RunRestore(ctx, bench.RestoreOptions{Passages: cmd.Passages, Images: cmd.Images, Dir: cmd.Dir, Log: warnings(out.Stderr),
		Progress: func(stage string, done, total int64) {
			tell(server.BackupProgress{Stage: stage, Done: done, Total: total})
		}})
	if err != nil {
		return err
	}
	return out.figures(res)
}
