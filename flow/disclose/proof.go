package disclose

import (
	"context"

	"gatehouse"
)

// WithProof lends the site's proof to another call of the vault that discloses: f is
// called with the operator as the log names them, and again with the next proof where
// one's time is over. It fails with vault.sealed while the vault is sealed.
func (d *Discloser) WithProof(ctx context.Context, operator string, f func(ctx context.Context, operator string, proof []byte) error) error {
	for {
		proof := d.proof()
		if proof == nil {
			return gatehouse.Errorf("vault.sealed", "unseal it on the live page or with `gatehouse unseal`", "the vault is sealed")
		}
		err := f(ctx, holder+"/"+operator, proof)
		switch gatehouse.ErrorCode(err) {
		case "vault.sealed", "vault.forbidden", "vault.unavailable": // the lease ran out, or the vault process started anew
			d.forget(proof)
			continue
		}
		return err
	}
}
