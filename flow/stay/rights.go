package stay

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"gatehouse"
	"gatehouse/rules/parking"
)

// The bounds of what is kept.
const (
	maxName     = 80
	maxUses     = 100_000
	maxRights   = 100_000
	maxSpaces   = 100_000
	maxValidity = 10 * 366 * 24 * time.Hour
	// maxGiven bounds the validations of a stay; the tariff says how many of them count.
	maxGiven = 20
)

func wrongRight(format string, args ...any) error {
	return gatehouse.Errorf("parking.right", "see docs/parking.md", format, args...)
}

// plainName checks a name that people read. It is kept in the open, so it names no person.
func plainName(s string) bool {
	n := utf8.RuneCountInString(s)
	return n > 0 && n <= maxName && strings.TrimSpace(s) == s && !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) || r == utf8.RuneError })
}

// PutPass keeps a vehicle's pass; one without an id is new. Errors: parking.right,
// parking.vehicle, parking.too_many.
func (s *Stays) PutPass(ctx context.Context, vehicle gatehouse.SubjectID, p gatehouse.Pass, by string) (gatehouse.Pass, error) {
	switch {
	case !plainName(p.Name):
		return p, wrongRight("a pass has a name of 1 to %d characters", maxName)
	case p.Kind != gatehouse.SeasonPass && p.Kind != gatehouse.UsesPass && p.Kind != gatehouse.ExitPass && p.Kind != gatehouse.ValuePass:
		return p, wrongRight("a pass is season, uses, exit or value")
	case p.Kind == gatehouse.ValuePass && (!knownCurrency(p.Value.Currency) || p.Value.Minor != 0):
		return p, wrongRight("a pass of value has a currency, and its money is put on it by an order")
	case p.Kind != gatehouse.SeasonPass && p.Price != (gatehouse.Money{}):
		return p, wrongRight("only a season pass has a price for another month")
	case p.Price != (gatehouse.Money{}) && (!knownCurrency(p.Price.Currency) || p.Price.Minor <= 0 || p.Price.Minor > maxTopUp) || p.Tax < 0 || p.Tax > 10_000:
		return p, wrongRight("a price is more than nothing, and its tax 0 to 100 per cent")
	case p.From.IsZero() || p.Kind == gatehouse.SeasonPass && p.Until.IsZero() || !p.Until.IsZero() && !p.Until.After(p.From) || p.Until.Sub(p.From) > maxValidity && !p.Until.IsZero():
		return p, wrongRight("a pass begins before it ends, within ten years")
	case p.Kind == gatehouse.UsesPass && (p.Uses < 1 || p.Uses > maxUses):
		return p, wrongRight("a pass of uses has 1 to %d of them", maxUses)
	}
	if err := s.checkOf(vehicle, p.Classes); err != nil {
		return p, err
	}
	s.mu.RLock()
	_, known := s.data.quotas[p.Quota]
	s.mu.RUnlock()
	if p.Quota != "" && !known {
		return p, wrongRight("there is no quota %q", p.Quota)
	}
	if p.ID.IsZero() {
		p.ID = gatehouse.RandomID()
	}
	return p, s.putItem(ctx, gatehouse.ParkingItem{Kind: gatehouse.PassItem, ID: p.ID.String(), Subject: vehicle}, p, by)
}

func knownCurrency(c gatehouse.Currency) bool {
	_, ok := c.Exponent()
	return ok
}

// PutReservation keeps a vehicle's reservation.
func (s *Stays) PutReservation(ctx context.Context, vehicle gatehouse.SubjectID, r gatehouse.Reservation, by string) (gatehouse.Reservation, error) {
	if r.From.IsZero() || !r.Until.After(r.From) || r.Until.Sub(r.From) > parking.MaxStay || r.Early < 0 || r.Early > 24*time.Hour || r.Late < 0 || r.Late > 24*time.Hour {
		return r, wrongRight("a reservation begins before it ends; early and late are at most a day")
	}
	if err := s.checkOf(vehicle, r.Classes); err != nil {
		return r, err
	}
	if r.ID.IsZero() {
		r.ID = gatehouse.RandomID()
	}
	return r, s.putItem(ctx, gatehouse.ParkingItem{Kind: gatehouse.ReservationItem, ID: r.ID.String(), Subject: vehicle}, r, by)
}

// PutQuota says how many spaces a group has.
func (s *Stays) PutQuota(ctx context.Context, q gatehouse.Quota, by string) error {
	if gatehouse.CheckName(q.Group) != nil || q.Spaces < 0 || q.Spaces > maxSpaces {
		return wrongRight("a quota has a name of lower-case letters, digits and hyphens, and 0 to %d spaces", maxSpaces)
	}
	return s.putItem(ctx, gatehouse.ParkingItem{Kind: gatehouse.QuotaItem, ID: q.Group}, q, by)
}

// Deny puts a vehicle on the list of those that may not come in, and gives the entry's id.
func (s *Stays) Deny(ctx context.Context, vehicle gatehouse.SubjectID, by string) (gatehouse.ID, error) {
	if err := s.checkOf(vehicle, nil); err != nil {
		return gatehouse.ID{}, err
	}
	s.mu.RLock()
	there := s.data.denied[vehicle] > 0
	s.mu.RUnlock()
	if there {
		return gatehouse.ID{}, gatehouse.Errorf("parking.right", "see `gatehouse pass list`", "the vehicle is on the list already")
	}
	// A random one: what stands in a leaf outlives the vehicle's erasure.
	id := gatehouse.RandomID()
	return id, s.putItem(ctx, gatehouse.ParkingItem{Kind: gatehouse.DeniedItem, ID: id.String(), Subject: vehicle}, struct{}{}, by)
}

// Validate gives a stay what a shop gives. Errors: parking.unknown_stay, parking.validation.
func (s *Stays) Validate(ctx context.Context, stay gatehouse.ID, v gatehouse.Validation, by string) (gatehouse.Validation, error) {
	r, err := s.stay(ctx, stay)
	if err != nil {
		return v, err
	}
	wrong := func(format string, args ...any) (gatehouse.Validation, error) {
		return v, gatehouse.Errorf("parking.validation", "see docs/parking.md", format, args...)
	}
	if r.Ended() {
		return wrong("the stay has ended")
	}
	if !plainName(v.Issuer) {
		return wrong("an issuer has 1 to %d characters", maxName)
	}
	if v.At = s.Now().UTC(); v.ID.IsZero() {
		v.ID = gatehouse.RandomID()
	}
	s.mu.RLock()
	before := s.data.validations[stay]
	s.mu.RUnlock()
	if len(before) >= maxGiven {
		return wrong("a stay has at most %d validations", maxGiven)
	}
	// What cannot be charged by the tariff is refused here, and not at the exit.
	if name := s.parks[r.CarPark].Tariff; name != "" {
		version, err := s.version(name, r.Entered)
		if err != nil {
			return v, err
		}
		if _, err := parking.Charge(r.Stay, r.Entered, version, parking.Rights{Validations: append(slices.Clone(before), v)}); err != nil {
			return v, err
		}
	}
	return v, s.putItem(ctx, gatehouse.ParkingItem{Kind: gatehouse.ValidationItem, ID: v.ID.String(), Stay: stay}, v, by)
}

// RemoveRight removes a pass, reservation, quota, list entry or validation:
// parking.unknown_right.
func (s *Stays) RemoveRight(ctx context.Context, kind gatehouse.ParkingItemKind, id, by string) error {
	s.changes.Lock()
	defer s.changes.Unlock()
	err := s.Store.RemoveParkingItem(ctx, s.Place, kind, id, gatehouse.ParkingLeaf(s.Place, string(kind)+"-removed", id, by, nil, s.Now().UTC()))
	if gatehouse.ErrorCode(err) == "store.not_found" {
		return gatehouse.Errorf("parking.unknown_right", "see `gatehouse pass list`", "there is no such %s", kind)
	}
	if err != nil {
		return err
	}
	if kind == gatehouse.OrderItem {
		return s.loadData(ctx) // the month that it gave goes, too
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data.drop(itemKey{kind, id})
	return nil
}

// Rights lists everything that was given, by kind and id.
func (s *Stays) Rights(ctx context.Context) ([]gatehouse.ParkingItem, error) {
	return s.Store.ParkingItems(ctx, s.Place)
}

// Used says how many stays used a pass.
func (s *Stays) Used(pass gatehouse.ID) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.data.used[pass]
}

func (s *Stays) checkOf(vehicle gatehouse.SubjectID, classes []gatehouse.VehicleClass) error {
	if _, ok := s.Working.Badge(vehicle); !ok {
		return gatehouse.Errorf("parking.vehicle", "enrol it first; `gatehouse subject list` shows the ids", "no vehicle is enrolled under this id")
	}
	for _, c := range classes {
		if gatehouse.CheckName(string(c)) != nil {
			return wrongRight("%q is no class of vehicle", c)
		}
	}
	return nil
}

func (s *Stays) putItem(ctx context.Context, i gatehouse.ParkingItem, what any, by string) (err error) {
	return s.putItems(ctx, []gatehouse.ParkingItem{i}, []any{what}, by)
}

// changeItem is putItem for one that is there: where it was taken away meanwhile it stays away,
// and gone says so.
func (s *Stays) changeItem(ctx context.Context, i gatehouse.ParkingItem, what any, by string, gone error) error {
	s.changes.Lock()
	defer s.changes.Unlock()
	s.mu.RLock()
	_, there := s.data.items[itemKey{i.Kind, i.ID}]
	s.mu.RUnlock()
	if !there {
		return gone
	}
	return s.keepItems(ctx, []gatehouse.ParkingItem{i}, []any{what}, by)
}

// putItems keeps some one after the other: each by itself, if it is cut off.
func (s *Stays) putItems(ctx context.Context, items []gatehouse.ParkingItem, what []any, by string) error {
	s.changes.Lock()
	defer s.changes.Unlock()
	return s.keepItems(ctx, items, what, by)
}

// keepItems is putItems of a caller that holds s.changes.
func (s *Stays) keepItems(ctx context.Context, items []gatehouse.ParkingItem, what []any, by string) error {
	s.mu.RLock()
	there, more := len(s.data.items), 0
	for _, i := range items {
		if _, known := s.data.items[itemKey{i.Kind, i.ID}]; !known { // what is paid or used takes no more room
			more++
		}
	}
	s.mu.RUnlock()
	if more > 0 && there+more > maxRights {
		return gatehouse.Errorf("parking.too_many", "remove those that have ended", "there are %d passes and lists already", there)
	}
	for n, i := range items {
		var err error
		if i.Body, err = json.Marshal(what[n]); err != nil {
			return err
		}
		i.At = s.Now().UTC()
		if err := s.Store.PutParkingItem(ctx, s.Place, i, gatehouse.ParkingLeaf(s.Place, string(i.Kind)+"-put", i.ID, by, i.Body, i.At)); err != nil {
			return err
		}
		s.mu.Lock()
		if err = s.data.take(i); err == nil && (i.Kind == gatehouse.PassItem || i.Kind == gatehouse.OrderItem) {
			s.data.extend()
		}
		s.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// Bill says what a stay costs now, or did when it left, and why; ok is false where nothing
// is charged.
func (s *Stays) Bill(ctx context.Context, r gatehouse.StayRecord, now time.Time) (d gatehouse.StayDue, ok bool, err error) {
	d, err = s.DueOf(ctx, s.Place, r.ID, now)
	if gatehouse.ErrorCode(err) == "parking.no_tariff" {
		return d, false, nil
	}
	return d, err == nil && d.Charge.Currency != "", err
}
