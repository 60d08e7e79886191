package consoletest

import (
	"context"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/console"
)

// searchCost is what a search takes from the budget that the site has.
const searchCost, budgetOf = 5, 300

// archive is console.Archive: it looks through what is there.
type archive struct{ s *Site }

func (a archive) Search(_ context.Context, who console.Who, reason string, q gatehouse.SearchQuery) (console.ArchivePage, error) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	if !a.s.unsealed {
		return console.ArchivePage{}, gatehouse.Errorf("vault.sealed", "unseal the vault first", "the vault is sealed")
	}
	if q.Plate == "" && q.Name == "" {
		return console.ArchivePage{}, gatehouse.Errorf("search.malformed", "give a plate or a name", "nothing is asked for")
	}
	if a.s.spent+searchCost > budgetOf {
		return console.ArchivePage{}, gatehouse.Errorf("vault.budget", "wait", "the budget for the hour is spent")
	}
	var page console.ArchivePage
	for _, stored := range slices.Backward(a.s.stored) {
		p := stored.Passage
		text := a.s.names[p.Subject]
		if p.Kind == gatehouse.PlateReading {
			text = a.s.plates[p.ID]
		}
		if q.Plate != "" && text == q.Plate || q.Name != "" && strings.Contains(strings.ToLower(text), strings.ToLower(q.Name)) {
			page.Hits = append(page.Hits, console.ArchiveHit{Passage: &p,
				SearchHit: gatehouse.SearchHit{Kind: gatehouse.PassageHit, ID: p.ID, Subject: p.Subject, At: p.At, Gate: p.Gate, Reading: p.Kind, Text: text}})
		}
	}
	page.Current, page.Indexed = true, a.s.now()
	cost := searchCost + len(page.Hits)
	a.s.spent += cost
	a.s.disclose(who, "search", reason, cost, "search/plate")
	return page, nil
}

func (a archive) Budget(context.Context, console.Who) ([]console.BudgetLeft, error) {
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	return []console.BudgetLeft{{Scope: "operator", Window: "hour", Units: budgetOf - a.s.spent, Of: budgetOf}}, nil
}
