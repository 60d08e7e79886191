package server

import (
	"context"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/flow/follow"
	"gatehouse/flow/inform"
	"gatehouse/flow/stay"
	"gatehouse/tariff"
)

// openStays reads the stays of the site's car parks.
func (s *Server) openStays(ctx context.Context) (err error) {
	var parks []gatehouse.CarPark
	for _, c := range s.config.Parking {
		parks = append(parks, c.carPark())
	}
	s.stays, err = stay.Load(ctx, stay.Ports{Place: s.site.Place, Location: s.site.Location, CarParks: parks, Store: s.store, Passages: s.store, Newest: s.store.Newest,
		Working: s.working, Sealer: s.vault, Books: s.stayBooks(), Passes: s.books, ReadTariff: ReadTariff, Alarm: s.plateTwice, Tailgated: s.tailgated, Log: s.log})
	if err != nil {
		return err
	}
	for _, c := range parks {
		if c.Tariff != "" && !s.stays.HasTariff(c.Tariff) {
			s.log.Warn("a car park has no tariff yet; nothing is charged", "car_park", c.ID, "tariff", c.Tariff)
		}
	}
	return nil
}

// stayBooks are the books that stays are charged in.
func (s *Server) stayBooks() gatehouse.StayBooks { return s.books }

// ReadTariff reads a tariff's file: parking.tariff with all that is wrong with it.
func ReadTariff(body []byte) (gatehouse.Tariff, error) {
	t, problems := tariff.Read(body)
	if len(problems) == 0 {
		return t, nil
	}
	var all []string
	for _, p := range problems[:min(len(problems), 5)] {
		all = append(all, p.String())
	}
	return t, gatehouse.Errorf("parking.tariff", "`gatehouse tariff check FILE` names every problem", "the tariff cannot be used: %s", strings.Join(all, "; "))
}

// followStays makes stays of what is committed, at once, and tidies up every minute.
func (s *Server) followStays(ctx context.Context) {
	if s.stays.None() {
		return
	}
	// What was committed before the start is followed first: until then a mark belongs to no
	// stay yet, and would be tidied away.
	for {
		_, err := follow.CatchUp(ctx, s.store, s.stays)
		if err == nil || ctx.Err() != nil {
			break
		}
		s.log.Warn("stays do not follow the lanes; it is tried again", "code", gatehouse.ErrorCode(err))
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
	s.wait.Go(func() { s.tidyStays(ctx) })
	follow.Run(ctx, s.store, s.stays, time.Second, s.staysWake, func(err error) {
		if err != nil {
			s.log.Warn("stays do not follow the lanes; it is tried again", "code", gatehouse.ErrorCode(err))
		}
	})
}

func (s *Server) tidyStays(ctx context.Context) {
	beat := time.NewTicker(time.Minute)
	defer beat.Stop()
	for {
		if err := s.stays.Tidy(ctx); err != nil && ctx.Err() == nil {
			s.log.Warn("stays cannot be tidied up; it is tried again", "code", gatehouse.ErrorCode(err))
		}
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
		}
	}
}

// forgetStays follows an erasure.
func (s *Server) forgetStays() {
	if s.stays == nil {
		return // an interrupted erasure is finished at the start
	}
	if err := s.stays.Forget(context.Background()); err != nil {
		s.log.Error("stays cannot be read again after an erasure", "code", gatehouse.ErrorCode(err))
	}
}

// plateTwice raises an alarm about a plate that came in while it is inside.
func (s *Server) plateTwice(ctx context.Context, gate gatehouse.GateID) {
	s.laneAlarm(ctx, gatehouse.PlateAlarm, gate)
}

// tailgated raises one about a vehicle that passed behind another.
func (s *Server) tailgated(ctx context.Context, gate gatehouse.GateID) {
	s.laneAlarm(ctx, gatehouse.TailgateAlarm, gate)
}

func (s *Server) laneAlarm(ctx context.Context, kind gatehouse.AlarmKind, gate gatehouse.GateID) {
	now := time.Now()
	if err := s.raise(ctx, gatehouse.Alarm{ID: gatehouse.NewID(now), At: now.UTC(), Kind: kind, Gate: gate}); err != nil {
		s.log.Error("an alarm cannot be kept", "gate", gate, "code", gatehouse.ErrorCode(err))
	}
}

// heldParking finds what car parks hold of somebody; nil where the site has none.
func (s *Server) heldParking() inform.Parking {
	if s.stays.None() {
		return nil
	}
	return s.stays
}
