package disclose

import (
	"context"

	"gatehouse"
)

// Reasons opens the sealed reasons of a listing of disclosures, at most 200: that is a
// disclosure, too. What does not open (its day has expired) stays sealed. Errors:
// vault.sealed, and Open's.
func (d *Discloser) Reasons(ctx context.Context, operator string, list []gatehouse.Disclosure) error {
	var refs []gatehouse.SealedRef
	var of []int
	for i, x := range list {
		if x.ReasonSealed {
			refs, of = append(refs, gatehouse.SealedRef{Where: gatehouse.ReasonContext(d.Place, x.ID), Sealed: x.SealedReason}), append(of, i)
		}
	}
	if len(refs) == 0 {
		return nil
	}
	plain, sealed, err := d.open(ctx, operator, "audit", "", refs)
	if err != nil {
		return err
	}
	if sealed {
		return gatehouse.Errorf("vault.sealed", "unseal it on the live page or with `gatehouse unseal`", "the vault is sealed")
	}
	for i, p := range plain {
		if p != nil {
			list[of[i]].Reason, list[of[i]].ReasonSealed = string(p), false
			clear(p)
		}
	}
	return nil
}
