package passage

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

func TestOpenRemotely(t *testing.T) {
	w, f := newWorld(nil)
	o := Opening{Gate: "front", Operator: "op-1", Role: gatehouse.Guard, Reason: "  a delivery  "}
	p, err := f.OpenRemotely(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if p.Kind != gatehouse.RemoteReading || p.Known || p.Decision.Rule != "remote opening by op-1 as guard" || p.Outcome != gatehouse.Pending || p.Device != "" {
		t.Errorf("%+v", p)
	}
	w.mu.Lock()
	events, opened, sealed := slices.Clone(w.events), slices.Clone(w.opened), strings.Join(w.sealed, " ")
	c := w.commits[0]
	w.mu.Unlock()
	if i, j := slices.Index(events, "commit"), slices.Index(events, "open"); i < 0 || j < i || len(opened) != 1 || opened[0] != p.ID {
		t.Errorf("events %v, opened %v", events, opened)
	}
	if !strings.Contains(sealed, `"reason":"a delivery"`) {
		t.Errorf("sealed was %s", sealed)
	}
	for _, part := range []string{string(c.Leaf), c.Passage.Decision.Rule} {
		if strings.Contains(part, "delivery") {
			t.Error("the reason stands in clear")
		}
	}
	for code, bad := range map[string]Opening{"gate.unknown": {Gate: "gone", Operator: "x", Reason: "y"}, "open.reason": {Gate: "front", Operator: "x", Reason: "  "}} {
		if _, err := f.OpenRemotely(t.Context(), bad); gatehouse.ErrorCode(err) != code {
			t.Errorf("%v, want %s", err, code)
		}
	}
	for _, reason := range []string{"two\nlines", strings.Repeat("x", MaxReason+1), "\xff"} {
		if _, err := f.OpenRemotely(t.Context(), Opening{Gate: "front", Operator: "x", Reason: gatehouse.Secret(reason)}); gatehouse.ErrorCode(err) != "open.reason" {
			t.Errorf("%q: %v", reason, err)
		}
	}
}

// What cannot be sealed or stored opens nothing, whatever the gate's policy is.
func TestAnOpeningThatCannotBeRecorded(t *testing.T) {
	for _, fault := range []string{"store", "seal"} {
		w, f := newWorld(nil)
		g := f.Site.Gates["front"]
		g.Policy.FailSafe = true
		f.Site.Gates["front"] = g
		if fault == "store" {
			w.failStore = gatehouse.Errorf("store.full", "", "the disk is full")
		} else {
			w.failSeal = errors.New("no key")
		}
		_, err := f.OpenRemotely(t.Context(), Opening{Gate: "front", Operator: "x", Reason: "y"})
		time.Sleep(10 * time.Millisecond)
		w.mu.Lock()
		if err == nil || len(w.opened) != 0 || len(w.committed) != 0 {
			t.Errorf("%s: %v, opened %v", fault, err, w.opened)
		}
		w.mu.Unlock()
	}
}
