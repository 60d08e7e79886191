package timesheet

import (
	"context"
	"encoding/json"
	"time"

	"gatehouse"
	"gatehouse/rules/attendance"
)

// AskSwap asks a colleague of the same team to exchange shifts: by works theirs on
// theirDay, and they work by's on ownDay. Errors: hours.nobody, swap.date, swap.colleague,
// correction.too_many, and rules/attendance's swap.*.
func (h *Hours) AskSwap(ctx context.Context, by Actor, ownDay gatehouse.Date, colleague gatehouse.SubjectID, theirDay gatehouse.Date) (gatehouse.StoredSwap, error) {
	now := h.Now().UTC()
	x := gatehouse.StoredSwap{Place: h.Place, ShiftSwap: gatehouse.ShiftSwap{ID: gatehouse.NewID(now), First: by.Person, Second: colleague, FirstDay: ownDay, SecondDay: theirDay, Agreed: [2]gatehouse.AccountID{by.Account}},
		State: gatehouse.CorrectionRequested, Made: now}
	if by.Person.IsZero() {
		return x, nobody()
	}
	if err := h.ahead(x); err != nil {
		return x, err
	}
	h.writes.Lock()
	defer h.writes.Unlock()
	// Whose shifts somebody may ask about is their team's, and no error tells of others.
	if team := h.book.teamOn(x.First, ownDay); team == "" || team != h.book.teamOn(x.Second, ownDay) || team != h.book.teamOn(x.Second, theirDay) {
		return x, gatehouse.Errorf("swap.colleague", "ask somebody of your own team", "they are not in your team then")
	}
	if _, err := h.swapped(x); err != nil {
		return x, err
	}
	waiting, err := h.Store.Swaps(ctx, gatehouse.TimesQuery{Place: h.Place, Subject: x.First, State: gatehouse.CorrectionRequested, Limit: maxWaiting})
	if err != nil {
		return x, err
	}
	if len(waiting) >= maxWaiting {
		return x, gatehouse.Errorf("correction.too_many", "have some of them decided first", "%d requests wait already", len(waiting))
	}
	return x, h.Store.PutSwap(ctx, x, gatehouse.SwapLeaf(now, "asked", x, by.String()))
}

// ahead refuses days that have begun, or are too far ahead.
func (h *Hours) ahead(x gatehouse.StoredSwap) error {
	today := h.today()
	for _, d := range []gatehouse.Date{x.FirstDay, x.SecondDay} {
		if _, err := gatehouse.ParseDate(string(d)); err != nil || d <= today || dayCount(today, d) > int(maxAhead/(24*time.Hour)) {
			return gatehouse.Errorf("swap.date", "give days that have not begun, at most 400 days ahead", "shifts of these days cannot be swapped")
		}
	}
	return nil
}

// swapped are the roster entries that the swap would make now. Their ids follow from its
// own, so that putting them twice changes nothing. Called with writes held.
func (h *Hours) swapped(x gatehouse.StoredSwap) ([]gatehouse.RosterEntry, error) {
	x.Approved = gatehouse.SocketAccount // somebody: the rule asks for no particular one
	n := byte(0)
	entries, err := attendance.Swap(x.ShiftSwap, h.book.input(x.First, h.Location), h.book.input(x.Second, h.Location), func() gatehouse.ID {
		n++
		return gatehouse.IDAt(x.ID.Time(), append(x.ID[:], n))
	})
	for _, e := range entries {
		if err == nil {
			err = h.book.fits(e)
		}
	}
	return entries, err
}

// AnswerSwap is what one of the two says: the colleague agrees; who does not, or takes it
// back, ends it. Errors: swap.not_yours, correction.decided, store.not_found.
func (h *Hours) AnswerSwap(ctx context.Context, by Actor, id gatehouse.ID, agree bool) (gatehouse.StoredSwap, error) {
	h.writes.Lock()
	defer h.writes.Unlock()
	x, err := h.Store.Swap(ctx, h.Place, id)
	switch {
	case err != nil:
		return x, err
	case by.Person.IsZero() || by.Person != x.First && by.Person != x.Second, agree && by.Person != x.Second:
		return x, gatehouse.Errorf("swap.not_yours", "your colleague answers it", "this is not yours to answer")
	case x.State != gatehouse.CorrectionRequested || agree && !x.Agreed[1].IsZero():
		return x, gatehouse.Errorf("correction.decided", "make a new request", "this request was decided, or withdrawn")
	}
	now, event := h.Now().UTC(), "agreed"
	if agree {
		x.Agreed[1] = by.Account
	} else {
		x.State, x.Decided, event = gatehouse.CorrectionWithdrawn, now, "withdrawn"
	}
	return x, h.Store.PutSwap(ctx, x, gatehouse.SwapLeaf(now, event, x, by.String()))
}

// DecideSwap approves or refuses a swap that both agreed to; neither of them decides it.
// Errors: swap.agreed, swap.own, swap.date, rules/attendance's others, correction.decided,
// store.not_found.
func (h *Hours) DecideSwap(ctx context.Context, by Actor, id gatehouse.ID, approve bool) (gatehouse.StoredSwap, error) {
	h.writes.Lock()
	x, err := h.decideSwap(ctx, by, id, approve)
	h.writes.Unlock()
	if err != nil || !approve {
		return x, err
	}
	return h.applySwap(ctx, by, x)
}

func (h *Hours) decideSwap(ctx context.Context, by Actor, id gatehouse.ID, approve bool) (gatehouse.StoredSwap, error) {
	x, err := h.Store.Swap(ctx, h.Place, id)
	switch {
	case err != nil:
		return x, err
	case by.Person == x.First || by.Person == x.Second:
		return x, gatehouse.Errorf("swap.own", "ask somebody else to decide it", "nobody decides their own swap")
	case x.State != gatehouse.CorrectionRequested:
		return x, gatehouse.Errorf("correction.decided", "make a new request", "this request was decided, or withdrawn")
	}
	if x.ShiftSwap, err = attendance.ApproveSwap(x.ShiftSwap, by.Account); err != nil {
		return x, err
	}
	now := h.Now().UTC()
	x.State, x.Decided = gatehouse.CorrectionRefused, now
	if !approve {
		return x, h.Store.PutSwap(ctx, x, gatehouse.SwapLeaf(now, "refused", x, by.String()))
	}
	if err := h.ahead(x); err != nil {
		return x, err
	}
	entries, err := h.swapped(x)
	if err != nil {
		return x, err
	}
	// The entries are changes of the book, one after the other: what they will be is kept
	// with the approval, so that a crash in between leaves no half of them.
	if x.Entries, err = json.Marshal(entries); err != nil {
		return x, gatehouse.Errorf("hours.damaged", "", "the swap cannot be kept")
	}
	x.State = gatehouse.CorrectionApproved
	return x, h.Store.PutSwap(ctx, x, gatehouse.SwapLeaf(now, "approved", x, by.String()))
}

// applySwap puts an approved swap's roster entries; those that are there stay as they are.
func (h *Hours) applySwap(ctx context.Context, by Actor, x gatehouse.StoredSwap) (gatehouse.StoredSwap, error) {
	var entries []gatehouse.RosterEntry
	if err := json.Unmarshal(x.Entries, &entries); err != nil {
		return x, gatehouse.Errorf("hours.damaged", "plan the days by hand", "the swap's plan cannot be read")
	}
	for _, e := range entries {
		if _, err := h.PutRoster(ctx, by, e); err != nil {
			return x, err
		}
	}
	h.writes.Lock()
	defer h.writes.Unlock()
	now := h.Now().UTC()
	x.Applied = now
	return x, h.Store.PutSwap(ctx, x, gatehouse.SwapLeaf(now, "applied", x, by.String()))
}

// FinishSwaps puts what approved swaps lack of their plans, after a crash.
func (h *Hours) FinishSwaps(ctx context.Context) error {
	list, err := h.Store.Swaps(ctx, gatehouse.TimesQuery{Place: h.Place, State: gatehouse.CorrectionApproved, Limit: page})
	for _, x := range list {
		if err == nil && x.Applied.IsZero() && len(x.Entries) > 0 {
			_, err = h.applySwap(ctx, Actor{Account: x.Approved}, x)
		}
	}
	return err
}

// Swaps lists swaps, the newest first.
func (h *Hours) Swaps(ctx context.Context, q gatehouse.TimesQuery) ([]gatehouse.StoredSwap, error) {
	q.Place = h.Place
	return h.Store.Swaps(ctx, q)
}
