package server

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/flow/workingset"
)

// SetSecret implements api.SecretsAdmin.
func (a admin) SetSecret(ctx context.Context, name string, value gatehouse.Secret) error {
	if err := workingset.CheckSecret(name, value); err != nil {
		return err // before anything is written down
	}
	if err := a.vault.NoteKey(ctx, "secret set", name); err != nil {
		return err
	}
	return a.working.PutSecret(ctx, name, value, time.Now())
}

// Secrets implements api.SecretsAdmin.
func (a admin) Secrets(context.Context) (wire.SecretsResponse, error) {
	out := wire.SecretsResponse{Secrets: []wire.SecretName{}}
	for _, n := range a.working.SecretNames() {
		out.Secrets = append(out.Secrets, wire.SecretName(n))
	}
	return out, nil
}

// RemoveSecret implements api.SecretsAdmin.
func (a admin) RemoveSecret(ctx context.Context, name string) error {
	if _, ok := a.working.Secret(name); ok {
		if err := a.vault.NoteKey(ctx, "secret removed", name); err != nil {
			return err
		}
	}
	return a.working.RemoveSecret(ctx, name)
}
