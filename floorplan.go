package gatehouse

import (
	"context"
	"time"
)

// FloorPlanID names a floor plan, as CheckName has it.
type FloorPlanID string

// FloorPlan is a picture of a floor or a yard, and where the gates are on it. It is metadata.
type FloorPlan struct {
	Place
	ID            FloorPlanID
	Title         string // for people; at most MaxTitle characters
	Picture       []byte // a JPEG that the vision process made; nil in lists
	Width, Height int    // of what was uploaded, in pixels: the form of the picture
	Spots         map[GateID]Spot
}

// Spot is a place on a plan, in thousandths of its width and height from the top left.
type Spot struct{ X, Y int }

// PlanStore keeps floor plans.
type PlanStore interface {
	// PutPlan makes or replaces a plan, with its leaf, in one transaction. Without a
	// Picture the one that is there stays; it fails with store.not_found where there is none.
	PutPlan(ctx context.Context, p FloorPlan, leaf []byte) error
	// RemovePlan fails with store.not_found.
	RemovePlan(ctx context.Context, place Place, id FloorPlanID, leaf []byte) error
	// Plans lists them by id, without their pictures.
	Plans(ctx context.Context, place Place) ([]FloorPlan, error)
	// PlanPicture fails with store.not_found.
	PlanPicture(ctx context.Context, place Place, id FloorPlanID) ([]byte, error)
}

// PlanLeaf records a change of a floor plan: event is "put" or "removed".
func PlanLeaf(at time.Time, p FloorPlan, event, by string) []byte {
	return leaf(PlanLeafKind, at, []byte(event), []byte(p.Org), []byte(p.Site), []byte(p.ID), []byte(by), digest(p.Picture))
}
