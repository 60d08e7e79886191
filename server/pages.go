package server

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/console"
	"gatehouse/flow/disclose"
)

// pages implements the console's ports over the flows and stores.
type pages struct{ *Server }

func lentOf(l disclose.Lent) console.Lent {
	return console.Lent{Text: l.Text, Lent: l.Opened, Plate: l.Plate}
}

// Live implements console.Lender.
func (p pages) Live(ctx context.Context, who console.Who, passages []gatehouse.Passage) (map[gatehouse.ID]console.Lent, error) {
	lent, err := p.lend.As(who.Role).Live(ctx, who.Operator, passages)
	out := make(map[gatehouse.ID]console.Lent, len(lent))
	for id, l := range lent {
		out[id] = lentOf(l)
	}
	return out, err
}

// Detail implements console.Lender.
func (p pages) Detail(ctx context.Context, who console.Who, s gatehouse.StoredPassage) (console.Opened, error) {
	l, detail, err := p.lend.As(who.Role).Detail(ctx, who.Operator, s)
	return console.Opened{Lent: lentOf(l), Detail: detail}, err
}

// Evidence implements console.Lender.
func (p pages) Evidence(ctx context.Context, who console.Who, s gatehouse.StoredPassage, reason string) ([][]byte, error) {
	return p.lend.As(who.Role).Evidence(ctx, who.Operator, s, reason)
}

// Names implements console.Lender.
func (p pages) Names(ctx context.Context, who console.Who, ids []gatehouse.SubjectID) (map[gatehouse.SubjectID]string, error) {
	return p.lend.As(who.Role).Names(ctx, who.Operator, ids)
}

// Status implements console.Vault.
func (p pages) Status(ctx context.Context) (console.VaultStatus, error) {
	st, err := p.vault.Status(ctx)
	return console.VaultStatus{Unsealed: !st.Sealed, Until: st.Until, Canary: st.Canary}, err
}

// Unseal implements console.Vault.
func (p pages) Unseal(ctx context.Context, who console.Who, passphrase []byte, d time.Duration) error {
	defer clear(passphrase)
	err := p.lend.As(who.Role).Unseal(ctx, who.Operator, passphrase, d)
	if err == nil {
		p.hub.VaultChanged()
	}
	return err
}

// Seal implements console.Vault.
func (p pages) Seal(ctx context.Context, _ console.Who) error {
	err := p.lend.Seal(ctx)
	p.hub.VaultChanged()
	return err
}

// Reasons implements console.Disclosures.
func (p pages) Reasons(ctx context.Context, who console.Who, list []gatehouse.Disclosure) error {
	return p.lend.Reasons(ctx, who.Operator, list)
}

// Disclosures implements console.Disclosures.
func (p pages) Disclosures(ctx context.Context, before gatehouse.ID, limit int) ([]gatehouse.Disclosure, error) {
	return p.vault.Disclosures(ctx, before, limit)
}
