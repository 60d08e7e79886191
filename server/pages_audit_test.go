package server

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/console"
)

// running starts a server that listens, and returns once it does.
func running(t *testing.T, s *Server) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ran, ready := make(chan error, 1), make(chan struct{})
	go func() { ran <- s.Run(ctx, func(string) { close(ready) }) }()
	select {
	case <-ready:
	case err := <-ran:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		<-ran
	})
}

// ended waits for a job of the console's.
func ended(t *testing.T, state func() console.Job) console.Job {
	t.Helper()
	for range 600 {
		if j := state(); !j.Running && !j.Ended.IsZero() {
			return j
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("it does not end")
	return console.Job{}
}

// The log of a running site is read, proved and verified from the console.
func TestTheLogFromTheConsole(t *testing.T) {
	c := testConfig(t)
	s := open(t, c)
	if err := (pages{s}).Verify(t.Context(), console.Who{}, false); gatehouse.ErrorCode(err) != "server.not_running" {
		t.Errorf("without a running server: %v", err)
	}
	running(t, s)
	p := pages{s}
	mei := enrol(t, s, "Staff 7", "Mei Lin", nil)
	for i := range 7 {
		passed(t, s, mei, time.Now().Add(-time.Duration(i)*time.Second))
	}
	s.committed()
	var found []console.AuditEntry
	for range 100 {
		var err error
		if found, _, err = p.Entries(t.Context(), console.AuditQuery{Kind: gatehouse.PassageLeafKind, Limit: 5}); err != nil {
			t.Fatal(err)
		}
		if len(found) == 5 {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if len(found) != 5 || found[0].Index <= found[4].Index || found[0].Kind != gatehouse.PassageLeafKind {
		t.Fatalf("entries: %+v", found)
	}
	_, next, err := p.Entries(t.Context(), console.AuditQuery{Kind: gatehouse.PassageLeafKind, Limit: 5})
	if err != nil || next == 0 {
		t.Fatalf("next is %d, %v", next, err)
	}
	if more, next, err := p.Entries(t.Context(), console.AuditQuery{Kind: gatehouse.PassageLeafKind, Limit: 5, Before: next}); err != nil || len(more) != 2 || next != 0 {
		t.Errorf("the next page: %+v, %d, %v", more, next, err)
	}
	raw, err := p.Prove(t.Context(), jsonOf(t, found[0].Index))
	if err != nil {
		t.Fatal(err)
	}
	var proof wire.AuditProof
	if err := json.Unmarshal(raw, &proof); err != nil {
		t.Fatal(err)
	}
	if e, err := VerifyProof(c, "", proof); err != nil || e.Index != found[0].Index {
		t.Errorf("the downloaded proof: %+v, %v", e, err)
	}
	if err := p.Verify(t.Context(), console.Who{}, true); err != nil {
		t.Fatal(err)
	}
	j := ended(t, func() console.Job { st, _ := p.State(t.Context()); return st.Job })
	st, err := p.State(t.Context())
	if err != nil || j.Err != nil || st.Report == nil || !st.Report.OK || !st.Report.Deep || st.Report.Passages != 7 || st.Size < 8 || len(st.Keys) == 0 {
		t.Errorf("verified: %+v, %+v, %v", j, st.Report, err)
	}
	// One job at a time; somebody who stops it is told so.
	block := make(chan struct{})
	var one job[int]
	if err := one.start(s, "log", func(ctx context.Context, _ func(string, int64, int64)) (int, error) {
		close(block)
		<-ctx.Done()
		return 0, ctx.Err()
	}); err != nil {
		t.Fatal(err)
	}
	<-block
	if err := one.start(s, "log", nil); gatehouse.ErrorCode(err) != "job.running" {
		t.Errorf("a second one: %v", err)
	}
	one.stop()
	if j := ended(t, func() console.Job { j, _ := one.now(); return j }); !j.Stopped || j.Err != nil {
		t.Errorf("stopped: %+v", j)
	}
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
