package vault

import (
	"context"

	"gatehouse"
	"gatehouse/internal/child"
)

// Desk is what people do at a vault with its credential in their hands, and what shows
// them the outcome: budgets, operators, canaries, the vault's own keys. A Vault has one;
// where the vault runs on a machine of its own, there is one there for each site, since
// the credential belongs nowhere else. Its calls from a gate elsewhere fail with
// vault.elsewhere.
type Desk struct{ call child.CallFunc }

// NewDesk returns the desk of the vault process that call reaches.
func NewDesk(call child.CallFunc) Desk { return Desk{call} }

// atDesk are the calls that a Desk makes.
var atDesk = map[string]bool{
	methodBudget: true, methodSetLimits: true, methodOperators: true, methodAddOperator: true, methodEndOperator: true,
	methodLetterbox: true, methodPlant: true, methodCanaries: true, methodTrip: true,
	methodKeysStatus: true, methodAddSlot: true, methodRemoveSlot: true, methodSplit: true, methodExport: true,
	methodPrepareRotation: true, methodRotate: true, methodRotateBatch: true,
}

// AtDesk reports whether a person at the vault's machine may have a call made. What
// brings files' keys or leases is that machine's own business.
func AtDesk(method string) error {
	if !atDesk[method] {
		return gatehouse.Errorf("request.unknown", "use the same version of the program", "the vault knows no such command")
	}
	return nil
}

// keyRequest begins the header of every call with a credential, whose secret is the
// first attachment.
type keyRequest struct {
	Operator string // who asks
	With     shown
}

// asked is for the requests that begin with it.
func (r keyRequest) asked() keyRequest { return r }

// credentialRequest is a request with one credential.
type credentialRequest interface{ asked() keyRequest }

func request(operator string, with gatehouse.Credential) keyRequest {
	return keyRequest{Operator: operator, With: show(with)}
}

// with calls a method with one credential.
func (d Desk) with(ctx context.Context, method string, header credentialRequest, with gatehouse.Credential, reply any) ([][]byte, error) {
	return callWith(ctx, d.call, method, header, []gatehouse.Credential{with}, nil, reply)
}
