package eval

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"gatehouse"
)

// Plates are the figures of reading plates in scenes.
type Plates struct {
	Scenes int `json:"scenes"`
	Plates int `json:"plates"` // labelled
	// Exact is the share of labelled plates that equal one of the scene's readings,
	// both without case, spaces, hyphens and middle dots.
	Exact float64 `json:"exact"`
	// FalseReadings counts readings that equal no label of their scene, a scene. A
	// legible plate that nobody labelled counts too: see Options.Errors.
	FalseReadings float64 `json:"false_readings_per_scene"`
	// ZeroForO is the part of FalseReadings that equals a label of its scene but for
	// O and 0: labels are typed by people, who often write one for the other, while
	// the syntax of most countries tells them apart.
	ZeroForO   float64      `json:"false_but_for_o_and_0_per_scene"`
	CI95       PlatesCI     `json:"ci95"`
	MsPerScene Milliseconds `json:"ms_per_scene"`
}

// PlatesCI is Wilson's 95 % interval.
type PlatesCI struct {
	Exact Interval `json:"exact"`
}

// RunPlates measures reading on a folder whose LABELS.tsv has the columns path and
// plate; a scene has a line for each of its plates. A reading is the top string of
// one physical plate. Errors: eval.folder, eval.labels, and those of the eyes.
func RunPlates(ctx context.Context, o Options) (Plates, error) {
	f, err := open(o, "plate")
	if err != nil {
		return Plates{}, err
	}
	defer f.close()
	labels := map[string][]string{}
	for _, r := range f.rows {
		text := Comparable(r.field("plate"))
		if text == "" {
			return Plates{}, gatehouse.Errorf("eval.labels", "write the plate's letters and digits", "%s, line %d: nothing of the plate is left to compare", labelsFile, r.line)
		}
		labels[r.path] = append(labels[r.path], text)
	}
	res := Plates{Scenes: len(labels), Plates: len(f.rows)}
	exact, wrong, zeros := 0, 0, 0
	err = f.each(ctx, "plates", gatehouse.Look{Plates: true, Region: o.Region}, func(path string, obs gatehouse.Observation) error {
		var readings []string
		for _, p := range obs.Plates {
			readings = append(readings, Comparable(p.Read.Text))
		}
		right, extra := score(labels[path], readings)
		exact += right
		wrong += extra
		_, alike := score(each(labels[path], zeroForO), each(readings, zeroForO))
		zeros += extra - alike
		if o.Errors != nil && (right < len(labels[path]) || extra > 0) {
			if _, err := fmt.Fprintf(o.Errors, "%s\t%s\t%s\n", path, strings.Join(labels[path], " "), strings.Join(readings, " ")); err != nil {
				return gatehouse.Errorf("eval.errors", "check the disk", "the list of errors cannot be written: %w", err)
			}
		}
		return nil
	})
	if err != nil {
		return Plates{}, err
	}
	res.Exact, res.FalseReadings = share(exact, res.Plates), share(wrong, res.Scenes)
	res.ZeroForO = share(zeros, res.Scenes)
	res.CI95.Exact = wilson(exact, res.Plates)
	res.MsPerScene = f.milliseconds()
	return res, nil
}

// score counts the labels that equal one of the readings, and the readings that
// equal no label.
func score(labels, readings []string) (right, wrong int) {
	for _, l := range labels {
		if slices.Contains(readings, l) {
			right++
		}
	}
	for _, r := range readings {
		if !slices.Contains(labels, r) {
			wrong++
		}
	}
	return right, wrong
}

func zeroForO(s string) string { return strings.ReplaceAll(s, "O", "0") }

func each(all []string, f func(string) string) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = f(s)
	}
	return out
}

// Comparable is the form in which plates are compared: NFKC, upper case, without
// spaces, hyphens and middle dots.
func Comparable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || r == '·' || r == '•' || r == '・' {
			return -1
		}
		return unicode.ToUpper(r)
	}, norm.NFKC.String(s))
}
