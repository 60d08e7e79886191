package main

import (
	"context"
	"fmt"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
)

// KeysRotateFilesCmd puts every database under a fresh key, while the site goes on.
type KeysRotateFilesCmd struct {
	OlderThan time.Duration `help:"Only files whose key is older than this: goes on with what was interrupted." default:"0s"`
}

// Run rewrites file by file. A file that is in use all the time is named and left for
// another run; the exit status is 1 then.
func (cmd KeysRotateFilesCmd) Run(ctx context.Context, out *Out) error {
	return out.withAdmin(ctx, func(a api.Admin) error {
		list, err := a.Databases(ctx)
		if err != nil {
			return err
		}
		began, files, busy := time.Now(), []wire.Rewritten{}, []string{}
		for i, db := range list.Databases {
			if err := ctx.Err(); err != nil {
				return err
			}
			if cmd.OlderThan > 0 && began.Sub(db.Keyed) < cmd.OlderThan {
				continue
			}
			fmt.Fprintf(out.Stderr, "%d of %d: %s, %.1f MB\n", i+1, len(list.Databases), db.File, float64(db.Bytes)/1e6)
			done, err := a.RewriteDatabase(ctx, wire.RewriteRequest{File: db.File})
			if gatehouse.ErrorCode(err) == "store.busy" {
				fmt.Fprintf(out.Stderr, "%s is in use all the time and keeps its key for now\n", db.File)
				busy = append(busy, db.File)
				continue
			}
			if err != nil {
				return err
			}
			if files = append(files, done); !out.JSON {
				out.Say("%-20s %7.0f ms, commits waited %.0f ms", done.File, done.MS, done.HeldMS)
			}
		}
		if out.JSON {
			if err := out.Object(map[string]any{"files": files, "busy": busy, "duration_s": time.Since(began).Seconds()}); err != nil {
				return err
			}
		}
		if len(busy) > 0 {
			return gatehouse.Errorf("store.busy", fmt.Sprintf("run it again with --older-than %s", time.Since(began).Round(time.Second)), "%d files keep their keys for now", len(busy))
		}
		return nil
	})
}
