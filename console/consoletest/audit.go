package consoletest

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"gatehouse"
	"gatehouse/console"
)

// auditor is console.Audit over a log of 120 entries.
type auditor struct{ s *Site }

func (a auditor) all() (all []console.AuditEntry) {
	kinds := []gatehouse.LeafKind{gatehouse.PassageLeafKind, gatehouse.DisclosureLeafKind, gatehouse.SignInLeafKind, gatehouse.VaultLeafKind}
	for i := range 120 {
		e := console.AuditEntry{Index: int64(i), At: a.s.now().Add(time.Duration(i-120) * time.Minute), Kind: kinds[i%4]}
		switch e.Kind {
		case gatehouse.PassageLeafKind:
			e.Fields = [][2]string{{"id", fmt.Sprintf("%032x", i)}, {"gate", "front-door"}, {"reason", "granted"}}
		case gatehouse.DisclosureLeafKind:
			e.Fields = [][2]string{{"operator", "site/3f1c9a2b7d4e5f60718293a4b5c6d7e8"}, {"purpose", "live"}, {"units", "3"}}
		default:
			e.Fields = [][2]string{{"event", "unsealed"}}
		}
		all = append(all, e)
	}
	slices.Reverse(all)
	return all
}

func (a auditor) Entries(_ context.Context, q console.AuditQuery) (found []console.AuditEntry, next int64, err error) {
	for _, e := range a.all() {
		switch {
		case q.Before > 0 && e.Index >= q.Before, q.Kind != "" && e.Kind != q.Kind, !q.Since.IsZero() && e.At.Before(q.Since), !q.Until.IsZero() && !e.At.Before(q.Until):
		case len(found) == q.Limit:
			return found, found[len(found)-1].Index, nil
		default:
			found = append(found, e)
		}
	}
	return found, 0, nil
}

func (a auditor) State(context.Context) (console.AuditState, error) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	s := console.AuditState{Size: 120, Checkpoint: "acme/hq/log\n120\nq3t8…\n\n— acme/hq/log AbCd…\n", Keys: []string{"acme/hq/log+1234abcd+AQ…"}, Lag: 1,
		Witnesses: []console.WitnessState{{Name: "witness.list", Reached: a.s.now().Add(-20 * time.Second)}, {Name: "north.example"}},
		Job:       console.Job{Running: a.s.Verifying, Stage: "log", Done: 60, Total: 120}}
	if !a.s.Verifying {
		s.Report = &console.AuditReport{OK: true, At: a.s.now(), Size: 120, Witnessed: 118, Checkpoints: 9, Disclosures: 30, Passages: 30, Root: "q3t8GtQ…"}
	}
	return s, a.s.broken
}

func (a auditor) Prove(_ context.Context, what string) ([]byte, error) {
	n, err := strconv.Atoi(what)
	if err != nil || n < 0 || n >= 120 {
		return nil, gatehouse.Errorf("audit.not_found", "", "there is no such entry")
	}
	return []byte(fmt.Sprintf(`{"index":%d}`, n)), nil
}

func (a auditor) set(running bool) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.s.Verifying = running
}

func (a auditor) Verify(context.Context, console.Who, bool) error { a.set(true); return nil }
func (a auditor) StopVerify()                                     { a.set(false) }
