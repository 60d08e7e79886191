package main

import (
	"context"

	"gatehouse/lab/bench"
	"gatehouse/vision/worker"
)

// BenchCmd measures speed.
type BenchCmd struct {
	Match      BenchMatchCmd      `cmd:"" help:"1:N search among templates made of the portraits' real ones."`
	Path       BenchPathCmd       `cmd:"" help:"From a decoded face capture to the committed decision."`
	Commit     BenchCommitCmd     `cmd:"" help:"What sealing costs: passages a second, sealed and plain, in one run."`
	Feed       BenchFeedCmd       `cmd:"" help:"From a committed passage to its row on every open live page."`
	Restore    BenchRestoreCmd    `cmd:"" help:"A backup of many passages and pictures, and its restore onto a bare machine."`
	Attendance BenchAttendanceCmd `cmd:"" help:"Hours of many people recalculated, and one month after a correction."`
}

// BenchMatchCmd is gatehouse bench match.
type BenchMatchCmd struct {
	N       int `help:"Templates in the gallery." default:"100000"`
	Queries int `help:"Searches." default:"300"`
}

// BenchPathCmd is gatehouse bench path.
type BenchPathCmd struct {
	Gallery  int    `help:"Enrolled people." default:"10000"`
	Captures int    `help:"Captures that are measured." default:"300"`
	Dir      string `help:"Where the data is made, and removed again: on the disk that is to be measured." default:"." placeholder:"DIR" type:"existingdir"`
}

// Run measures and prints.
func (cmd BenchMatchCmd) Run(ctx context.Context, out *Out) error {
	eyes, err := worker.Start(ctx, worker.Options{Faces: true, Log: warnings(out.Stderr)})
	if err != nil {
		return err
	}
	defer eyes.Stop()
	res, err := bench.RunMatch(ctx, eyes, cmd.N, cmd.Queries)
	if err != nil {
		return err
	}
	return out.figures(res)
}

// Run measures and prints.
func (cmd BenchPathCmd) Run(ctx context.Context, out *Out) error {
	log := warnings(out.Stderr)
	eyes, err := worker.Start(ctx, worker.Options{Faces: true, Log: log})
	if err != nil {
		return err
	}
	defer eyes.Stop()
	res, err := bench.RunPath(ctx, bench.PathOptions{Gallery: cmd.Gallery, Captures: cmd.Captures, Eyes: eyes, Dir: cmd.Dir, Log: log})
	if err != nil {
		return err
	}
	return out.figures(res)
}

// BenchCommitCmd is gatehouse bench commit.
type BenchCommitCmd struct {
	Passages int    `help:"Passages of each kind." default:"4000"`
	Subjects int    `help:"Enrolled vehicles." default:"1000"`
	Gates    int    `help:"Lanes that commit at the same time." default:"4"`
	Image    int    `help:"Bytes of a passage's picture." default:"61440"`
	Dir      string `help:"Where the data is made, and removed again: on the disk that is to be measured." default:"." placeholder:"DIR" type:"existingdir"`
}

// Run measures and prints.
func (cmd BenchCommitCmd) Run(ctx context.Context, out *Out) error {
	res, err := bench.RunCommit(ctx, bench.CommitOptions{Passages: cmd.Passages, Subjects: cmd.Subjects, Gates: cmd.Gates, ImageBytes: cmd.Image, Dir: cmd.Dir, Log: warnings(out.Stderr)})
	if err != nil {
		return err
	}
	return out.figures(res)
}
