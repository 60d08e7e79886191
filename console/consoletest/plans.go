package consoletest

import (
	"bytes"
	"context"
	"image"
	_ "image/jpeg" // what tests upload
	_ "image/png"
	"slices"
	"strings"
	"sync"

	"gatehouse"
	"gatehouse/flow/plan"
)

// planStore keeps floor plans in memory.
type planStore struct {
	mu  sync.Mutex
	all []gatehouse.FloorPlan
}

func (s *planStore) PutPlan(_ context.Context, p gatehouse.FloorPlan, _ []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.all, func(o gatehouse.FloorPlan) bool { return o.ID == p.ID })
	switch {
	case i < 0 && p.Picture == nil:
		return gatehouse.Errorf("store.not_found", "", "there is no such plan here")
	case i < 0:
		s.all = append(s.all, p)
	case p.Picture == nil:
		p.Picture, p.Width, p.Height = s.all[i].Picture, s.all[i].Width, s.all[i].Height
		s.all[i] = p
	default:
		s.all[i] = p
	}
	slices.SortFunc(s.all, func(a, b gatehouse.FloorPlan) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return nil
}

func (s *planStore) RemovePlan(_ context.Context, _ gatehouse.Place, id gatehouse.FloorPlanID, _ []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.all)
	if s.all = slices.DeleteFunc(s.all, func(o gatehouse.FloorPlan) bool { return o.ID == id }); len(s.all) == n {
		return gatehouse.Errorf("store.not_found", "", "there is no such plan here")
	}
	return nil
}

func (s *planStore) Plans(context.Context, gatehouse.Place) ([]gatehouse.FloorPlan, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.all), nil
}

func (s *planStore) PlanPicture(_ context.Context, _ gatehouse.Place, id gatehouse.FloorPlanID) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.all {
		if p.ID == id {
			return p.Picture, nil
		}
	}
	return nil, gatehouse.Errorf("store.not_found", "", "there is no such plan here")
}

// draughtsman sees how large a picture is, and gives another one of that form.
type draughtsman struct{}

func (draughtsman) See(_ context.Context, img gatehouse.Image, _ gatehouse.Look) (gatehouse.Observation, error) {
	c, _, err := image.DecodeConfig(bytes.NewReader(img.Bytes))
	if err != nil {
		return gatehouse.Observation{}, gatehouse.Errorf("image.type", "send a JPEG or PNG picture", "these bytes are neither JPEG nor PNG")
	}
	return gatehouse.Observation{Width: c.Width, Height: c.Height, Still: Picture(c.Width, c.Height, 40).JPEG}, nil
}

func (s *Site) openPlans() {
	s.Plans = plan.New(plan.Ports{Place: Place, Eyes: draughtsman{}, Store: &planStore{}, Now: s.now, HasGate: func(id gatehouse.GateID) bool { return id == "front-door" || id == "car-park" }})
}
