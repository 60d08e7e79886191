package server

import (
	"context"
	"encoding/hex"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
)

// resources implements api.Resources: what an administrator may ask over the socket,
// in the name of the caller.
type resources struct{ admin }

var _ api.Resources = resources{}

// Gates implements api.Resources.
func (r resources) Gates(context.Context) (wire.GatesResponse, error) {
	states := map[gatehouse.GateID]gatehouse.GateState{}
	for _, s := range r.hub.Gates() {
		states[s.Gate] = s
	}
	out := wire.GatesResponse{Gates: []wire.GateInfo{}}
	for _, g := range r.gateList() {
		one := wire.GateInfo{ID: g.ID, Kind: g.Kind, Name: g.Name, From: g.From, To: g.To, Direction: g.Direction, State: states[g.ID].State, Camera: states[g.ID].Camera}
		if one.State == "" {
			one.State = "unknown"
		}
		if one.Camera == "" {
			one.Camera = "none"
		}
		out.Gates = append(out.Gates, one)
	}
	return out, nil
}

// Subject implements api.Resources. A tombstone is nobody.
func (r resources) Subject(ctx context.Context, id gatehouse.SubjectID) (wire.Subject, error) {
	s, err := r.store.Subject(ctx, r.site.Place, id)
	if err == nil && s.Status == gatehouse.ErasedStatus {
		err = gatehouse.Errorf("store.not_found", "it was erased", "there is no such subject here")
	}
	if err != nil {
		return wire.Subject{}, err
	}
	return r.subject(s), nil
}

// subject is a row of the list of who is enrolled: the badge, no name.
func (a admin) subject(s gatehouse.Subject) wire.Subject {
	row := wire.Subject{ID: s.ID, Kind: s.Kind, Status: s.Status, Enrolled: s.Enrolled}
	if b, ok := a.working.Badge(s.ID); ok {
		row.Label, row.Grants = b.Label, b.Grants
	}
	return row
}

// DisclosureFacts implements api.Resources.
func (r resources) DisclosureFacts(ctx context.Context, before gatehouse.ID, limit int) (wire.DisclosuresResponse, error) {
	out := wire.DisclosuresResponse{Disclosures: []wire.DisclosureFact{}}
	list, err := r.vault.Disclosures(ctx, before, limit)
	for _, d := range list {
		out.Disclosures = append(out.Disclosures, wire.DisclosureFact{ID: d.ID, At: d.At, Operator: d.Operator, Role: d.Role, Purpose: d.Purpose, Items: len(d.Items), Units: d.Units,
			Reason: d.ReasonSealed || d.Reason != ""})
	}
	if n := len(out.Disclosures); n == limit {
		out.Next = out.Disclosures[n-1].ID
	}
	return out, err
}

// replies implements api.Replies: answers lie sealed under the gate key.
type replies struct{ *Server }

// where binds an answer to its request.
func (r replies) where(q gatehouse.KeptReply) gatehouse.SealContext {
	return gatehouse.SealContext{Place: r.site.Place, Table: "replies", Row: gatehouse.ID(q.Key[:16]), Field: hex.EncodeToString(q.Key[16:])}
}

// BeginReply implements api.Replies. An answer of before a rotation of the gate key does
// not open any more: nothing is known of it.
func (r replies) BeginReply(ctx context.Context, q gatehouse.KeptReply) (gatehouse.KeptReply, bool, error) {
	there, begun, err := r.store.BeginReply(ctx, q)
	if err != nil || begun || there.Status == 0 {
		return there, begun, err
	}
	plain, err := r.gateKey.OpenWorking(r.where(q), there.Sealed)
	if err != nil {
		there.Status = 0
		return there, false, nil //nolint:nilerr // see above
	}
	there.Sealed = plain
	return there, false, nil
}

// FinishReply implements api.Replies.
func (r replies) FinishReply(ctx context.Context, q gatehouse.KeptReply) error {
	sealed, err := r.gateKey.SealWorking(r.where(q), q.Sealed)
	if err != nil {
		return err
	}
	q.Sealed = sealed
	return r.store.FinishReply(ctx, q)
}

// DropReply implements api.Replies.
func (r replies) DropReply(ctx context.Context, key [32]byte) error {
	return r.store.DropReply(ctx, r.site.Place, key)
}

// dropReplies forgets, every hour, the answers of a day ago.
func (s *Server) dropReplies(ctx context.Context) {
	beat := time.NewTicker(time.Hour)
	defer beat.Stop()
	for {
		if _, err := s.store.DropReplies(ctx, s.site.Place, time.Now().Add(-api.RepliesFor)); err != nil && ctx.Err() == nil {
			s.log.Warn("old answers could not be dropped", "code", gatehouse.ErrorCode(err))
		}
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
		}
	}
}
