package server

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
	"gatehouse/flow/follow"
	"gatehouse/flow/search"
)

// Search implements api.SearchAdmin.
func (a admin) Search(ctx context.Context, r wire.SearchRequest) (wire.SearchResponse, error) {
	who := search.Asked{Operator: socketOperator, Reason: r.Reason}
	if s, ok := auth.SessionFrom(ctx); ok {
		who.Operator, who.Role = s.Operator(), string(s.Role)
	}
	got, err := a.searcher().Search(ctx, who, gatehouse.SearchQuery{Plate: r.Plate, PlateMatch: r.PlateMatch, Name: r.Name, NationalID: r.NationalID, Number: r.Number,
		Phone: r.Phone, PhoneEnd: r.PhoneEnd, Email: r.Email, Gate: r.Gate, Since: r.Since, Until: r.Until, Kind: r.Kind, After: r.After, Limit: r.Limit})
	if err != nil {
		return wire.SearchResponse{}, err
	}
	out := wire.SearchResponse{Hits: []wire.SearchHit{}, Next: got.Next, Indexed: got.Indexed, Current: got.Current}
	for _, f := range got.Found {
		h := wire.SearchHit{Kind: f.Kind, ID: f.ID, Subject: f.Subject, At: f.At, Gate: f.Gate, Reading: f.Reading, Text: f.Text}
		if p := f.Passage; p != nil {
			h.Direction, h.Decision, h.Reason, h.Outcome = p.Direction, wire.Decided(p.Decision), p.Decision.Reason, p.Outcome
		}
		if s := f.Record; s != nil {
			h.SubjectKind, h.Status = s.Kind, s.Status
		}
		out.Hits = append(out.Hits, h)
	}
	return out, nil
}

func (s *Server) searcher() search.Ports {
	return search.Ports{Place: s.site.Place, Vault: s.vault, Proofs: s.lend, Store: s.store}
}

// indexEvery is how often the search index looks for something new.
const indexEvery = 3 * time.Second

// followArchive feeds the search index while the vault is unsealed.
func (s *Server) followArchive(ctx context.Context) {
	follow.Run(ctx, s.store, s.indexer, indexEvery, nil, func(err error) {
		if err != nil {
			s.log.Warn("the search index does not follow; it is tried again", "code", gatehouse.ErrorCode(err))
		}
	})
}

// IndexArchive brings the search index up to date now, for drills and tests. It fails
// with follow.ErrLater while the vault is sealed, and may not run beside Run.
func (s *Server) IndexArchive(ctx context.Context) error {
	for {
		if _, err := follow.CatchUp(ctx, s.store, s.indexer); err != nil || s.indexer.Current() {
			return err
		}
	}
}

// indexStatus says how far the search index is; nil while the vault is sealed.
func (s *Server) indexStatus(ctx context.Context) *wire.IndexStatus {
	newest, err := s.store.Newest(ctx)
	if err != nil {
		return nil
	}
	st, err := s.vault.IndexState(ctx)
	if err != nil {
		return nil
	}
	return &wire.IndexStatus{Indexed: st.Until, Current: st.Position >= newest}
}
