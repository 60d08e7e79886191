package api

import (
	"context"
	"io"
	"net/http"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
)

// DisclosureAdmin controls what may be disclosed. What changes it carries the vault's
// credential (vault.passphrase, vault.credential, vault.no_slot) or operators'
// signatures, which the vault process checks itself.
type DisclosureAdmin interface {
	Budget(ctx context.Context) (wire.Budget, error)
	// SetBudget: budget.limit, budget.sound, vault.altered, vault.canary.
	SetBudget(ctx context.Context, r wire.BudgetSetRequest) (wire.Budget, error)
	// Reasons lists disclosures with their reasons: vault.sealed, vault.budget.
	Reasons(ctx context.Context, r wire.ReasonsRequest) (wire.ReasonsResponse, error)
	Operators(ctx context.Context) (wire.OperatorsResponse, error)
	// Operator gives what it takes to sign as one: operator.unknown.
	Operator(ctx context.Context, name string) (wire.Operator, error)
	// AddOperator: operator.exists, operator.malformed, operator.agreement,
	// operator.signature, operator.young, vault.canary.
	AddOperator(ctx context.Context, r wire.OperatorRequest) (wire.OperatorsResponse, error)
	// RemoveOperator: operator.unknown, operator.needed, and AddOperator's.
	RemoveOperator(ctx context.Context, r wire.OperatorRequest) (wire.OperatorsResponse, error)
	// SpareCanary enrols somebody made up: the codes of an enrolment.
	SpareCanary(ctx context.Context, r wire.CanarySpareRequest) (wire.CanarySpareResponse, error)
	// PlantCanary: canary.operators, canary.label, store.not_found.
	PlantCanary(ctx context.Context, r wire.CanaryPlantRequest) (wire.CanaryPlantResponse, error)
	Canaries(ctx context.Context, r wire.CanariesRequest) (wire.CanariesResponse, error)
	CanaryStatus(ctx context.Context) (wire.CanaryStatus, error)
	// LiftCanary: canary.none, canary.involved, operator.unknown, operator.signature,
	// operator.young.
	LiftCanary(ctx context.Context, r wire.SignedRequest) (wire.CanaryStatus, error)
	// PlanRelease: release.items, store.not_found.
	PlanRelease(ctx context.Context, r wire.ReleasePlanRequest) (wire.ReleasePlan, error)
	// PlanPayFile: wages.unknown, wages.no_slip where the run has none.
	PlanPayFile(ctx context.Context, r wire.PayFilePlan) (wire.ReleasePlan, error)
	// RequestRelease: the vault's release.* and operator.* codes.
	RequestRelease(ctx context.Context, r wire.ReleaseRequest) (wire.Release, error)
	Releases(ctx context.Context) (wire.ReleasesResponse, error)
	// Release gives one with what was signed: release.unknown.
	Release(ctx context.Context, id gatehouse.ID) (wire.Release, error)
	ApproveRelease(ctx context.Context, r wire.SignedRequest) (wire.Release, error)
	// WriteRelease writes the encrypted file: release.not_approved, release.expired,
	// release.written (without again), vault.sealed, vault.canary.
	WriteRelease(ctx context.Context, id gatehouse.ID, again bool, w io.Writer) error
	// TestAlarm sends an alarm that says that it is a test.
	TestAlarm(ctx context.Context) error
}

func (a *API) disclosureRoutes() []auth.Route {
	on := func(pattern string, h http.HandlerFunc) auth.Route {
		return auth.Route{Pattern: pattern, Policy: auth.OnSocket, Handler: h}
	}
	return []auth.Route{
		on("GET /admin/v1/budget", func(w http.ResponseWriter, r *http.Request) { tell(a, w, r, http.StatusOK, a.o.Admin.Budget) }),
		on("POST /admin/v1/budget", func(w http.ResponseWriter, r *http.Request) { carry(a, w, r, http.StatusOK, a.o.Admin.SetBudget) }),
		on("GET /admin/v1/operators", func(w http.ResponseWriter, r *http.Request) { tell(a, w, r, http.StatusOK, a.o.Admin.Operators) }),
		on("POST /admin/v1/operators", func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusCreated, a.o.Admin.AddOperator)
		}),
		on("POST /admin/v1/operators/remove", func(w http.ResponseWriter, r *http.Request) { carry(a, w, r, http.StatusOK, a.o.Admin.RemoveOperator) }),
		on("POST /admin/v1/audit/reasons", func(w http.ResponseWriter, r *http.Request) { carry(a, w, r, http.StatusOK, a.o.Admin.Reasons) }),
		on("GET /admin/v1/operators/{name}", func(w http.ResponseWriter, r *http.Request) {
			tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.Operator, error) { return a.o.Admin.Operator(ctx, r.PathValue("name")) })
		}),
		on("POST /admin/v1/canaries/spare", func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusCreated, a.o.Admin.SpareCanary)
		}),
		on("POST /admin/v1/canaries", func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusCreated, a.o.Admin.PlantCanary)
		}),
		on("POST /admin/v1/canaries/list", func(w http.ResponseWriter, r *http.Request) { carry(a, w, r, http.StatusOK, a.o.Admin.Canaries) }),
		on("GET /admin/v1/canaries/status", func(w http.ResponseWriter, r *http.Request) { tell(a, w, r, http.StatusOK, a.o.Admin.CanaryStatus) }),
		on("POST /admin/v1/canaries/lift", func(w http.ResponseWriter, r *http.Request) { carry(a, w, r, http.StatusOK, a.o.Admin.LiftCanary) }),
		on("POST /admin/v1/releases/plan", func(w http.ResponseWriter, r *http.Request) { carry(a, w, r, http.StatusOK, a.o.Admin.PlanRelease) }),
		on("POST /admin/v1/releases/pay", func(w http.ResponseWriter, r *http.Request) { carry(a, w, r, http.StatusOK, a.o.Admin.PlanPayFile) }),
		on("POST /admin/v1/releases", func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusCreated, a.o.Admin.RequestRelease)
		}),
		on("GET /admin/v1/releases", func(w http.ResponseWriter, r *http.Request) { tell(a, w, r, http.StatusOK, a.o.Admin.Releases) }),
		on("GET /admin/v1/releases/{id}", a.release),
		on("POST /admin/v1/releases/approve", func(w http.ResponseWriter, r *http.Request) { carry(a, w, r, http.StatusOK, a.o.Admin.ApproveRelease) }),
		on("POST /admin/v1/releases/{id}/write", a.writeRelease),
		on("POST /admin/v1/alarms/test", func(w http.ResponseWriter, r *http.Request) {
			tell(a, w, r, http.StatusOK, func(ctx context.Context) (struct{}, error) { return struct{}{}, a.o.Admin.TestAlarm(ctx) })
		}),
	}
}

func (a *API) release(w http.ResponseWriter, r *http.Request) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.Release, error) { return a.o.Admin.Release(ctx, id) })
}

// begun writes a response's status with its first byte, so that what fails before is
// still told as a problem.
type begun struct {
	http.ResponseWriter
	any bool
}

func (b *begun) Write(p []byte) (int, error) {
	if !b.any && len(p) > 0 {
		b.Header().Set("Content-Type", "application/octet-stream")
		b.Header().Set("Cache-Control", "no-store")
		b.any = true
	}
	return b.ResponseWriter.Write(p)
}

// writeRelease streams the encrypted file. One that fails half-way breaks the
// connection off: nothing that looks whole arrives.
func (a *API) writeRelease(w http.ResponseWriter, r *http.Request) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	out := &begun{ResponseWriter: w}
	if err == nil {
		err = a.o.Admin.WriteRelease(r.Context(), id, r.URL.Query().Get("again") == "1", out)
	}
	switch {
	case err != nil && out.any:
		a.o.Log.Error("a release broke off", "release", id, "code", code(err))
		panic(http.ErrAbortHandler)
	case err != nil:
		a.fail(w, r, err)
	}
}
