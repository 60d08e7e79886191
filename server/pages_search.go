package server

import (
	"context"

	"gatehouse"
	"gatehouse/console"
	"gatehouse/flow/search"
	"gatehouse/vault/budget"
)

// Search implements console.Archive.
func (p pages) Search(ctx context.Context, who console.Who, reason string, q gatehouse.SearchQuery) (console.ArchivePage, error) {
	got, err := p.searcher().Search(ctx, search.Asked{Operator: who.Operator, Role: string(who.Role), Reason: reason}, q)
	if err != nil {
		return console.ArchivePage{}, err
	}
	out := console.ArchivePage{Next: got.Next, Indexed: got.Indexed, Current: got.Current}
	for _, f := range got.Found {
		out.Hits = append(out.Hits, console.ArchiveHit{SearchHit: f.SearchHit, Passage: f.Passage, Record: f.Record})
	}
	return out, nil
}

// Budget implements console.Archive.
func (p pages) Budget(ctx context.Context, who console.Who) ([]console.BudgetLeft, error) {
	st, err := p.vault.Budget(ctx, p.lend.Holder(who.Operator), string(who.Role))
	if err != nil || !st.Known {
		return nil, err
	}
	var out []console.BudgetLeft
	for _, l := range st.Left {
		if l.Scope != budget.Live {
			out = append(out, console.BudgetLeft{Scope: string(l.Scope), Window: string(l.Window), Units: l.Units, Of: st.Limits.Of(l.Scope, l.Window)})
		}
	}
	return out, nil
}
