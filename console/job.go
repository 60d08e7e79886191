package console

import "time"

// Job is something that takes a while and that somebody waits for: it runs on when the
// page is left, and whoever may start it may stop it.
type Job struct {
	Running     bool
	Stage       string // what it does now: a key of texts behind "stage."
	Done, Total int64  // Total is 0 while nobody knows
	Began       time.Time
	Ended       time.Time // zero while it runs, or where it never did
	Stopped     bool      // somebody stopped it
	Err         error     // what went wrong
}

// jobView is a job on a page.
type jobView struct {
	Job
	Path    string // of the page part that is asked for again while it runs
	Stop    string // where it is stopped
	Label   string // a key of texts
	Problem string // what went wrong, in the reader's language
}

// Known reports whether it ran since the start.
func (v jobView) Known() bool { return v.Running || !v.Ended.IsZero() }

// Share is how far it is, 0 to 1.
func (v jobView) Share() float64 { return float64(v.Done) / float64(max(1, v.Total)) }

func viewJob(lang string, j Job, path, stop, label string) jobView {
	v := jobView{Job: j, Path: path, Stop: stop, Label: label}
	if j.Err != nil {
		v.Problem = plainError(lang, j.Err)
	}
	return v
}
