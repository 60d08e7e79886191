package server

import (
	"context"
	"errors"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/internal/child"
	"gatehouse/vault"
)

// Elsewhere reports whether the site's vault is on another machine.
func (c VaultConfig) Elsewhere() bool { return c.Identity != "" }

// remote reads what the site needs for a vault on another machine; nil where the
// vault is here. Errors: those of vault.ReadIdentity; identity.place for one that was
// made for another site.
func (c Config) remote() (*vault.Remote, error) {
	if !c.Vault.Elsewhere() {
		return nil, nil
	}
	read := func() (*vault.Identity, error) {
		id, err := vault.ReadIdentity(c.Vault.Identity, c.Data)
		if err == nil && id.Place() != c.place() {
			return nil, gatehouse.Errorf("identity.place", "pair this gate with `gatehouse vault pair` on the vault's machine, or correct `organization` and `site.id`",
				"the identity for the vault is that of %s/%s", id.Org, id.Site)
		}
		return id, err
	}
	id, err := read()
	if err != nil {
		return nil, err
	}
	return &vault.Remote{Identity: id, Address: c.Vault.Remote, Reread: read}, nil
}

// AwaitVault waits until a vault on another machine was reached, or found away, for
// commands that are over in a moment; at most ten seconds. A site itself waits for no
// other machine.
func (s *Server) AwaitVault(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	beat := time.NewTicker(10 * time.Millisecond)
	defer beat.Stop()
	for s.config.Vault.Elsewhere() && s.vault.Process().State == child.Starting {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
		}
	}
}

// claimLease takes over the lease that somebody granted at the vault's machine, so that
// what is asked for here is opened under it. Where the vault is here, or a lease is
// held, there is nothing to do.
func (s *Server) claimLease(ctx context.Context) {
	if !s.config.Vault.Elsewhere() || s.lend.Holds() {
		return
	}
	proof, until, err := s.vault.Claim(ctx)
	if err == nil {
		s.lend.Adopt(proof, until)
		return
	}
	if gatehouse.ErrorCode(err) != "vault.sealed" && ctx.Err() == nil {
		s.log.Warn("the vault is unsealed, and its lease could not be claimed", "code", gatehouse.ErrorCode(err))
	}
}

// vaultStatus answers also while a vault on another machine is away: the site goes on.
func (s *Server) vaultStatus(ctx context.Context) (wire.VaultStatus, error) {
	elsewhere, waiting := s.vault.Elsewhere()
	out := wire.VaultStatus{Elsewhere: elsewhere, Waiting: waiting}
	st, err := s.vault.Status(ctx)
	if err == nil {
		out.Unsealed, out.Until, out.Rotating, out.Canary = !st.Sealed, st.Until, st.Rotating, st.Canary
		return out, nil
	}
	if !elsewhere {
		return out, err
	}
	out.Away = err.Error()
	var e *gatehouse.Error
	if errors.As(err, &e) {
		out.Away = e.Message
	}
	return out, nil
}
