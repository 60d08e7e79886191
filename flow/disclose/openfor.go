package disclose

import (
	"context"

	"gatehouse"
)

// OpenFor opens sealed values for another verb, in one disclosure: purpose and reason are
// what the log says, and the order is that of the refs; nil for what is gone. Errors:
// vault.sealed, vault.reason where none is given, and Open's.
func (d *Discloser) OpenFor(ctx context.Context, operator, purpose, reason string, refs []gatehouse.SealedRef) ([][]byte, error) {
	if reason == "" {
		return nil, gatehouse.Errorf("vault.reason", "say in a few words why", "this needs a reason")
	}
	plain, sealed, err := d.open(ctx, operator, purpose, reason, refs)
	if sealed && err == nil {
		return nil, gatehouse.Errorf("vault.sealed", "unseal it on the live page or with `gatehouse unseal`", "the vault is sealed")
	}
	return plain, err
}
