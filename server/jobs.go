package server

import (
	"context"
	"errors"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/console"
)

// job is something that takes a while and that somebody at the console waits for. One of
// each runs at a time. It goes on when the page is left, and ends with the server.
type job[R any] struct {
	mu     sync.Mutex
	state  console.Job
	cancel context.CancelFunc
	result R
	has    bool // result is that of a run that ended well
}

// start runs do beside the caller, in whose name the log has it already. tell says how
// far it is. Errors: job.running, server.not_running.
func (j *job[R]) start(s *Server, stage string, do func(ctx context.Context, tell func(stage string, done, total int64)) (R, error)) error {
	s.mu.Lock()
	running := s.running
	s.mu.Unlock()
	if running == nil || running.Err() != nil {
		return gatehouse.Errorf("server.not_running", "start it with `gatehouse serve`", "there is no running server that would do it")
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.state.Running {
		return gatehouse.Errorf("job.running", "wait for it, or stop it", "this runs already")
	}
	ctx, cancel := context.WithCancel(running)
	j.state, j.cancel = console.Job{Running: true, Stage: stage, Began: time.Now()}, cancel
	s.wait.Go(func() {
		defer cancel()
		r, err := do(ctx, j.tell)
		j.mu.Lock()
		defer j.mu.Unlock()
		j.state.Running, j.state.Ended = false, time.Now()
		j.state.Stopped = err != nil && errors.Is(ctx.Err(), context.Canceled)
		if j.state.Err = err; j.state.Stopped {
			j.state.Err = nil
		}
		if err == nil {
			j.result, j.has = r, true
		} else if !j.state.Stopped {
			s.log.Warn("a job at the console failed", "code", gatehouse.ErrorCode(err))
		}
	})
	return nil
}

func (j *job[R]) tell(stage string, done, total int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.state.Stage, j.state.Done, j.state.Total = stage, done, total
}

// stop ends the run that there is.
func (j *job[R]) stop() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.state.Running {
		j.cancel()
	}
}

// now is how far it is, and the result of the last run that ended well; nil for none.
func (j *job[R]) now() (console.Job, *R) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.has {
		return j.state, nil
	}
	r := j.result
	return j.state, &r
}
