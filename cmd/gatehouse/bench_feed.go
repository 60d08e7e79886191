package main

import (
	"context"
	"time"

	"gatehouse/lab/bench"
)

// BenchFeedCmd is gatehouse bench feed.
type BenchFeedCmd struct {
	Pages int           `help:"Live pages that are open, each in a session of its own." default:"50"`
	PerS  int           `help:"Passages a second." default:"100"`
	For   time.Duration `help:"How long is measured." default:"20s"`
	Dir   string        `help:"Where the data is made, and removed again: on the disk that is to be measured." default:"." placeholder:"DIR" type:"existingdir"`
}

// Run measures and prints.
func (cmd BenchFeedCmd) Run(ctx context.Context, out *Out) error {
	res, err := bench.RunFeed(ctx, bench.FeedOptions{Pages: cmd.Pages, PerS: cmd.PerS, For: cmd.For, Dir: cmd.Dir, Log: out.Stderr})
	if err != nil {
		return err
	}
	return out.figures(res)
}
