package server

import (
	"context"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
	"gatehouse/auth"
	"gatehouse/vault"
	"gatehouse/vault/approval"
	"gatehouse/vault/budget"
)

// desk is api.Desk over the desk of a vault, but for planting canaries, which is done
// differently at a site and at a vault's machine.
type desk struct {
	at       vault.Desk
	operator string // in whose name it asks
	lessee   string // whose budget it shows
}

// machineDesk is api.Desk at a vault's machine.
type machineDesk struct{ desk }

var _ api.Desk = machineDesk{}

// MachineDesk is what people do at a vault's machine for one of its sites.
func MachineDesk(v vault.Desk) api.Desk {
	return machineDesk{desk{at: v, operator: "vault-machine", lessee: "site/vault-machine"}}
}

// PlantCanary implements api.Desk. The subjects are enrolled at their site, which this
// machine cannot look up: it takes their word.
func (d machineDesk) PlantCanary(ctx context.Context, r wire.CanaryPlantRequest) (wire.CanaryPlantResponse, error) {
	if len(r.Subjects) == 0 {
		out := wire.CanaryPlantResponse{Planted: 1, Token: auth.NewToken()}
		return out, d.at.PlantCanary(ctx, d.operator, r.With.Credential(), vault.Canary{Kind: tokenKind, Label: r.Note, Digest: vault.TokenDigest(out.Token)})
	}
	var all []vault.Canary
	for _, id := range r.Subjects {
		all = append(all, vault.Canary{Subject: id, Kind: string(gatehouse.PersonSubject), Label: r.Note})
	}
	return wire.CanaryPlantResponse{Planted: len(all)}, d.at.PlantCanary(ctx, d.operator, r.With.Credential(), all...)
}

func limitsOf(l wire.Limits) budget.Limits {
	return budget.Limits{Operator: budget.Limit(l.Operator), Role: budget.Limit(l.Role), Organization: budget.Limit(l.Organization), Live: budget.Limit(l.Live)}
}

func wireLimits(l budget.Limits) wire.Limits {
	return wire.Limits{Operator: wire.Limit(l.Operator), Role: wire.Limit(l.Role), Organization: wire.Limit(l.Organization), Live: wire.Limit(l.Live)}
}

// Budget implements api.Desk.
func (d desk) Budget(ctx context.Context) (wire.Budget, error) {
	st, err := d.at.Budget(ctx, d.lessee, "")
	out := wire.Budget{Known: st.Known, Set: wireLimits(st.Set), Limits: wireLimits(st.Limits)}
	for _, l := range st.Left {
		out.Left = append(out.Left, wire.BudgetLeft{Scope: string(l.Scope), Window: string(l.Window), Units: l.Units})
	}
	return out, err
}

// SetBudget implements api.Desk.
func (d desk) SetBudget(ctx context.Context, r wire.BudgetSetRequest) (wire.Budget, error) {
	if err := d.at.SetLimits(ctx, d.operator, r.With.Credential(), limitsOf(r.Limits), r.Anew); err != nil {
		return wire.Budget{}, err
	}
	return d.Budget(ctx)
}

// Operators implements api.Desk.
func (d desk) Operators(ctx context.Context) (wire.OperatorsResponse, error) {
	out := wire.OperatorsResponse{Operators: []wire.ListedOperator{}}
	st, err := d.at.Tripped(ctx)
	if err != nil {
		return out, err
	}
	out.Vault = st.PublicKey
	list, err := d.at.Operators(ctx)
	for _, o := range list {
		out.Operators = append(out.Operators, wire.ListedOperator{Name: o.Name})
	}
	return out, err
}

// Operator implements api.Desk.
func (d desk) Operator(ctx context.Context, name string) (wire.Operator, error) {
	list, err := d.at.Operators(ctx)
	for _, o := range list {
		if o.Name == name {
			return wire.Operator{Name: o.Name, Salt: o.Salt, Work: o.Work, Public: o.Public}, nil
		}
	}
	if err == nil {
		err = gatehouse.Errorf("operator.unknown", "`gatehouse operator list` shows who there is", "there is no such operator")
	}
	return wire.Operator{}, err
}

func agreement(r wire.SignedRequest) vault.Agreement {
	return vault.Agreement{Operator: r.Operator, ID: r.ID, Signature: r.Signature}
}

// AddOperator implements api.Desk.
func (d desk) AddOperator(ctx context.Context, r wire.OperatorRequest) (wire.OperatorsResponse, error) {
	o := approval.Operator{Name: r.Operator.Name, Salt: r.Operator.Salt, Work: r.Operator.Work, Public: r.Operator.Public}
	if err := d.at.AddOperator(ctx, d.operator, r.With.Credential(), o, agreement(r.Agreed)); err != nil {
		return wire.OperatorsResponse{}, err
	}
	return d.Operators(ctx)
}

// RemoveOperator implements api.Desk.
func (d desk) RemoveOperator(ctx context.Context, r wire.OperatorRequest) (wire.OperatorsResponse, error) {
	if err := d.at.RemoveOperator(ctx, d.operator, r.With.Credential(), r.Operator.Name, agreement(r.Agreed)); err != nil {
		return wire.OperatorsResponse{}, err
	}
	return d.Operators(ctx)
}

// Canaries implements api.Desk.
func (d desk) Canaries(ctx context.Context, r wire.CanariesRequest) (wire.CanariesResponse, error) {
	list, err := d.at.Canaries(ctx, d.operator, r.With.Credential())
	out := wire.CanariesResponse{Canaries: []wire.Canary{}}
	for _, c := range list {
		out.Canaries = append(out.Canaries, wire.Canary{Kind: c.Kind, Subject: c.Subject, Note: c.Label, Planted: c.Planted})
	}
	return out, err
}

func canaryStatus(t vault.TripStatus) wire.CanaryStatus {
	return wire.CanaryStatus{Shut: !t.Trip.IsZero(), Trip: t.Trip, At: t.At, Operator: t.Operator, Purpose: t.Purpose, Device: t.Device, Lifted: t.Lifted, Vault: t.PublicKey}
}

// CanaryStatus implements api.Desk.
func (d desk) CanaryStatus(ctx context.Context) (wire.CanaryStatus, error) {
	t, err := d.at.Tripped(ctx)
	return canaryStatus(t), err
}

// KeysStatus implements api.Desk.
func (d desk) KeysStatus(ctx context.Context) (wire.KeysStatus, error) {
	st, err := d.at.KeysStatus(ctx)
	out := wire.KeysStatus{Current: st.Current, Keys: []wire.Key{}}
	for _, k := range st.Keys {
		key := wire.Key{Name: k.Name, Created: k.Created, Retired: k.Retired, Chains: k.Chains, Slots: []wire.Slot{}}
		for _, slot := range k.Slots {
			key.Slots = append(key.Slots, wire.Slot(slot))
		}
		out.Keys = append(out.Keys, key)
	}
	return out, err
}

// AddSlot implements api.Desk.
func (d desk) AddSlot(ctx context.Context, r wire.AddSlotRequest) (wire.AddSlotResponse, error) {
	id, err := d.at.AddSlot(ctx, d.operator, r.With.Credential(), r.New.Credential(), r.Label)
	return wire.AddSlotResponse{Slot: id}, err
}

// RemoveSlot implements api.Desk.
func (d desk) RemoveSlot(ctx context.Context, id string, r wire.RemoveSlotRequest) error {
	return d.at.RemoveSlot(ctx, d.operator, r.With.Credential(), id)
}

// SplitKey implements api.Desk.
func (d desk) SplitKey(ctx context.Context, r wire.SplitRequest) (wire.SplitResponse, error) {
	texts, err := d.at.Split(ctx, d.operator, r.With.Credential(), r.Threshold, r.Shares)
	var out wire.SplitResponse
	for _, text := range texts {
		out.Shares = append(out.Shares, text.Reveal())
	}
	return out, err
}

// ExportKeys implements api.Desk.
func (d desk) ExportKeys(ctx context.Context) (wire.ExportResponse, error) {
	b, err := d.at.Export(ctx)
	return wire.ExportResponse{Bundle: b}, err
}
