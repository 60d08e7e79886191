package server

import (
	"context"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
	"gatehouse/console"
)

func TestHistory(t *testing.T) {
	var h history
	h.passage(gatehouse.Passage{Decision: gatehouse.Decision{Grant: true}, Latency: 40 * time.Millisecond})
	h.passage(gatehouse.Passage{Latency: 80 * time.Millisecond})
	h.add(console.HealthSample{At: time.Unix(0, 0)})
	if s := h.all()[0]; s.Granted != 1 || s.Denied != 1 || s.LatencyMS != 60 {
		t.Errorf("%+v", s)
	}
	for i := range maxSamples + 10 {
		h.add(console.HealthSample{At: time.Unix(int64(i+1), 0)})
	}
	if all := h.all(); len(all) != maxSamples || all[0].At.Unix() != 11 || all[maxSamples-1].At.Unix() != maxSamples+10 || all[0].Granted != 0 {
		t.Errorf("%d samples, the first of %d, the last of %d", len(all), all[0].At.Unix(), all[len(all)-1].At.Unix())
	}
}

// The page asks who looks for what is wrong once a minute, and anew where somebody wants.
func TestWhatIsWrongIsLookedForOnce(t *testing.T) {
	looked := 0
	s := open(t, testConfig(t))
	s.opts.Examine = func(ctx context.Context, live api.Admin) wire.Examination {
		looked++
		st, err := live.Status(ctx)
		if err != nil || st.Site == "" {
			t.Errorf("the running server says %+v, %v", st, err)
		}
		return wire.Examination{At: time.Now(), Verdict: wire.VerdictWarn, Checks: []wire.Check{{Area: "disk", Name: "swap", Verdict: wire.VerdictWarn, Reason: "x", Format: "x"}}}
	}
	for range 3 {
		if f, err := (pages{s}).Findings(t.Context(), false); err != nil || f.Verdict != "warn" || len(f.All) != 1 {
			t.Errorf("%+v, %v", f, err)
		}
	}
	if looked != 1 {
		t.Errorf("looked %d times", looked)
	}
	s.examined.done = time.Now().Add(-2 * time.Second)
	if _, err := (pages{s}).Findings(t.Context(), true); err != nil || looked != 2 {
		t.Errorf("anew: %d, %v", looked, err)
	}
	s.waiting = func() int { return 3 }
	now, err := pages{s}.Now(t.Context())
	if err != nil || !now.VaultUp || now.Unsealed || now.FreeBytes <= 0 || now.DiskBytes < now.FreeBytes || now.Waiting != 3 {
		t.Errorf("%+v, %v", now, err)
	}
	if one := s.sampled(t.Context(), 3); one.FreeBytes <= 0 || one.HeapBytes <= 0 || one.Waiting != 3 {
		t.Errorf("%+v", one)
	}
}
