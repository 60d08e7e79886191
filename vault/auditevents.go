package vault

import (
	"context"
	"database/sql"
	"strconv"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
)

// The vault's own events, as they stand in leaves of gatehouse.VaultLeafKind.
const (
	eventBegun           = "begun"            // the log's name, its first verifier key
	eventUnsealed        = "unsealed"         // the operator, until when (Unix milliseconds)
	eventWrongPassphrase = "wrong passphrase" // the operator
	eventWrongCredential = "wrong credential" // the operator, the kind: file, pkcs11, tpm
	eventSealed          = "sealed"           // command, time, stopped, ended
	eventForgot          = "witness forgot"   // a log's name, how many entries it had
)

// event records an event of the vault's own, and whether it is open then (nil for
// what says nothing about that).
func (a *auditDB) event(ctx context.Context, open *bool, event string, parts ...string) error {
	_, err := a.record(ctx, gatehouse.EventLeaf(gatehouse.VaultLeafKind, time.Now(), event, parts...), setOpen(open))
	return err
}

func setOpen(open *bool) func(context.Context, *sql.Tx) error {
	if open == nil {
		return nil
	}
	return func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE log SET unsealed = ?`, *open)
		return err
	}
}

// endedOpen records that the vault process ended, however it did, while the vault was
// open: the key went with it. The log's lock is held.
func (s *signer) endedOpen(ctx context.Context, a *auditDB) error {
	var open bool
	if err := a.db.Readers().QueryRowContext(ctx, `SELECT unsealed FROM log`).Scan(&open); err != nil || !open {
		return err
	}
	leaf := gatehouse.EventLeaf(gatehouse.VaultLeafKind, time.Now(), eventSealed, "ended")
	_, err := a.add(ctx, []entry{{leaf: leaf}}, setOpen(new(bool)))
	return err
}

// recordUnseal records an attempt to unseal before anything is answered; failed is
// the attempt's error. A vault whose opening cannot be recorded is sealed again.
func (s *service) recordUnseal(ctx context.Context, operator string, until time.Time, failed error) error {
	ctx = context.WithoutCancel(ctx)
	if failed != nil {
		return failed // a wrong credential is recorded already
	}
	open := true
	err := s.audit.event(ctx, &open, eventUnsealed, operator, strconv.FormatInt(until.UnixMilli(), 10))
	if err != nil {
		s.room.seal()
	}
	return err
}

// recordWrong records a credential that opened nothing, whatever it was shown for.
func (s *service) recordWrong(ctx context.Context, operator string, kind gatehouse.CredentialKind) error {
	if kind == gatehouse.PassphraseCredential {
		return s.audit.event(ctx, nil, eventWrongPassphrase, operator)
	}
	return s.audit.event(ctx, nil, eventWrongCredential, operator, string(kind))
}

// recordSealed records that the vault was sealed: by a command, because its time was
// over, or with the process.
func (s *service) recordSealed(ctx context.Context, why string) error {
	return s.audit.event(context.WithoutCancel(ctx), new(bool), eventSealed, why)
}

// sealedByTime is told by the strongroom, which holds its lock then.
func (s *service) sealedByTime() {
	s.reports.Go(func() {
		if err := s.recordSealed(context.Background(), "time"); err != nil {
			child.NewLog().Error("that the vault sealed itself could not be recorded", "code", gatehouse.ErrorCode(err))
		}
	})
}
