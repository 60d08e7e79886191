package access

import (
	"strings"
	"testing"

	"gatehouse"
)

// outsider has no grant of their own.
func outsider(rules ...gatehouse.AccessRule) Facts {
	f := granted()
	f.Badge.Grants, f.Rules = nil, rules
	return f
}

func TestRulesOfGroups(t *testing.T) {
	rule := gatehouse.AccessRule{ID: "day", Group: "staff", Gates: []gatehouse.GateID{"back", "front"}, Schedule: "office", Revision: 7}
	with := func(change func(*gatehouse.AccessRule)) gatehouse.AccessRule {
		r := rule
		change(&r)
		return r
	}
	for _, c := range []struct {
		name  string
		facts Facts
		want  gatehouse.Reason
	}{
		{"a rule lets in", outsider(rule), gatehouse.Granted},
		{"no rule", outsider(), gatehouse.NotHere},
		{"another gate's", outsider(with(func(r *gatehouse.AccessRule) { r.Gates = r.Gates[:1] })), gatehouse.NotHere},
		{"every gate", outsider(with(func(r *gatehouse.AccessRule) { r.Gates = []gatehouse.GateID{"*"} })), gatehouse.Granted},
		{"from today", outsider(with(func(r *gatehouse.AccessRule) { r.From = "2026-11-23" })), gatehouse.Granted},
		{"from tomorrow", outsider(with(func(r *gatehouse.AccessRule) { r.From = "2026-11-24" })), gatehouse.NotYetValid},
		{"until today", outsider(with(func(r *gatehouse.AccessRule) { r.Until = "2026-11-23" })), gatehouse.Granted},
		{"until yesterday", outsider(with(func(r *gatehouse.AccessRule) { r.Until = "2026-11-22" })), gatehouse.Expired},
		{"another schedule", outsider(with(func(r *gatehouse.AccessRule) { r.Schedule = "night" })), gatehouse.OutsideHours},
		{"hours come before days", outsider(with(func(r *gatehouse.AccessRule) { r.Until = "2026-11-22" }), with(func(r *gatehouse.AccessRule) { r.Schedule = "night" })), gatehouse.OutsideHours},
		{"the second one opens", outsider(with(func(r *gatehouse.AccessRule) { r.Schedule = "night" }), rule), gatehouse.Granted},
	} {
		d := Decide(c.facts)
		if d.Reason != c.want || d.Grant != (c.want == gatehouse.Granted) {
			t.Errorf("%s: %+v", c.name, d)
		}
	}
	if d := Decide(outsider(rule)); d.Rule != "rule day of staff at front, office, version 7" {
		t.Errorf("it was granted by %q", d.Rule)
	}
	own := granted()
	own.Rules = []gatehouse.AccessRule{rule}
	if d := Decide(own); !strings.HasPrefix(d.Rule, "grant person at front") {
		t.Errorf("an own grant comes first, not %q", d.Rule)
	}
}

// An explanation decides as the gate does, and says what else stands in the way.
func TestExplain(t *testing.T) {
	f := outsider(gatehouse.AccessRule{ID: "day", Group: "staff", Gates: []gatehouse.GateID{"front"}, Schedule: "office"})
	f.Now = monday(7, 0)
	f.Badge.FaceConsent, f.Badge.NeedSecondFactor = false, true
	e := Explain(f)
	if e.Decision != Decide(f) || e.Decision.Reason != gatehouse.NoConsent {
		t.Errorf("%+v", e.Decision)
	}
	against := ""
	for _, a := range e.Answers {
		if a.Reason != "" {
			against += a.Name + " "
		}
	}
	if against != "consent grant second factor " {
		t.Errorf("against it: %s", against)
	}
	if g := e.Grants; len(g) != 1 || !g[0].Here || g[0].Open || !g[0].Next.Equal(monday(8, 0)) {
		t.Errorf("%+v", g)
	}
	f.Badge, f.Reading.Known = nil, false
	e = Explain(f)
	if e.Decision.Reason != gatehouse.Unknown || len(e.Answers) != len(steps) || e.Answers[1].Asked {
		t.Errorf("of nobody: %+v", e)
	}
}
