package vault

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
)

// Record writes a disclosure of something that is not the vault's to open, for
// example pictures of the memory ring that a guard looks at. It is durable when
// Record returns nil, and works while the vault is sealed. It costs no budget: the
// vault cannot hold back what the server has. Its purposes are those of
// Open, and "unseal" for the unsealing itself. The vault sets id and
// time itself. Errors: vault.operator, vault.purpose, vault.reason, vault.too_many,
// vault.unavailable, vault.timeout, and the store's.
func (v *Vault) Record(ctx context.Context, d gatehouse.Disclosure) error {
	_, err := v.process.Call(ctx, methodRecord, d, nil, nil)
	return err
}

func (s *service) handleRecord(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var d gatehouse.Disclosure
	if err := r.Decode(&d); err != nil {
		return nil, nil, err
	}
	if err := checkDisclosure(recorded, d.Operator, d.Purpose, d.Reason, len(d.Items)); err != nil {
		return nil, nil, err
	}
	if err := checkRole(d.Role); err != nil {
		return nil, nil, err
	}
	now := time.Now()
	d.ID, d.At = gatehouse.NewID(now), now
	if d.Purpose != purposeLive {
		return nil, nil, s.audit.note(ctx, d, nil)
	}
	items := make([]item, len(d.Items))
	for i, name := range d.Items {
		items[i] = item{name: name, units: 1}
	}
	return nil, nil, s.guard.liveTogether(ctx, d, items)
}
