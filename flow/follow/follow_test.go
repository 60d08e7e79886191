package follow

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// log has a leaf at every third position.
type log struct{ n int }

func (l *log) Leaves(_ context.Context, after uint64, f func(uint64, []byte) error) error {
	for i := range l.n {
		if position := uint64(3 * (i + 1)); position > after {
			if err := f(position, fmt.Appendf(nil, "leaf %d", i)); err != nil {
				return err
			}
		}
	}
	return nil
}

type sink struct {
	cursor uint64
	got    []string
	mu     sync.Mutex
	fail   error
}

// failing makes it fail with err from now on.
func (s *sink) failing(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

func (s *sink) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fail
}

func (s *sink) Cursor(context.Context) (uint64, error) { return s.cursor, nil }

func (s *sink) Deal(_ context.Context, leaves []Leaf) error {
	if err := s.failure(); err != nil {
		return err
	}
	for _, l := range leaves {
		s.got = append(s.got, string(l.Leaf))
		s.cursor = l.Position
	}
	return nil
}

func TestCatchUpMissesNothingAndRepeatsNothing(t *testing.T) {
	l, s := &log{n: Batch*2 + 7}, &sink{}
	if n, err := CatchUp(t.Context(), l, s); err != nil || n != l.n {
		t.Fatalf("dealt with %d of %d: %v", n, l.n, err)
	}
	s.fail = errors.New("disk")
	l.n += 5
	if n, err := CatchUp(t.Context(), l, s); err == nil || n != 0 {
		t.Fatalf("a failing sink dealt with %d: %v", n, err)
	}
	s.fail = nil
	if n, err := CatchUp(t.Context(), l, s); err != nil || n != 5 {
		t.Fatalf("then it dealt with %d: %v", n, err)
	}
	for i, got := range s.got {
		if want := fmt.Sprintf("leaf %d", i); got != want {
			t.Fatalf("at %d there is %s", i, got)
		}
	}
	if len(s.got) != l.n {
		t.Errorf("%d leaves arrived of %d", len(s.got), l.n)
	}
}

func TestRunReportsAFailureAndItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		l, s := &log{n: 1}, &sink{fail: errors.New("disk")}
		var reports []error
		done := make(chan struct{})
		go func() {
			defer close(done)
			Run(ctx, l, s, time.Second, nil, func(err error) { reports = append(reports, err) })
		}()
		synctest.Wait()
		s.failing(ErrLater)
		time.Sleep(time.Second)
		synctest.Wait()
		s.failing(nil)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		cancel()
		<-done
		if len(reports) != 2 || reports[0] == nil || reports[1] != nil || len(s.got) != 1 {
			t.Errorf("reports %v, got %v", reports, s.got)
		}
	})
}
