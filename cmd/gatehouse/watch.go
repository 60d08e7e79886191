package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"gatehouse/lab/watch"
	"gatehouse/vision/worker"
)

// WatchCmd is gatehouse watch: a dry run.
type WatchCmd struct {
	Source  string    `help:"A video file, a folder of pictures, or a camera's URL (rtsp, rtsps, http, https)." required:"" placeholder:"FILE|DIR|URL"`
	Gallery string    `help:"A folder of stills, one person each, named after the person: look for faces." placeholder:"DIR" type:"existingdir"`
	Region  string    `help:"Look for plates of this region: cn, eu, us, br or any. With neither --gallery nor --region, faces and plates of any region are looked for." enum:",cn,eu,us,br,any" default:"" placeholder:"REGION"`
	Start   time.Time `help:"The time of a file's first frame (RFC 3339); default now." placeholder:"TIME" format:"2006-01-02T15:04:05Z07:00"`
	Threads int       `help:"Cores that one model run may use." default:"1"`
}

// Run prints a line for each passage.
func (cmd WatchCmd) Run(ctx context.Context, out *Out) error {
	warn := func(format string, args ...any) { fmt.Fprintf(out.Stderr, "gatehouse: "+format+"\n", args...) }
	o := watch.Options{Source: cmd.Source, Region: cmd.Region, Start: cmd.Start, Warn: warn,
		Faces: cmd.Gallery != "" || cmd.Region == "", Plates: cmd.Region != "" || cmd.Gallery == ""}
	eyes, err := worker.Start(ctx, worker.Options{Faces: o.Faces, Plates: o.Plates, Threads: cmd.Threads, Log: warnings(out.Stderr)})
	if err != nil {
		return err
	}
	defer eyes.Stop()
	o.Eyes, o.Ready = eyes, eyes.Wait
	if cmd.Gallery != "" {
		if o.Gallery, err = watch.LoadPeople(ctx, cmd.Gallery, eyes, warn); err != nil {
			return err
		}
	}
	return watch.Run(ctx, o, func(p watch.Passage) error {
		if out.JSON {
			return out.Object(p)
		}
		out.Say("%s", describe(p))
		return nil
	})
}

// describe is a passage in words.
func describe(p watch.Passage) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %-5s  ", p.Time.Format(time.RFC3339), p.Kind)
	switch {
	case p.Plate != nil:
		b.WriteString(*p.Plate)
	case p.Subject != nil:
		b.WriteString(*p.Subject)
	default:
		b.WriteString("a stranger")
	}
	fmt.Fprintf(&b, "  confidence %.2f, %d frames", p.Confidence, p.Frames)
	if p.Live != nil && !*p.Live {
		b.WriteString(", does not look live")
	}
	return b.String()
}
