package intake

import (
	"context"
	"maps"
	"sync"
	"time"

	"gatehouse"
)

// State is how far a job is.
type State string

// The states. One that was stopped can be gone on with.
const (
	Checked State = "checked"
	Running State = "running"
	Stopped State = "stopped"
	Done    State = "done"
)

// Status is what is told of a job.
type Status struct {
	ID       gatehouse.ID
	Kind     gatehouse.SubjectKind
	State    State
	Report   Report // of the check
	Skip     bool   // rows with problems are left out
	Total    int    // rows to enrol
	Enrolled int
	There    int       // that were enrolled meanwhile, by their labels
	Failed   []Problem // of the run
}

// Left is how many rows are still to come.
func (s Status) Left() int { return s.Total - s.Enrolled - s.There - len(s.Failed) }

// Jobs holds tables in memory, and no longer than it must: they are personal data in the
// clear. Its methods are safe for concurrent use.
type Jobs struct {
	desk Desk
	now  func() time.Time

	mu   sync.Mutex
	jobs map[gatehouse.ID]*job
	wait sync.WaitGroup
	base context.Context
	end  context.CancelFunc
}

// The limits of what is held.
const (
	maxJobs = 8
	keptFor = 30 * time.Minute // after it was last looked at
)

type job struct {
	Status
	by      string
	seen    time.Time
	checked checked
	next    int // the first of checked.ready that was not dealt with
	stop    context.CancelFunc
}

// NewJobs returns jobs of a desk.
func NewJobs(d Desk, now func() time.Time) *Jobs {
	j := &Jobs{desk: d, now: now, jobs: map[gatehouse.ID]*job{}}
	if j.now == nil {
		j.now = time.Now
	}
	j.base, j.end = context.WithCancel(context.Background())
	return j
}

// Close stops what runs, after the row that it is at, and forgets every table.
func (j *Jobs) Close() {
	j.end()
	j.wait.Wait()
	j.mu.Lock()
	defer j.mu.Unlock()
	clear(j.jobs)
}

// Check checks a table for an operator and keeps it to be run. Errors: intake.busy.
func (j *Jobs) Check(ctx context.Context, by string, t Table, o Options) (Status, error) {
	if o.Location == nil {
		o.Location = time.Local
	}
	c, err := check(ctx, j.desk, t, o)
	if err != nil {
		return Status{}, err
	}
	one := &job{by: by, seen: j.now(), checked: c, Status: Status{ID: gatehouse.RandomID(), Kind: o.Kind, State: Checked, Report: c.report, Skip: o.Skip, Total: len(c.ready)}}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.sweep()
	if len(j.jobs) >= maxJobs {
		return Status{}, gatehouse.Errorf("intake.busy", "finish or drop one of those first", "%d tables are being imported already", maxJobs)
	}
	j.jobs[one.ID] = one
	return one.Status, nil
}

// Start runs a job, or goes on with one that was stopped. Errors: intake.gone,
// intake.problems.
func (j *Jobs) Start(by string, id gatehouse.ID) (Status, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	one, err := j.find(by, id)
	switch {
	case err != nil:
		return Status{}, err
	case one.State == Running || one.State == Done:
		return one.copied(), nil
	case !one.Report.Clean() && !one.Skip:
		return one.copied(), gatehouse.Errorf("intake.problems", "correct them and give the table again, or leave these rows out", "%d rows have something wrong; nothing was enrolled", one.Report.Bad)
	}
	ctx, stop := context.WithCancel(j.base)
	one.State, one.stop = Running, stop
	j.wait.Go(func() { j.run(ctx, one) })
	return one.copied(), nil
}

// Stop stops a job after the row that it is at. Errors: intake.gone.
func (j *Jobs) Stop(by string, id gatehouse.ID) (Status, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	one, err := j.find(by, id)
	if err != nil {
		return Status{}, err
	}
	if one.stop != nil {
		one.stop()
	}
	return one.copied(), nil
}

// Drop forgets a job that does not run. Errors: intake.gone.
func (j *Jobs) Drop(by string, id gatehouse.ID) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	one, err := j.find(by, id)
	if err == nil && one.State != Running {
		delete(j.jobs, id)
	}
	return err
}

// Status says how far a job is. Errors: intake.gone.
func (j *Jobs) Status(by string, id gatehouse.ID) (Status, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	one, err := j.find(by, id)
	if err != nil {
		return Status{}, err
	}
	return one.copied(), nil
}

func (j *Jobs) run(ctx context.Context, one *job) {
	labels := j.desk.Labels(one.Kind)
	for {
		j.mu.Lock()
		if one.next == len(one.checked.ready) {
			one.State, one.stop, one.seen = Done, nil, j.now()
			one.checked.ready = nil
			one.next = 0
			j.mu.Unlock()
			return
		}
		if ctx.Err() != nil {
			one.State, one.stop, one.seen = Stopped, nil, j.now()
			j.mu.Unlock()
			return
		}
		e := one.checked.ready[one.next]
		j.mu.Unlock()

		there := labels[e.who.Label]
		var err error
		if !there {
			_, err = j.desk.Enrol(context.WithoutCancel(ctx), one.by, e.who)
		}
		var p Problem
		if err != nil {
			p = problemOf(ctx, j.desk, e.row, e.who, err)
		}
		j.mu.Lock()
		one.next++
		switch {
		case there:
			one.There++
		case err != nil:
			one.Failed = append(one.Failed, p)
		default:
			one.Enrolled++
		}
		j.mu.Unlock()
	}
}

// find returns a job of the operator's. Called with the lock held.
func (j *Jobs) find(by string, id gatehouse.ID) (*job, error) {
	j.sweep()
	one, ok := j.jobs[id]
	if !ok || one.by != by {
		return nil, gatehouse.Errorf("intake.gone", "give the table again: rows that are enrolled by now are left alone", "this import is not there any more")
	}
	one.seen = j.now()
	return one, nil
}

func (j *Jobs) sweep() {
	now := j.now()
	maps.DeleteFunc(j.jobs, func(_ gatehouse.ID, one *job) bool { return one.State != Running && now.Sub(one.seen) >= keptFor })
}

// copied is the status for who does not hold the lock.
func (j *job) copied() Status {
	s := j.Status
	s.Failed = append([]Problem(nil), s.Failed...)
	return s
}
