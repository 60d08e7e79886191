package server

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/flow/follow"
	"gatehouse/vault"
)

// AuditSink puts the gate's own leaves into the vault's audit log.
func AuditSink(v *vault.Vault) follow.Sink { return auditSink{v} }

type auditSink struct{ vault *vault.Vault }

// Cursor implements follow.Sink.
func (a auditSink) Cursor(ctx context.Context) (uint64, error) { return a.vault.AuditCursor(ctx) }

// Deal implements follow.Sink: one batch is one transaction of the log.
func (a auditSink) Deal(ctx context.Context, leaves []follow.Leaf) error {
	batch := make([]vault.FollowedLeaf, len(leaves))
	for i, l := range leaves {
		batch[i] = vault.FollowedLeaf{Position: l.Position, Leaf: l.Leaf}
	}
	return a.vault.AuditFollow(ctx, batch)
}

// committed wakes what follows the log.
func (s *Server) committed() {
	for _, wake := range []chan struct{}{s.auditWake, s.eventsWake, s.hooksWake, s.staysWake, s.hoursWake} {
		select {
		case wake <- struct{}{}:
		default:
		}
	}
}

// followAudit keeps the audit log up with what the gate commits: at once after a
// passage, and within a second after everything else.
func (s *Server) followAudit(ctx context.Context) {
	follow.Run(ctx, s.store, auditSink{s.vault}, time.Second, s.auditWake, func(err error) {
		switch {
		case err == nil:
			s.log.Info("the audit log is up to date again")
		case gatehouse.ErrorCode(err) == "audit.foreign", gatehouse.ErrorCode(err) == "audit.order":
			s.alarm(err)
		case gatehouse.ErrorCode(err) != "vault.unavailable": // it is started again, and asked again
			s.log.Error("the audit log could not be kept up", "code", gatehouse.ErrorCode(err))
		}
	})
}

// finishAudit brings the log to its end when the server stops, and shows it to the
// witnesses, within a few seconds.
func (s *Server) finishAudit(ctx context.Context) error {
	if !s.isRunning() {
		return nil // the next one that runs does it
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if _, err := follow.CatchUp(ctx, s.store, auditSink{s.vault}); err != nil {
		s.log.Warn("the audit log does not have the last passages yet; it will at the next start", "code", gatehouse.ErrorCode(err))
		return nil
	}
	s.showWitnesses(ctx)
	return nil
}

// alarm reports what somebody must look at now.
func (s *Server) alarm(err error) {
	s.log.Error("ALARM", "code", gatehouse.ErrorCode(err), "err", err)
}
