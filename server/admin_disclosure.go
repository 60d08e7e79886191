package server

import (
	"context"
	"io"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/flow/release"
)

// Reasons implements api.DisclosureAdmin.
func (a admin) Reasons(ctx context.Context, r wire.ReasonsRequest) (wire.ReasonsResponse, error) {
	out := wire.ReasonsResponse{Disclosures: []wire.Disclosure{}}
	list, err := a.vault.Disclosures(ctx, r.Before, max(1, min(r.Limit, 200)))
	if err == nil {
		err = a.lend.Reasons(ctx, a.operator, list)
	}
	if err != nil {
		return out, err
	}
	for _, d := range list {
		out.Disclosures = append(out.Disclosures, wire.Disclosure{ID: d.ID, At: d.At, Operator: d.Operator, Purpose: d.Purpose, Reason: d.Reason, Gone: d.ReasonSealed, Items: len(d.Items), Units: d.Units})
	}
	return out, nil
}

// LiftCanary implements api.DisclosureAdmin.
func (a admin) LiftCanary(ctx context.Context, r wire.SignedRequest) (wire.CanaryStatus, error) {
	t, err := a.vault.LiftCanary(ctx, r.ID, r.Operator, r.Signature)
	return canaryStatus(t), err
}

func (a admin) releases() release.Ports {
	return release.Ports{Place: a.site.Place, Subjects: a.store, Passages: a.store, Blobs: a.blobs, Payslips: a.store}
}

// PlanRelease implements api.DisclosureAdmin.
func (a admin) PlanRelease(ctx context.Context, r wire.ReleasePlanRequest) (wire.ReleasePlan, error) {
	items, err := a.releases().Plan(ctx, r.Subjects, r.Passages, r.Fields)
	if err != nil {
		return wire.ReleasePlan{}, err
	}
	st, err := a.vault.Status(ctx)
	return wire.ReleasePlan{Org: a.site.Place.Org, Site: a.site.Place.Site, Items: items, Vault: st.PublicKey}, err
}

// PlanPayFile implements api.DisclosureAdmin.
func (a admin) PlanPayFile(ctx context.Context, r wire.PayFilePlan) (wire.ReleasePlan, error) {
	if _, err := a.wages.Run(ctx, r.Run); err != nil {
		return wire.ReleasePlan{}, err
	}
	items, err := a.releases().PlanPay(ctx, r.Run, r.Names)
	if err != nil {
		return wire.ReleasePlan{}, err
	}
	st, err := a.vault.Status(ctx)
	return wire.ReleasePlan{Org: a.site.Place.Org, Site: a.site.Place.Site, Items: items, Vault: st.PublicKey}, err
}

func wireRelease(r gatehouse.Release, body bool) wire.Release {
	q := r.Request
	out := wire.Release{ID: q.ID, At: q.At, Expires: r.Expires, Operator: q.Operator, Purpose: q.Purpose, Items: r.Count, Recipients: q.Recipients,
		Approver: r.Approver, Approved: r.Approved, Written: r.Written}
	if body {
		out.Body = r.Body
	}
	return out
}

// RequestRelease implements api.DisclosureAdmin.
func (a admin) RequestRelease(ctx context.Context, r wire.ReleaseRequest) (wire.Release, error) {
	got, err := a.vault.RequestRelease(ctx, r.Body, r.Signature)
	return wireRelease(got, false), err
}

// Releases implements api.DisclosureAdmin.
func (a admin) Releases(ctx context.Context) (wire.ReleasesResponse, error) {
	out := wire.ReleasesResponse{Releases: []wire.Release{}}
	st, err := a.vault.Status(ctx)
	if err != nil {
		return out, err
	}
	out.Vault = st.PublicKey
	list, err := a.vault.Releases(ctx)
	for _, r := range list {
		out.Releases = append(out.Releases, wireRelease(r, false))
	}
	return out, err
}

// Release implements api.DisclosureAdmin.
func (a admin) Release(ctx context.Context, id gatehouse.ID) (wire.Release, error) {
	r, err := a.vault.Release(ctx, id)
	return wireRelease(r, true), err
}

// ApproveRelease implements api.DisclosureAdmin.
func (a admin) ApproveRelease(ctx context.Context, r wire.SignedRequest) (wire.Release, error) {
	got, err := a.vault.ApproveRelease(ctx, r.ID, r.Operator, r.Signature)
	return wireRelease(got, false), err
}

// WriteRelease implements api.DisclosureAdmin.
func (a admin) WriteRelease(ctx context.Context, id gatehouse.ID, again bool, w io.Writer) error {
	return a.writeRelease(ctx, id, again, w, func(int, int) {})
}

// writeRelease is WriteRelease for somebody who is told how many of its values were fetched.
func (a admin) writeRelease(ctx context.Context, id gatehouse.ID, again bool, w io.Writer, tell func(done, total int)) error {
	operator, proof, ok := a.lend.Lease(a.operator)
	if !ok {
		if t, err := a.vault.Tripped(ctx); err != nil || !t.Trip.IsZero() {
			return gatehouse.Errorf("vault.canary", "see `gatehouse canary status`", "the vault is shut by a canary")
		}
		return gatehouse.Errorf("vault.sealed", "unseal it with `gatehouse unseal`", "the vault is sealed")
	}
	total, err := a.releaseSize(ctx, id)
	if err != nil {
		return err
	}
	done := 0
	_, err = a.vault.WriteRelease(ctx, id, again, operator, proof, func(ctx context.Context, it gatehouse.ReleaseItem) ([]byte, error) {
		if err := ctx.Err(); err != nil { // somebody stopped it
			return nil, err
		}
		done++
		tell(done, total)
		return a.releases().Sealed(ctx, it)
	}, w)
	if gatehouse.ErrorCode(err) == "vault.canary" {
		a.shutByCanary(ctx)
	}
	return err
}

// releaseSize is how many values a release asks for; 0 for one that is not known, which
// the vault refuses.
func (a admin) releaseSize(ctx context.Context, id gatehouse.ID) (int, error) {
	all, err := a.vault.Releases(ctx)
	for _, r := range all {
		if r.Request.ID == id {
			return r.Count, err
		}
	}
	return 0, err
}

// shutByCanary fetches the alarm at once.
func (s *Server) shutByCanary(ctx context.Context) {
	if err := s.takeAlarms(context.WithoutCancel(ctx)); err != nil {
		s.log.Error("an alarm cannot be taken over from the vault", "code", gatehouse.ErrorCode(err))
	}
	s.hub.VaultChanged()
}

// TestAlarm implements api.DisclosureAdmin.
func (a admin) TestAlarm(ctx context.Context) error {
	if !a.isRunning() {
		return gatehouse.Errorf("server.not_running", "start it with `gatehouse serve`", "there is no running server that would deliver it")
	}
	now := time.Now()
	return a.raise(ctx, gatehouse.Alarm{ID: gatehouse.NewID(now), At: now.UTC(), Kind: gatehouse.TestAlarm})
}
