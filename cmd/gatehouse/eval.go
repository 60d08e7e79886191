package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"os"

	"gatehouse"
	"gatehouse/lab/eval"
	"gatehouse/vision/worker"
)

// EvalCmd measures accuracy on labelled folders.
type EvalCmd struct {
	Faces    EvalFacesCmd    `cmd:"" help:"1:N identification: LABELS.tsv with path, identity, role (enrol, probe, stranger)."`
	Plates   EvalPlatesCmd   `cmd:"" help:"Reading plates: LABELS.tsv with path, plate."`
	Liveness EvalLivenessCmd `cmd:"" help:"Telling live faces from replays and prints: LABELS.tsv with path, label (real, attack), and optionally clip, kind."`
}

// EvalFacesCmd is gatehouse eval faces.
type EvalFacesCmd struct {
	Dir     string `arg:"" help:"The folder that holds LABELS.tsv." type:"existingdir"`
	Threads int    `help:"Cores that one model run may use." default:"1"`
}

// EvalPlatesCmd is gatehouse eval plates.
type EvalPlatesCmd struct {
	Dir     string `arg:"" help:"The folder that holds LABELS.tsv." type:"existingdir"`
	Region  string `help:"Whose plates they are: ${enum}." enum:"cn,eu,us,br,any" default:"any"`
	Errors  string `help:"Write a line for each scene that is not all right to this file (path, labels, readings). It holds plates: keep it to yourself." placeholder:"FILE"`
	Threads int    `help:"Cores that one model run may use." default:"1"`
}

// EvalLivenessCmd is gatehouse eval liveness.
type EvalLivenessCmd struct {
	Dir     string `arg:"" help:"The folder that holds LABELS.tsv." type:"existingdir"`
	Threads int    `help:"Cores that one model run may use." default:"1"`
}

// Run measures and prints.
func (cmd EvalFacesCmd) Run(ctx context.Context, out *Out) error {
	return measured(ctx, out, worker.Options{Faces: true, Threads: cmd.Threads}, eval.Options{Dir: cmd.Dir}, eval.RunFaces)
}

// Run measures and prints.
func (cmd EvalLivenessCmd) Run(ctx context.Context, out *Out) error {
	return measured(ctx, out, worker.Options{Faces: true, Threads: cmd.Threads}, eval.Options{Dir: cmd.Dir}, eval.RunLiveness)
}

// Run measures and prints.
func (cmd EvalPlatesCmd) Run(ctx context.Context, out *Out) error {
	o := eval.Options{Dir: cmd.Dir, Region: cmd.Region}
	if cmd.Errors != "" {
		f, err := privateFile(cmd.Errors)
		if err != nil {
			return err
		}
		defer f.Close()
		o.Errors = f
	}
	return measured(ctx, out, worker.Options{Plates: true, Threads: cmd.Threads}, o, eval.RunPlates)
}

// CalibrateCmd fits thresholds.
type CalibrateCmd struct {
	Faces CalibrateFacesCmd `cmd:"" help:"Fit the template model's false matches on a labelled folder of faces."`
}

// CalibrateFacesCmd is gatehouse calibrate faces.
type CalibrateFacesCmd struct {
	Dir     string `arg:"" help:"The folder that holds LABELS.tsv." type:"existingdir"`
	Threads int    `help:"Cores that one model run may use." default:"1"`
}

// Run fits and prints.
func (cmd CalibrateFacesCmd) Run(ctx context.Context, out *Out) error {
	return measured(ctx, out, worker.Options{Faces: true, Threads: cmd.Threads}, eval.Options{Dir: cmd.Dir}, eval.CalibrateFaces)
}

// measured runs one measurement over a vision process of its own and prints the
// result: as one object with --json, otherwise indented for people.
func measured[T any](ctx context.Context, out *Out, w worker.Options, o eval.Options, run func(context.Context, eval.Options) (T, error)) error {
	w.Log = warnings(out.Stderr)
	eyes, err := worker.Start(ctx, w)
	if err != nil {
		return err
	}
	defer eyes.Stop()
	o.Eyes, o.Progress = eyes, out.Stderr
	res, err := run(ctx, o)
	if err != nil {
		return err
	}
	return out.figures(res)
}

// figures prints a result: one object on one line with --json, otherwise a line a
// figure.
func (o *Out) figures(v any) error {
	if o.JSON {
		return o.Object(v)
	}
	e := json.NewEncoder(o.Stdout)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// warnings is a log that says only what went wrong.
func warnings(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

// privateFile makes a file that only its owner may read; one that is there already
// must be so too.
func privateFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err == nil {
		err = f.Chmod(0o600)
	}
	if err != nil {
		return nil, gatehouse.Errorf("eval.errors", "give a path that can be written", "the list of errors cannot be written: %w", err)
	}
	return f, nil
}
