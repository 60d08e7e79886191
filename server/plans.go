package server

import (
	"context"

	"gatehouse"
	"gatehouse/flow/plan"
)

// plans are the site's floor plans.
func (s *Server) plans() *plan.Plans {
	return plan.New(plan.Ports{Place: s.site.Place, Eyes: s.eyes, Store: planStore{s}, HasGate: func(id gatehouse.GateID) bool { _, ok := s.site.Gates[id]; return ok }})
}

// planStore is the store, and wakes what follows the log.
type planStore struct{ *Server }

// PutPlan implements gatehouse.PlanStore.
func (p planStore) PutPlan(ctx context.Context, one gatehouse.FloorPlan, leaf []byte) error {
	err := p.store.PutPlan(ctx, one, leaf)
	if err == nil {
		p.committed()
	}
	return err
}

// RemovePlan implements gatehouse.PlanStore.
func (p planStore) RemovePlan(ctx context.Context, place gatehouse.Place, id gatehouse.FloorPlanID, leaf []byte) error {
	err := p.store.RemovePlan(ctx, place, id, leaf)
	if err == nil {
		p.committed()
	}
	return err
}

// Plans implements gatehouse.PlanStore.
func (p planStore) Plans(ctx context.Context, place gatehouse.Place) ([]gatehouse.FloorPlan, error) {
	return p.store.Plans(ctx, place)
}

// PlanPicture implements gatehouse.PlanStore.
func (p planStore) PlanPicture(ctx context.Context, place gatehouse.Place, id gatehouse.FloorPlanID) ([]byte, error) {
	return p.store.PlanPicture(ctx, place, id)
}
