package api

import (
	"context"

	"gatehouse/api/wire"
)

// Desk is what people do at a vault with its credential in their hands. A site's Admin
// has it; for a site whose vault is on another machine, that machine does, and the
// site's own answers vault.elsewhere. Errors are those of Admin.
type Desk interface {
	Budget(ctx context.Context) (wire.Budget, error)
	SetBudget(ctx context.Context, r wire.BudgetSetRequest) (wire.Budget, error)
	Operators(ctx context.Context) (wire.OperatorsResponse, error)
	Operator(ctx context.Context, name string) (wire.Operator, error)
	AddOperator(ctx context.Context, r wire.OperatorRequest) (wire.OperatorsResponse, error)
	RemoveOperator(ctx context.Context, r wire.OperatorRequest) (wire.OperatorsResponse, error)
	PlantCanary(ctx context.Context, r wire.CanaryPlantRequest) (wire.CanaryPlantResponse, error)
	Canaries(ctx context.Context, r wire.CanariesRequest) (wire.CanariesResponse, error)
	CanaryStatus(ctx context.Context) (wire.CanaryStatus, error)
	KeysStatus(ctx context.Context) (wire.KeysStatus, error)
	AddSlot(ctx context.Context, r wire.AddSlotRequest) (wire.AddSlotResponse, error)
	RemoveSlot(ctx context.Context, id string, r wire.RemoveSlotRequest) error
	SplitKey(ctx context.Context, r wire.SplitRequest) (wire.SplitResponse, error)
	ExportKeys(ctx context.Context) (wire.ExportResponse, error)
}

var _ Desk = Admin(nil)
