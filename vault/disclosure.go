package vault

import (
	"context"
	"crypto/sha256"

	"gatehouse"
	"gatehouse/vault/approval"
	"gatehouse/vault/budget"
)

// Budget says what an operator in a role may still have opened.
func (v *Vault) Budget(ctx context.Context, operator, role string) (BudgetStatus, error) {
	var out BudgetStatus
	_, err := v.process.Call(ctx, methodBudget, budgetRequest{Operator: operator, Role: role}, nil, &out)
	return out, err
}

// SetLimits sets the budgets, up or down; it needs the vault's passphrase. anew
// begins with no canaries, no operators and everything spent, which is the way out of
// vault.altered. Errors: budget.limit, vault.passphrase, vault.busy, vault.altered.
func (v *Vault) SetLimits(ctx context.Context, operator, passphrase string, l budget.Limits, anew bool) error {
	return v.withPassphrase(ctx, methodSetLimits, limitsRequest{Operator: operator, Limits: l, Anew: anew}, passphrase, nil)
}

// Operators are those who can be told apart by a signature.
func (v *Vault) Operators(ctx context.Context) ([]approval.Operator, error) {
	var out []approval.Operator
	_, err := v.process.Call(ctx, methodOperators, nil, nil, &out)
	return out, err
}

// AddOperator registers an operator's public key; it needs the vault's passphrase.
// Errors: operator.exists, operator.malformed, operator.too_many, vault.passphrase.
func (v *Vault) AddOperator(ctx context.Context, passphrase string, o approval.Operator) error {
	return v.withPassphrase(ctx, methodAddOperator, operatorRequest{Subject: o}, passphrase, nil)
}

// RemoveOperator ends an operator; it needs the vault's passphrase. Errors:
// operator.unknown, operator.needed, vault.passphrase.
func (v *Vault) RemoveOperator(ctx context.Context, passphrase, name string) error {
	return v.withPassphrase(ctx, methodEndOperator, operatorRequest{Subject: approval.Operator{Name: name}}, passphrase, nil)
}

// PlantCanary makes a subject a canary before it is enrolled, or a token one; it needs
// the vault's passphrase. Errors: canary.operators, canary.label, canary.too_many,
// vault.passphrase.
func (v *Vault) PlantCanary(ctx context.Context, passphrase string, c Canary) error {
	return v.withPassphrase(ctx, methodPlant, plantRequest{Canary: c}, passphrase, nil)
}

// Canaries lists them; it needs the vault's passphrase, since who knows them can step
// around them.
func (v *Vault) Canaries(ctx context.Context, passphrase string) ([]Canary, error) {
	var out []Canary
	err := v.withPassphrase(ctx, methodCanaries, struct{}{}, passphrase, &out)
	return out, err
}

// Tripped says whether a canary shut the vault, and who has agreed to lift it.
func (v *Vault) Tripped(ctx context.Context) (TripStatus, error) {
	var out TripStatus
	_, err := v.process.Call(ctx, methodTrip, nil, nil, &out)
	return out, err
}

// LiftCanary adds an operator's signature (approval.LiftCanary, over the trip's id).
// With two of them the vault can be unsealed again. Errors: canary.none,
// operator.unknown, operator.signature.
func (v *Vault) LiftCanary(ctx context.Context, trip gatehouse.ID, operator string, signature []byte) (TripStatus, error) {
	var out TripStatus
	_, err := v.process.Call(ctx, methodLift, liftRequest{Trip: trip, Operator: operator}, [][]byte{signature}, &out)
	return out, err
}

// TokenDigest is what of a token reaches the vault.
func TokenDigest(token string) []byte {
	d := sha256.Sum256([]byte(token))
	return d[:]
}

// ShowToken tells the vault that somebody showed a token that is nobody's. It fails
// with vault.canary where it is a canary's: then the vault is shut.
func (v *Vault) ShowToken(ctx context.Context, token gatehouse.Secret, device gatehouse.DeviceID) error {
	_, err := v.process.Call(ctx, methodToken, tokenRequest{Digest: TokenDigest(token.Reveal()), Device: string(device)}, nil, nil)
	return err
}

// Alarms are the vault's alarms that nobody has taken over, the oldest first.
func (v *Vault) Alarms(ctx context.Context) ([]PendingAlarm, error) {
	var out []PendingAlarm
	_, err := v.process.Call(ctx, methodAlarms, nil, nil, &out)
	return out, err
}

// AlarmsTaken says that the caller keeps the alarms up to n until they are delivered.
func (v *Vault) AlarmsTaken(ctx context.Context, n int64) error {
	_, err := v.process.Call(ctx, methodTaken, n, nil, nil)
	return err
}

func (v *Vault) withPassphrase(ctx context.Context, method string, header any, passphrase string, reply any) error {
	_, err := v.process.Call(ctx, method, header, [][]byte{[]byte(passphrase)}, reply)
	return err
}
