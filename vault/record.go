package vault

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
)

// Record writes a disclosure of something that is not the vault's to open, for
// example pictures of the memory ring that a guard looks at. It is durable when
// Record returns nil, and works while the vault is sealed. Its purposes are those of
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
	now := time.Now()
	d.ID, d.At = gatehouse.NewID(now), now
	return nil, nil, s.audit.disclose(ctx, d, nil)
}
