package server

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"gatehouse"
)

// What becomes of the money on a vehicle's passes when it is erased.
const (
	moneyRefund = "refund" // it goes back by the ways that it came
	moneyKeep   = "keep"   // it stays in the books, on a pass that is nobody's
)

// purse is a pass of value that holds money, with the orders that put some on it.
type purse struct {
	pass   gatehouse.ID
	holds  gatehouse.Money
	orders []gatehouse.PassOrder // the newest first
}

// pursesOf finds what passes of a subject hold.
func (s *Server) pursesOf(ctx context.Context, id gatehouse.SubjectID) ([]purse, error) {
	if s.stays.None() {
		return nil, nil
	}
	items, err := s.stays.Rights(ctx)
	if err != nil {
		return nil, err
	}
	var passes []gatehouse.ID
	orders := map[gatehouse.ID][]gatehouse.PassOrder{}
	for _, i := range items {
		if i.Subject != id {
			continue
		}
		switch i.Kind { // their encoding is flow/stay's, which has checked it
		case gatehouse.PassItem:
			if pass, err := gatehouse.ParseID(i.ID); err == nil {
				passes = append(passes, pass)
			}
		case gatehouse.OrderItem:
			var o gatehouse.PassOrder
			if json.Unmarshal(i.Body, &o) == nil && o.Kind == gatehouse.TopUpOrder && !o.Done.IsZero() {
				orders[o.Pass] = append(orders[o.Pass], o)
			}
		}
	}
	held, err := s.books.HeldBy(ctx, s.site.Place, passes)
	var all []purse
	for _, pass := range passes {
		if m := held[pass]; m.Minor > 0 {
			slices.SortFunc(orders[pass], func(a, b gatehouse.PassOrder) int { return b.Done.Compare(a.Done) })
			all = append(all, purse{pass, m, orders[pass]})
		}
	}
	return all, err
}

// heldMoney says what passes of a subject hold, by currency: what an erasure asks about.
func (s *Server) heldMoney(ctx context.Context, id gatehouse.SubjectID) (all []gatehouse.Money, err error) {
	purses, err := s.pursesOf(ctx, id)
	for _, p := range purses {
		at := slices.IndexFunc(all, func(m gatehouse.Money) bool { return m.Currency == p.holds.Currency })
		if at < 0 {
			all = append(all, p.holds)
		} else {
			all[at].Minor += p.holds.Minor
		}
	}
	return all, err
}

// settleMoney does with the money what was said, before a subject is erased: the entries come
// first. erase.money where there is some and nothing was said.
func (s *Server) settleMoney(ctx context.Context, id gatehouse.SubjectID, how, by string) error {
	purses, err := s.pursesOf(ctx, id)
	if err != nil || len(purses) == 0 || how == moneyKeep {
		return err
	}
	if how != moneyRefund {
		var sums []string
		for _, p := range purses {
			sums = append(sums, p.holds.String())
		}
		return gatehouse.Errorf("erase.money", "say that it is given back (refund), or that it stays in the books (keep)", "passes of it hold money: %s", strings.Join(sums, ", "))
	}
	for _, p := range purses {
		if err := s.emptyPurse(ctx, p, by); err != nil {
			return err
		}
	}
	return nil
}

// emptyPurse gives back what a pass holds, for the newest orders first, by the ways that they
// were paid. Whatever is cut off in between stands in the report of the books as paid too much.
func (s *Server) emptyPurse(ctx context.Context, p purse, by string) error {
	left := p.holds
	for _, o := range p.orders {
		entries, err := s.books.Entries(ctx, o.ID)
		if err != nil {
			return err
		}
		rest := o.Amount.Minor
		for _, e := range entries { // what was given back of it before
			if e.Kind == gatehouse.BookGiveBack {
				rest -= e.Amount.Minor
			}
		}
		back := gatehouse.Money{Minor: min(left.Minor, rest), Currency: left.Currency}
		paid := slices.IndexFunc(entries, func(e gatehouse.BookEntry) bool { return e.Kind == gatehouse.BookPayment })
		if back.Minor <= 0 || paid < 0 {
			continue
		}
		if _, err := s.books.GiveBack(ctx, o.ID, p.pass, back, gatehouse.ForGoodwill, by, gatehouse.RandomID()); err != nil {
			return err
		}
		left.Minor -= back.Minor
		if _, err := s.books.Refund(ctx, o.ID, entries[paid].Provider, entries[paid].Payment, back, gatehouse.ForGoodwill, by, gatehouse.RandomID()); err != nil && gatehouse.ErrorCode(err) != "pay.unavailable" {
			return err // one that a provider has not answered is asked for again by itself
		}
		if left.Minor == 0 {
			break
		}
	}
	if left.Minor > 0 {
		return gatehouse.Errorf("erase.money", "give the rest back at a desk, or erase with keep", "%s of it came by no order that can be refunded", left)
	}
	return nil
}
