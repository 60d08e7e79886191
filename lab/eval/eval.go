// Package eval measures how accurate vision is on a folder of labelled pictures:
// faces by 1:N identification, plates by exact reading, liveness by clip. It looks
// through the same gatehouse.Eyes as a door does, matches with the same gallery
// and decides at the same registry thresholds, so that a figure says what a site
// would see.
package eval

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"gatehouse"
)

// Options say what to measure and with what.
type Options struct {
	Dir      string         // holds LABELS.tsv and the pictures that it names
	Eyes     gatehouse.Eyes // looks at the pictures, one at a time
	Region   string         // for plates: cn, eu, us, br, any
	Progress io.Writer      // where the progress bar and warnings go; nil: nowhere
	Errors   io.Writer      // for plates: a line for each scene that is not all right; nil: none
}

// Milliseconds are percentiles of the time that a picture took, decoding and all
// models included.
type Milliseconds struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

// Interval is a 95 % confidence interval of a share.
type Interval [2]float64

// folder is an opened labelled folder.
type folder struct {
	o     Options
	root  *os.Root
	rows  []row
	times []float64
}

func open(o Options, columns ...string) (*folder, error) {
	root, err := os.OpenRoot(o.Dir)
	if err != nil {
		return nil, gatehouse.Errorf("eval.folder", "give the folder that holds "+labelsFile, "the folder cannot be opened: %w", err)
	}
	f, err := root.Open(labelsFile)
	if err != nil {
		root.Close()
		return nil, gatehouse.Errorf("eval.labels", "a labelled folder has a "+labelsFile+" whose first line names the columns", "%s cannot be opened: %w", labelsFile, err)
	}
	defer f.Close()
	rows, err := parseLabels(f, columns...)
	if err != nil {
		root.Close()
		return nil, err
	}
	return &folder{o: o, root: root, rows: rows}, nil
}

func (f *folder) close() { f.root.Close() }

// each looks at every picture once, in the order of the labels, and hands over
// what was seen. A picture that cannot be decoded counts as one in which nothing
// was seen, with a warning: a camera sends such pictures too.
func (f *folder) each(ctx context.Context, what string, look gatehouse.Look, use func(path string, o gatehouse.Observation) error) error {
	var paths []string
	line := map[string]int{}
	for _, r := range f.rows {
		if _, seen := line[r.path]; !seen {
			line[r.path] = r.line
			paths = append(paths, r.path)
		}
	}
	bar := newProgress(f.o.Progress, what, len(paths))
	defer bar.close()
	for _, p := range paths {
		data, err := f.root.ReadFile(p)
		if err != nil {
			return gatehouse.Errorf("eval.labels", "paths are relative to the folder of "+labelsFile, "%s, line %d: the picture cannot be read: %w", labelsFile, line[p], err)
		}
		began := time.Now()
		obs, err := f.o.Eyes.See(ctx, gatehouse.Image{Format: gatehouse.JPEG, Bytes: data}, look)
		var known *gatehouse.Error
		switch {
		case err == nil:
			f.times = append(f.times, float64(time.Since(began).Microseconds())/1000)
		case errors.As(err, &known) && isImageError(known.Code):
			bar.warn("line %d of %s: %v", line[p], labelsFile, known)
			obs = gatehouse.Observation{}
		default:
			return err
		}
		if err := use(p, obs); err != nil {
			return err
		}
		bar.add()
	}
	return nil
}

func isImageError(code string) bool { return len(code) > 6 && code[:6] == "image." }

func (f *folder) milliseconds() Milliseconds {
	return Milliseconds{P50: percentile(f.times, 0.50), P99: percentile(f.times, 0.99)}
}
