package server

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/ingest"
	"gatehouse/internal/child"
	"gatehouse/vault"
	"gatehouse/vault/auditlog"
)

// noted is when things last went well, which is kept nowhere else.
type noted struct {
	mu        sync.Mutex
	witnesses map[int]time.Time // by place in gatehouse.yml, from 0
	verified  time.Time
	committed time.Time

	listing   sync.Mutex // of the backups' target; what follows is what it said
	listed    time.Time
	backup    time.Time
	backupErr error
}

func (n *noted) witness(i int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.witnesses == nil {
		n.witnesses = map[int]time.Time{}
	}
	n.witnesses[i] = time.Now()
}

func (n *noted) set(what *time.Time) {
	n.mu.Lock()
	defer n.mu.Unlock()
	*what = time.Now()
}

// maxLag is how many leaves of the audit log's lag are counted.
const maxLag = 10_000

// Health implements api.HealthAdmin. What cannot be asked is left at its worst: a
// vault that does not answer is not up.
func (a admin) Health(ctx context.Context) (wire.Health, error) {
	h := wire.Health{Running: a.isRunning(), At: time.Now().UTC(), Started: a.started.UTC(), Vision: process(a.eyes.Status()), TLS: a.config.TLS.On()}
	a.vaultHealth(ctx, &h.Vault)
	h.Audit = a.auditHealth(ctx)
	h.Backup.Configured = a.config.Backup.Data != ""
	if h.Backup.Configured {
		var err error
		h.Backup.Last, err = a.newestBackup(ctx)
		h.Backup.Reachable = err == nil
	}
	h.Cameras = a.cameraHealth()
	if open, err := a.store.Intents(ctx); err == nil {
		h.Unfinished = len(open)
	}
	a.mu.Lock()
	h.Retained = a.retained
	t := a.transport
	a.mu.Unlock()
	a.noted.mu.Lock()
	h.Backup.Verified, h.LastCommit = a.noted.verified, a.noted.committed
	a.noted.mu.Unlock()
	if t != nil {
		h.Certificate = t.until()
	}
	return h, nil
}

func process(s child.Status) wire.ProcessState {
	return wire.ProcessState{Up: s.State == child.Up, Restarts: s.Restarts, PID: s.PID}
}

// listAgain is how long the newest backup's date counts: the target may be far away,
// and metrics are asked for often.
const listAgain = time.Minute

// newestBackup is when the newest backup was made; zero where there is none.
func (s *Server) newestBackup(ctx context.Context) (time.Time, error) {
	s.noted.listing.Lock()
	defer s.noted.listing.Unlock()
	if n := &s.noted; time.Since(n.listed) < listAgain {
		return n.backup, n.backupErr
	}
	f, err := s.backupFlow()
	var last time.Time
	if err == nil {
		last, err = f.Last(ctx)
	}
	s.noted.listed, s.noted.backup, s.noted.backupErr = time.Now(), last, err
	return last, err
}

func (s *Server) vaultHealth(ctx context.Context, h *wire.VaultHealth) {
	h.ProcessState = process(s.vault.Process())
	st, err := s.vault.Status(ctx)
	h.Up = err == nil
	h.Unsealed, h.Memory, h.Canary = err == nil && !st.Sealed, st.Memory, st.Canary
	if away, _ := s.vault.Elsewhere(); away {
		if v, err := s.vaultStatus(ctx); err == nil {
			h.Waiting = v.Waiting
		}
	}
	h.Left = map[string]int{}
	if b, err := s.vault.Budget(ctx, socketOperator, ""); err == nil && b.Known {
		for _, l := range b.Left {
			if strings.HasPrefix(string(l.Scope), "org") {
				h.Left[string(l.Window)] = l.Units
			}
		}
	}
	keys, err := s.vault.KeysStatus(ctx)
	if err != nil {
		return
	}
	for _, k := range keys.Keys {
		if !k.Retired.IsZero() {
			h.Retired++
		}
		if k.Name == keys.Current {
			h.Slots = len(k.Slots)
		}
	}
	h.Shares = s.sharesMade(ctx)
}

// sharesMade looks for the making of shares in the audit log's newest entries about keys.
func (s *Server) sharesMade(ctx context.Context) bool {
	found, _, err := s.vault.AuditLeaves(ctx, vault.LeafQuery{Kind: gatehouse.KeyLeafKind, Limit: 1000})
	return err == nil && slices.ContainsFunc(found, func(l vault.NumberedLeaf) bool {
		e, err := auditlog.Describe(l.Leaf)
		return err == nil && len(e.Fields) > 0 && strings.HasPrefix(e.Fields[0].Value, "split")
	})
}

var errEnough = errors.New("enough")

func (s *Server) auditHealth(ctx context.Context) (h wire.AuditHealth) {
	h.Witnesses = []wire.WitnessHealth{}
	s.noted.mu.Lock()
	for i := range s.config.Audit.Witness {
		h.Witnesses = append(h.Witnesses, wire.WitnessHealth{Witness: i + 1, Reached: s.noted.witnesses[i]})
	}
	s.noted.mu.Unlock()
	at, err := s.vault.AuditCursor(ctx)
	if err != nil {
		h.Lag = maxLag
		return h
	}
	err = s.store.Leaves(ctx, at, func(uint64, []byte) error {
		if h.Lag++; h.Lag >= maxLag {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		h.Lag = maxLag
	}
	return h
}

func (s *Server) cameraHealth() []wire.CameraHealth {
	s.mu.Lock()
	all := make([]*camera, 0, len(s.cameras))
	for _, c := range s.cameras {
		all = append(all, c)
	}
	s.mu.Unlock()
	out := []wire.CameraHealth{}
	for _, c := range all {
		if c.stop == nil {
			continue // it posts its frames
		}
		h := wire.CameraHealth{Device: c.device.ID, Gate: c.device.Gate, State: "down", LagMS: c.lag.Load()}
		if src := c.reads(); src != nil {
			is := src.Health()
			h.State, h.FPS, h.LastFrame, h.Dropped, h.Reconnects = string(is.State), is.FPS, is.LastFrame, is.Dropped, is.Reconnects
		}
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b wire.CameraHealth) int { return strings.Compare(string(a.Device), string(b.Device)) })
	return out
}

// reads is the source that the camera reads now; nil while it does not open.
func (c *camera) reads() ingest.Source {
	if p := c.source.Load(); p != nil {
		return *p
	}
	return nil
}
