package server

import (
	"context"

	"gatehouse"
	"gatehouse/api/wire"
)

// swapsListed is how many swaps are listed.
const swapsListed = 200

func (s *Server) wireSwap(x gatehouse.StoredSwap) wire.Swap {
	return wire.Swap{ID: x.ID, First: x.First, Second: x.Second, Labels: [2]string{s.label(x.First), s.label(x.Second)}, FirstDay: x.FirstDay, SecondDay: x.SecondDay, Agreed: !x.Agreed[1].IsZero(),
		State: x.State, Made: x.Made, DecidedBy: x.Approved, Decided: x.Decided}
}

func (a admin) swaps(ctx context.Context, q gatehouse.TimesQuery) (wire.Swaps, error) {
	q.Limit = swapsListed
	list, err := a.hours.Swaps(ctx, q)
	out := wire.Swaps{Swaps: []wire.Swap{}}
	for _, x := range list {
		out.Swaps = append(out.Swaps, a.wireSwap(x))
	}
	return out, err
}

// Swaps implements api.Hours.
func (a admin) Swaps(ctx context.Context, state gatehouse.CorrectionState) (wire.Swaps, error) {
	return a.swaps(ctx, gatehouse.TimesQuery{State: state})
}

// DecideSwap implements api.Hours.
func (a admin) DecideSwap(ctx context.Context, id gatehouse.ID, d wire.TimeDecision) (wire.Swap, error) {
	x, err := a.hours.DecideSwap(ctx, a.actor(ctx), id, d.Approve)
	a.committed()
	return a.wireSwap(x), err
}

// OwnSwaps implements api.OwnHours.
func (a admin) OwnSwaps(ctx context.Context) (wire.Swaps, error) {
	by, err := a.own(ctx)
	if err != nil {
		return wire.Swaps{}, err
	}
	return a.swaps(ctx, gatehouse.TimesQuery{Subject: by.Person})
}

// AskSwap implements api.OwnHours.
func (a admin) AskSwap(ctx context.Context, r wire.SwapAsk) (wire.Swap, error) {
	by, err := a.own(ctx)
	if err != nil {
		return wire.Swap{}, err
	}
	colleague, err := a.person(ctx, r.Colleague)
	if err != nil { // whether there is such a label is not theirs to know
		return wire.Swap{}, gatehouse.Errorf("swap.colleague", "ask somebody of your own team", "they are not in your team then")
	}
	x, err := a.hours.AskSwap(ctx, by, r.Day, colleague, r.TheirDay)
	a.committed()
	return a.wireSwap(x), err
}

// AnswerSwap implements api.OwnHours.
func (a admin) AnswerSwap(ctx context.Context, id gatehouse.ID, d wire.TimeDecision) (wire.Swap, error) {
	x, err := a.hours.AnswerSwap(ctx, a.actor(ctx), id, d.Approve)
	a.committed()
	return a.wireSwap(x), err
}
