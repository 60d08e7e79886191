package server

import (
	"testing"
	"time"
)

func TestHeard(t *testing.T) {
	var h heard
	now := time.Unix(1_800_000_000, 0)
	if last, rate := h.at("a", now); !last.IsZero() || rate != 0 {
		t.Errorf("of a device that never came: %v, %v", last, rate)
	}
	for range 50 {
		h.note("a", now)
		now = now.Add(250 * time.Millisecond)
	}
	last, rate := h.at("a", now)
	if rate < 3.8 || rate > 4.2 || now.Sub(last) != 250*time.Millisecond {
		t.Errorf("four a second are %v, the last %v ago", rate, now.Sub(last))
	}
	if _, rate = h.at("a", now.Add(time.Minute)); rate != 0 {
		t.Errorf("a minute of silence is %v a second", rate)
	}
}
