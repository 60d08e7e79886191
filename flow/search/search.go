// Package search answers questions about the past: it has the vault search its index,
// which is a disclosure, and puts what the metadata knows beside what was found. It
// also feeds that index from the committed log while the vault is unsealed.
package search

import (
	"context"

	"gatehouse"
)

// Proofs lends the proof of whoever unsealed the vault; flow/disclose has it. f is
// called with the operator's name as the log shall have it. It fails with vault.sealed.
type Proofs interface {
	WithProof(ctx context.Context, operator string, f func(ctx context.Context, operator string, proof []byte) error) error
}

// Store has the metadata and the sealed content. Errors: store.not_found.
type Store interface {
	Passage(ctx context.Context, place gatehouse.Place, id gatehouse.ID) (gatehouse.StoredPassage, error)
	Subject(ctx context.Context, place gatehouse.Place, id gatehouse.SubjectID) (gatehouse.Subject, error)
	Subjects(ctx context.Context, place gatehouse.Place, after gatehouse.SubjectID, limit int) ([]gatehouse.Subject, error)
	// Newest is the position of the log's last leaf.
	Newest(ctx context.Context) (uint64, error)
}

// Ports are what searching needs of the rest.
type Ports struct {
	Place  gatehouse.Place
	Vault  gatehouse.Searcher
	Proofs Proofs
	Store  Store
}

// Asked is who asks and why.
type Asked struct {
	Operator string
	Role     string
	Reason   string // required
}

// Found is a hit with its metadata, which is nil where it is gone by now.
type Found struct {
	gatehouse.SearchHit
	Passage *gatehouse.Passage // of a passage
	Record  *gatehouse.Subject // of a record
}

// Answer is one page, newest first.
type Answer struct {
	gatehouse.SearchAnswer
	Found []Found // SearchAnswer.Hits, in their order
	// Current says that everything that was committed before the search could be found. The
	// index itself says how far it is: it may have been thrown away and begun anew.
	Current bool
}

// Search searches the site's archive. Errors: vault.sealed, vault.reason,
// search.malformed, what the vault's budget refuses with, and the store's.
func (p Ports) Search(ctx context.Context, who Asked, q gatehouse.SearchQuery) (Answer, error) {
	q.Place = p.Place
	newest, err := p.Store.Newest(ctx)
	if err != nil {
		return Answer{}, err
	}
	var a Answer
	err = p.Proofs.WithProof(ctx, who.Operator, func(ctx context.Context, operator string, proof []byte) (err error) {
		a.SearchAnswer, err = p.Vault.Search(ctx, gatehouse.SearchRequest{Operator: operator, Role: who.Role, Proof: proof, Reason: who.Reason, Query: q})
		return err
	})
	if err != nil {
		return Answer{}, err
	}
	a.Current = a.Position >= newest
	for _, h := range a.Hits {
		f := Found{SearchHit: h}
		var err error
		if h.Kind == gatehouse.PassageHit {
			var stored gatehouse.StoredPassage
			if stored, err = p.Store.Passage(ctx, p.Place, h.ID); err == nil {
				f.Passage = &stored.Passage
			}
		} else {
			var s gatehouse.Subject
			if s, err = p.Store.Subject(ctx, p.Place, h.ID); err == nil {
				f.Record = &s
			}
		}
		// An expired month is gone, and an erased subject; the answer stands without it.
		if err != nil && gatehouse.ErrorCode(err) != "store.not_found" {
			return Answer{}, err
		}
		a.Found = append(a.Found, f)
	}
	return a, nil
}
