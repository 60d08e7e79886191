package vault

import (
	"context"
	"crypto/sha256"

	"gatehouse"
	"gatehouse/vault/approval"
	"gatehouse/vault/budget"
)

// Budget says what an operator in a role may still have opened.
func (d Desk) Budget(ctx context.Context, operator, role string) (BudgetStatus, error) {
	var out BudgetStatus
	_, err := d.call(ctx, methodBudget, budgetRequest{Operator: operator, Role: role}, nil, &out)
	return out, err
}

// SetLimits sets the budgets, up or down; a number that is 0 stays as it is. with is
// the vault's credential. anew begins with no canaries, no operators and everything
// spent, which is the way out of vault.altered. Errors: budget.limit, vault.busy,
// vault.altered, and UnsealWith's about the credential.
func (d Desk) SetLimits(ctx context.Context, operator string, with gatehouse.Credential, l budget.Limits, anew bool) error {
	_, err := d.with(ctx, methodSetLimits, limitsRequest{keyRequest: request(operator, with), Limits: l, Anew: anew}, with, nil)
	return err
}

// Operators are those who can be told apart by a signature.
func (d Desk) Operators(ctx context.Context) ([]approval.Operator, error) {
	var out []approval.Operator
	_, err := d.call(ctx, methodOperators, nil, nil, &out)
	return out, err
}

// AddOperator registers an operator's public key; it needs the vault's credential and,
// once there are two operators, the agreement of one (approval.AddOperator, over
// o.Body()). Errors: operator.exists, operator.malformed, operator.too_many,
// operator.agreement, operator.signature, operator.young, vault.canary, and UnsealWith's
// about the credential.
func (d Desk) AddOperator(ctx context.Context, operator string, with gatehouse.Credential, o approval.Operator, by Agreement) error {
	_, err := d.with(ctx, methodAddOperator, by.of(request(operator, with), o), with, nil)
	return err
}

// RemoveOperator ends an operator; it needs the vault's credential and, once there are
// two, an operator's agreement (approval.EndOperator, over the Body of the name alone).
// Errors: operator.unknown, operator.needed, and AddOperator's.
func (d Desk) RemoveOperator(ctx context.Context, operator string, with gatehouse.Credential, name string, by Agreement) error {
	_, err := d.with(ctx, methodEndOperator, by.of(request(operator, with), approval.Operator{Name: name}), with, nil)
	return err
}

// Agreement is an operator's signature for a change of who the operators are.
type Agreement struct {
	Operator  string       // empty: none
	ID        gatehouse.ID // time-ordered, made when it was signed; it serves ten minutes
	Signature []byte
}

func (a Agreement) of(k keyRequest, subject approval.Operator) operatorRequest {
	return operatorRequest{keyRequest: k, Subject: subject, By: a.Operator, ID: a.ID, Signature: a.Signature}
}

// PlantCanary makes subjects, which were enrolled before like any others, and tokens
// canaries, at most 100 in one change; it needs the vault's credential. Errors:
// canary.operators, canary.label, canary.too_many, and UnsealWith's about the credential.
func (d Desk) PlantCanary(ctx context.Context, operator string, with gatehouse.Credential, c ...Canary) error {
	_, err := d.with(ctx, methodPlant, plantRequest{request(operator, with), c}, with, nil)
	return err
}

// Canaries lists them; it needs the vault's credential, since who knows them can step
// around them.
func (d Desk) Canaries(ctx context.Context, operator string, with gatehouse.Credential) ([]Canary, error) {
	var out []Canary
	_, err := d.with(ctx, methodCanaries, request(operator, with), with, &out)
	return out, err
}

// Tripped says whether a canary shut the vault, and who has agreed to lift it.
func (d Desk) Tripped(ctx context.Context) (TripStatus, error) {
	var out TripStatus
	_, err := d.call(ctx, methodTrip, nil, nil, &out)
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
