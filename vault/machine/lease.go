package machine

import (
	"context"
	"errors"
	"slices"
	"time"

	"gatehouse"
)

// A gate asks in the name of its site's sessions ("site/guard-7"), which a lease of
// holder covers. unsealer is who stands in the log for the unsealing.
const (
	holder   = "site"
	unsealer = "site/vault-machine"
)

// Unseal opens the vault for the gates of r's places (none: all that are paired) for so
// long, or for a rebuilding of their working sets where r says so. The private key goes into their vault processes, the proofs stay here until
// the gates claim them; the credential goes no further. Every unsealing is written
// into the site's log before its lease counts. Errors: gate.unknown, and those of
// vault.Vault's UnsealWith and Record; where one fails, the sites before it stay open.
func (m *Machine) Unseal(ctx context.Context, r UnsealRequest, with gatehouse.Credential) error {
	places := r.Places
	if len(places) == 0 {
		for _, g := range m.Gates() {
			if !g.Revoked {
				places = append(places, g.Place())
			}
		}
	}
	if len(places) == 0 {
		return gatehouse.Errorf("gate.none", "pair one with `gatehouse vault pair`", "no gate is paired with this vault")
	}
	for _, place := range places {
		p, err := m.process(ctx, place)
		if err != nil {
			return err
		}
		if err := p.unseal(ctx, with, r); err != nil {
			return err
		}
	}
	return nil
}

func (r *running) unseal(ctx context.Context, with gatehouse.Credential, asked UnsealRequest) error {
	v := r.vault.Load()
	if asked.Rebuild {
		proof, until, err := v.BeginRebuild(ctx, holder, with)
		if err != nil {
			return err
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.rebuild, r.rebuildUntil = proof, until
		return nil
	}
	proof, until, err := v.UnsealWith(ctx, holder, with, asked.Lasts)
	if err != nil {
		return err
	}
	if err := v.Record(ctx, gatehouse.Disclosure{Operator: unsealer, Purpose: "unseal"}); err != nil {
		return errors.Join(err, v.SealVault(context.WithoutCancel(ctx)))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.proof, r.until = proof, until
	return nil
}

// claimRebuild gives the proof for a rebuilding, once. Errors: vault.sealed.
func (r *running) claimRebuild(now time.Time) (proof []byte, until time.Time, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	proof, until = r.rebuild, r.rebuildUntil
	r.rebuild = nil
	if proof == nil || !now.Before(until) {
		return nil, until, gatehouse.Errorf("vault.sealed", "run `gatehouse vault unseal --rebuild` on the vault's machine", "nobody has allowed this site a rebuilding of its working set")
	}
	return proof, until, nil
}

// claim gives the lease's proof. Errors: vault.sealed.
func (r *running) claim(now time.Time) (proof []byte, until time.Time, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.proof == nil || !now.Before(r.until) {
		r.proof = nil
		return nil, until, gatehouse.Errorf("vault.sealed", "run `gatehouse vault unseal` on the vault's machine", "nobody has unsealed the vault for this site")
	}
	return r.proof, r.until, nil
}

// drop forgets the lease.
func (r *running) drop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.proof, r.until, r.rebuild = nil, time.Time{}, nil
}

// Seal ends the leases of places, none meaning all that run.
func (m *Machine) Seal(ctx context.Context, places []gatehouse.Place) error {
	var err error
	for place, r := range m.runningOf(places) {
		r.drop()
		if failed := r.vault.Load().SealVault(ctx); failed != nil {
			m.o.Log.Error("a site's vault could not be sealed", "org", place.Org, "site", place.Site, "code", gatehouse.ErrorCode(failed))
			err = errors.Join(err, failed)
		}
	}
	return err
}

// dropProof seals a site whose gate is gone for good.
func (m *Machine) dropProof(place gatehouse.Place) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = m.Seal(ctx, []gatehouse.Place{place}) // logged; nobody can claim the lease any more
}

// runningOf finds the vault processes of places, of all where there are none.
func (m *Machine) runningOf(places []gatehouse.Place) map[gatehouse.Place]*running {
	m.mu.Lock()
	defer m.mu.Unlock()
	found := map[gatehouse.Place]*running{}
	for place, r := range m.running {
		if r.vault.Load() != nil && (len(places) == 0 || slices.Contains(places, place)) {
			found[place] = r
		}
	}
	return found
}
