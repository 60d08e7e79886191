package server

import (
	"context"
	"sync"
	"time"

	"gatehouse/api"
	"gatehouse/api/wire"
	"gatehouse/console"
)

// Examine looks for what is wrong with the installation; server/doctor has it, which knows
// this package. live is the running server.
type Examine func(ctx context.Context, live api.Admin) wire.Examination

// examined is the last examination: looking takes a second, and reads the models.
type examined struct {
	mu   sync.Mutex
	last wire.Examination
	done time.Time
}

// An examination counts for lookAgain, and may take lookWithin.
const (
	lookAgain  = time.Minute
	lookWithin = 25 * time.Second
)

// Findings implements console.Health.
func (p pages) Findings(ctx context.Context, again bool) (console.Findings, error) {
	if p.opts.Examine == nil {
		return console.Findings{}, nil
	}
	e := &p.examined
	e.mu.Lock() // whoever comes meanwhile waits for the same
	defer e.mu.Unlock()
	if again && time.Since(e.done) > time.Second || time.Since(e.done) > lookAgain {
		ctx, cancel := context.WithTimeout(ctx, lookWithin)
		defer cancel()
		e.last, e.done = p.opts.Examine(ctx, p.admin()), time.Now()
	}
	out := console.Findings{At: e.last.At, Verdict: string(e.last.Verdict)}
	for _, c := range e.last.Checks {
		out.All = append(out.All, console.Finding{Area: c.Area, Name: c.Name, Verdict: string(c.Verdict), Reason: c.Reason, Do: c.Do, Format: c.Format, Args: c.Args})
	}
	return out, nil
}

// Now implements console.Health.
func (p pages) Now(ctx context.Context) (console.HealthNow, error) {
	h, err := p.admin().Health(ctx)
	if err != nil {
		return console.HealthNow{}, err
	}
	st, err := p.vaultStatus(ctx)
	out := console.HealthNow{Started: h.Started, Version: Version, VaultUp: h.Vault.Up, Unsealed: h.Vault.Unsealed, Canary: h.Vault.Canary, Elsewhere: st.Elsewhere, Away: st.Away, ChainsWaiting: st.Waiting,
		VisionUp: h.Vision.Up, VisionRestarts: h.Vision.Restarts, AuditLag: h.Audit.Lag, Backup: h.Backup.Last, BackupConfigured: h.Backup.Configured,
		Waiting: p.waiting(), Unfinished: h.Unfinished, Cameras: len(h.Cameras), Certificate: h.Certificate, LastCommit: h.LastCommit}
	if err != nil {
		out.VaultUp = false
	}
	for _, c := range h.Cameras {
		if c.State == "ok" {
			out.CamerasUp++
		}
	}
	out.FreeBytes, out.DiskBytes = diskOf(p.config.Data)
	return out, nil
}

// History implements console.Health.
func (p pages) History() []console.HealthSample { return p.history.all() }
