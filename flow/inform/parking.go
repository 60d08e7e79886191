package inform

import (
	"context"
	"encoding/json"
	"slices"

	"gatehouse"
)

// maxCorrections is how many corrected plates are opened, the newest: as many as are opened at
// once are few.
const maxCorrections = 40

// parking fills in what car parks hold, and asks for what of it is sealed.
func (h *Held) parking(ctx context.Context, p Ports, want func(gatehouse.SealContext, []byte, func([]byte))) error {
	if p.Parking == nil {
		return nil
	}
	held, err := p.Parking.HeldOf(ctx, h.Subject)
	if err != nil {
		return err
	}
	h.MoreStays = held.More
	h.Stays = make([]Stay, len(held.Stays))
	corrected := 0
	for i, r := range held.Stays {
		h.Stays[i] = Stay{CarPark: r.CarPark, Entered: r.Entered, Left: r.Left, State: r.State}
		if r.Charge != nil {
			h.Stays[i].Charged = r.Charge.Total.String()
		}
		if len(r.Correction) == 0 || corrected >= maxCorrections {
			continue
		}
		corrected++
		want(gatehouse.SealContext{Place: p.Place, Table: "stays", Row: r.ID, Field: "correction"}, r.Correction, func(b []byte) {
			var c gatehouse.Corrected
			if json.Unmarshal(b, &c) == nil {
				h.Stays[i].Corrected = &c
			}
		})
	}
	for _, r := range held.Receipts {
		h.Payments = append(h.Payments, Payment{At: r.At, Amount: r.Amount.String(), By: r.Provider})
	}
	for _, r := range held.Rights {
		right := Right{Kind: r.Kind, Name: r.Name, What: r.What, From: r.From, Until: r.Until}
		if r.Holds.Currency != "" {
			right.Holds = r.Holds.String()
		}
		h.Rights = append(h.Rights, right)
	}
	if held.Buyer != nil {
		want(held.Buyer.Where, held.Buyer.Sealed, func(b []byte) { h.Buyer = slices.Clone(b) })
	}
	return nil
}
