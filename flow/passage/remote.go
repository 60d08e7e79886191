package passage

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"gatehouse"
)

// Opening is a gate that an operator opens from afar.
type Opening struct {
	Gate     gatehouse.GateID
	Operator string // an account's id, or "admin-socket": it stands in the log
	Role     gatehouse.Role
	// Reason is in the operator's words and may name somebody: it is sealed with the
	// passage, and opened like what a passage says.
	Reason gatehouse.Secret
}

// MaxReason is how many characters a reason has at most.
const MaxReason = 160

// OpenRemotely opens a gate: as for every passage the row, the sealed reason and the
// audit leaf are committed first. What cannot be recorded opens nothing, also where the
// gate's policy is to fail safe: whoever asks can ask again. Errors: gate.unknown,
// gate.no_actuator, open.reason, and those of sealing and the store.
func (f *Flow) OpenRemotely(ctx context.Context, o Opening) (gatehouse.Passage, error) {
	gate, ok := f.Site.Gates[o.Gate]
	if !ok {
		return gatehouse.Passage{}, gatehouse.Errorf("gate.unknown", "use an id from `gates` in gatehouse.yml", "there is no such gate")
	}
	if f.Actuator(gate.ID) == nil {
		return gatehouse.Passage{}, gatehouse.Errorf("gate.no_actuator", "give it an `actuator` in gatehouse.yml", "nothing opens this gate")
	}
	reason, ok := plainReason(o.Reason.Reveal())
	if !ok {
		return gatehouse.Passage{}, gatehouse.Errorf("open.reason", fmt.Sprintf("say in 1 to %d characters why", MaxReason), "the reason is missing or too long")
	}
	now := f.Now()
	a := arrival{gate: gate, received: now, since: now, reading: gatehouse.Reading{Kind: gatehouse.RemoteReading, At: now, Confidence: 1}, reason: gatehouse.Secret(reason)}
	rule := "remote opening by " + o.Operator
	if o.Role != "" {
		rule += " as " + string(o.Role)
	}
	ctx = context.WithoutCancel(ctx) // who hangs up now has opened it all the same
	p, err := f.commit(ctx, a, gatehouse.Decision{Grant: true, Reason: gatehouse.OpenedRemotely, Rule: rule})
	if err != nil {
		f.Log.Error("a remote opening could not be recorded, and nothing was opened", "gate", gate.ID, "code", gatehouse.ErrorCode(err))
		return gatehouse.Passage{}, err
	}
	f.Feed.Committed(p, nil)
	f.actuate(ctx, gate, p)
	return p, nil
}

// plainReason trims what somebody typed.
func plainReason(s string) (string, bool) {
	s = strings.TrimSpace(s)
	bad := func(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError }
	return s, s != "" && utf8.RuneCountInString(s) <= MaxReason && !strings.ContainsFunc(s, bad)
}
