// Package plan is the verb of floor plans: a picture is taken, made anew by the vision
// process, and gates are placed on it. What somebody uploaded is never kept or served.
package plan

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"gatehouse"
)

// Ports are what floor plans need of the rest.
type Ports struct {
	Place   gatehouse.Place
	Eyes    gatehouse.Eyes
	Store   gatehouse.PlanStore
	HasGate func(gatehouse.GateID) bool
	Now     func() time.Time
}

// Plans are a site's floor plans. All methods are safe for concurrent use.
type Plans struct{ p Ports }

// New returns the plans over their ports.
func New(p Ports) *Plans {
	if p.Now == nil {
		p.Now = time.Now
	}
	return &Plans{p}
}

// The bounds of what is kept.
const (
	maxPlans = 50
	// MaxPicture is the largest picture that is taken, in bytes.
	MaxPicture = 20 << 20
)

// Draw makes a plan of a picture, or gives one another picture; gates stay where they
// are. Errors: plan.name, plan.title, plan.too_many, image.*, vision.unavailable.
func (x *Plans) Draw(ctx context.Context, by string, id gatehouse.FloorPlanID, title string, picture []byte) error {
	title = strings.TrimSpace(title)
	bad := func(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError }
	switch {
	case gatehouse.CheckName(string(id)) != nil:
		return gatehouse.Errorf("plan.name", "use 1 to 40 lower-case letters, digits and hyphens: ground-floor", "this cannot name a plan")
	case title == "" || utf8.RuneCountInString(title) > gatehouse.MaxTitle || strings.ContainsFunc(title, bad):
		return gatehouse.Errorf("plan.title", fmt.Sprintf("use 1 to %d characters", gatehouse.MaxTitle), "this is no title")
	case len(picture) > MaxPicture:
		return gatehouse.Errorf("image.too_big", "send at most 20 MiB", "the picture is too big")
	}
	all, err := x.p.Store.Plans(ctx, x.p.Place)
	if err != nil {
		return err
	}
	p := gatehouse.FloorPlan{Place: x.p.Place, ID: id, Title: title}
	for _, there := range all {
		if there.ID == id {
			p.Spots = there.Spots
		}
	}
	if p.Spots == nil && len(all) >= maxPlans {
		return gatehouse.Errorf("plan.too_many", "remove one first", "there are %d plans already", maxPlans)
	}
	o, err := x.p.Eyes.See(ctx, gatehouse.Image{Format: formatOf(picture), Bytes: picture}, gatehouse.Look{Still: true, Large: true})
	if err != nil {
		return err
	}
	p.Picture, p.Width, p.Height = o.Still, o.Width, o.Height
	return x.p.Store.PutPlan(ctx, p, gatehouse.PlanLeaf(x.p.Now().UTC(), p, "put", by))
}

// formatOf says what the first bytes are; what is neither is refused where it is decoded.
func formatOf(b []byte) gatehouse.ImageFormat {
	if bytes.HasPrefix(b, []byte("\x89PNG")) {
		return gatehouse.PNG
	}
	return gatehouse.JPEG
}

// Arrange places the gates on a plan; those that are not named are not on it. Errors:
// plan.spot, store.not_found.
func (x *Plans) Arrange(ctx context.Context, by string, id gatehouse.FloorPlanID, spots map[gatehouse.GateID]gatehouse.Spot) error {
	p, err := x.find(ctx, id)
	if err != nil {
		return err
	}
	for gate, s := range spots {
		if !x.p.HasGate(gate) || s.X < 0 || s.X > 1000 || s.Y < 0 || s.Y > 1000 {
			return gatehouse.Errorf("plan.spot", "a spot lies between 0 and 100 % of the picture", "a gate cannot be placed there")
		}
	}
	p.Spots = spots
	return x.p.Store.PutPlan(ctx, p, gatehouse.PlanLeaf(x.p.Now().UTC(), p, "put", by))
}

// Remove forgets a plan. Errors: store.not_found.
func (x *Plans) Remove(ctx context.Context, by string, id gatehouse.FloorPlanID) error {
	return x.p.Store.RemovePlan(ctx, x.p.Place, id, gatehouse.PlanLeaf(x.p.Now().UTC(), gatehouse.FloorPlan{Place: x.p.Place, ID: id}, "removed", by))
}

// List gives the plans, by id, without their pictures.
func (x *Plans) List(ctx context.Context) ([]gatehouse.FloorPlan, error) {
	return x.p.Store.Plans(ctx, x.p.Place)
}

// Picture is a plan's, a JPEG. Errors: store.not_found.
func (x *Plans) Picture(ctx context.Context, id gatehouse.FloorPlanID) ([]byte, error) {
	return x.p.Store.PlanPicture(ctx, x.p.Place, id)
}

func (x *Plans) find(ctx context.Context, id gatehouse.FloorPlanID) (gatehouse.FloorPlan, error) {
	all, err := x.p.Store.Plans(ctx, x.p.Place)
	for _, p := range all {
		if p.ID == id {
			return p, err
		}
	}
	if err == nil {
		err = gatehouse.Errorf("store.not_found", "look at the list again", "there is no such plan")
	}
	return gatehouse.FloorPlan{}, err
}
