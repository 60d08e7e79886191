package stay

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/rules/parking"
)

// data is what car parks are run by, in memory.
type data struct {
	tariffs      map[string][]revision // by name, oldest first
	passes       map[gatehouse.SubjectID][]gatehouse.Pass
	reservations map[gatehouse.SubjectID][]gatehouse.Reservation
	quotas       map[string]gatehouse.Quota
	denied       map[gatehouse.SubjectID]int             // entries of the list
	validations  map[gatehouse.ID][]gatehouse.Validation // by stay
	used         map[gatehouse.ID]int                    // stays that used a pass
	orders       map[gatehouse.ID]order
	accounts     map[gatehouse.ID]account
	vehicles     map[gatehouse.ID][]gatehouse.SubjectID // by account
	kiosks       map[gatehouse.ID]gatehouse.ParkingKiosk
	shops        map[gatehouse.ID]gatehouse.Shop
	codes        map[gatehouse.ID]gatehouse.ShopCode
	counts       map[string]gatehouse.CarParkCount // by car park
	looks        map[gatehouse.ID]gatehouse.StayLook
	items        map[itemKey]itemOf
}

// onInvoice reports whether a vehicle's stays are paid by its account's invoice.
func (d *data) onInvoice(vehicle gatehouse.SubjectID) bool {
	for id, vehicles := range d.vehicles {
		if d.accounts[id].Invoice && slices.Contains(vehicles, vehicle) {
			return true
		}
	}
	return false
}

// revision is a tariff as it was put once.
type revision struct {
	stored gatehouse.StoredTariff
	tariff gatehouse.Tariff
}

// passesOf are a vehicle's passes, with the uses that are left.
func (d *data) passesOf(id gatehouse.SubjectID) []gatehouse.Pass {
	all := slices.Clone(d.passes[id])
	for i := range all {
		switch n := d.used[all[i].ID]; all[i].Kind {
		case gatehouse.UsesPass:
			all[i].Uses = max(0, all[i].Uses-n)
		case gatehouse.ExitPass:
			if n > 0 { // it was for one exit
				all[i].Kind, all[i].Uses = gatehouse.UsesPass, 0
			}
		}
	}
	return all
}

func (d *data) quotaList() (all []gatehouse.Quota) {
	for _, q := range d.quotas {
		all = append(all, q)
	}
	return all
}

// loadData reads tariffs, passes, reservations, quotas, lists and validations.
func (s *Stays) loadData(ctx context.Context) error {
	d := data{tariffs: map[string][]revision{}, passes: map[gatehouse.SubjectID][]gatehouse.Pass{}, reservations: map[gatehouse.SubjectID][]gatehouse.Reservation{},
		quotas: map[string]gatehouse.Quota{}, denied: map[gatehouse.SubjectID]int{}, validations: map[gatehouse.ID][]gatehouse.Validation{},
		orders: map[gatehouse.ID]order{}, accounts: map[gatehouse.ID]account{}, vehicles: map[gatehouse.ID][]gatehouse.SubjectID{}, kiosks: map[gatehouse.ID]gatehouse.ParkingKiosk{}, shops: map[gatehouse.ID]gatehouse.Shop{}, codes: map[gatehouse.ID]gatehouse.ShopCode{}, counts: map[string]gatehouse.CarParkCount{}, looks: map[gatehouse.ID]gatehouse.StayLook{}, items: map[itemKey]itemOf{}}
	stored, err := s.Store.Tariffs(ctx, s.Place)
	if err != nil {
		return err
	}
	for _, t := range stored {
		read, err := s.ReadTariff(t.Body)
		if err != nil {
			return gatehouse.Errorf("parking.tariff", "restore it from a backup", "revision %d of tariff %s cannot be read: %w", t.Revision, t.Name, err)
		}
		d.tariffs[t.Name] = append(d.tariffs[t.Name], revision{t, read})
	}
	items, err := s.Store.ParkingItems(ctx, s.Place)
	if err != nil {
		return err
	}
	for _, i := range items {
		if err := d.take(i); err != nil {
			return gatehouse.Errorf("store.damaged", "restore it from a backup", "a %s of a car park is malformed: %w", i.Kind, err)
		}
	}
	d.extend()
	if d.used, err = s.Store.RightsUsed(ctx, s.Place); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data = d
	return nil
}

// itemKey names an item, and itemOf says whose it is.
type itemKey struct {
	kind gatehouse.ParkingItemKind
	id   string
}

type itemOf struct {
	subject gatehouse.SubjectID
	stay    gatehouse.ID
	account gatehouse.ID
	at      time.Time // when it was put
}

// take takes an item into memory, in the place of the one by its name. What is read by others
// meanwhile is never changed: they see the list of before, or the new one.
func (d *data) take(i gatehouse.ParkingItem) error {
	key, of := itemKey{i.Kind, i.ID}, itemOf{subject: i.Subject, stay: i.Stay, at: i.At}
	d.drop(key)
	var err error
	switch i.Kind {
	case gatehouse.PassItem:
		err = takeOne(i.Body, func(p gatehouse.Pass) { d.passes[i.Subject] = with(d.passes[i.Subject], p, passID) })
	case gatehouse.ReservationItem:
		err = takeOne(i.Body, func(r gatehouse.Reservation) {
			d.reservations[i.Subject] = with(d.reservations[i.Subject], r, reservationID)
		})
	case gatehouse.QuotaItem:
		err = takeOne(i.Body, func(q gatehouse.Quota) { d.quotas[q.Group] = q })
	case gatehouse.DeniedItem:
		d.denied[i.Subject]++
	case gatehouse.ValidationItem:
		err = takeOne(i.Body, func(v gatehouse.Validation) { d.validations[i.Stay] = with(d.validations[i.Stay], v, validationID) })
	case gatehouse.OrderItem:
		err = takeOne(i.Body, func(o gatehouse.PassOrder) { d.orders[o.ID] = order{o, i.Subject} })
	case gatehouse.DriverAccountItem:
		err = takeOne(i.Body, func(a gatehouse.DriverAccount) { d.accounts[a.ID] = account{a, i.Subject} })
	case gatehouse.AccountVehicleItem:
		err = takeOne(i.Body, func(v vehicleOf) {
			of.account = v.Account
			d.vehicles[v.Account] = with(d.vehicles[v.Account], i.Subject, subjectID)
		})
	case gatehouse.KioskItem:
		err = takeOne(i.Body, func(k gatehouse.ParkingKiosk) { d.kiosks[k.ID] = k })
	case gatehouse.ShopItem:
		err = takeOne(i.Body, func(x gatehouse.Shop) { d.shops[x.ID] = x })
	case gatehouse.CountItem:
		err = takeOne(i.Body, func(c gatehouse.CarParkCount) { d.counts[c.CarPark] = c })
	case gatehouse.LookItem:
		err = takeOne(i.Body, func(l gatehouse.StayLook) { d.looks[l.Stay] = l })
	case gatehouse.ShopCodeItem:
		err = takeOne(i.Body, func(c gatehouse.ShopCode) { d.codes[c.ID] = c })
	}
	d.items[key] = of
	return err
}

// drop takes an item out of memory; one that is not there is no matter.
func (d *data) drop(key itemKey) {
	of, ok := d.items[key]
	if !ok {
		return
	}
	delete(d.items, key)
	id, _ := gatehouse.ParseID(key.id) // those that are named by a word have none
	switch key.kind {
	case gatehouse.PassItem:
		keep(d.passes, of.subject, without(d.passes[of.subject], id, passID))
	case gatehouse.ReservationItem:
		keep(d.reservations, of.subject, without(d.reservations[of.subject], id, reservationID))
	case gatehouse.QuotaItem:
		delete(d.quotas, key.id)
	case gatehouse.DeniedItem:
		if d.denied[of.subject]--; d.denied[of.subject] < 1 {
			delete(d.denied, of.subject)
		}
	case gatehouse.ValidationItem:
		keep(d.validations, of.stay, without(d.validations[of.stay], id, validationID))
	case gatehouse.OrderItem:
		delete(d.orders, id)
	case gatehouse.DriverAccountItem:
		delete(d.accounts, id)
	case gatehouse.AccountVehicleItem:
		keep(d.vehicles, of.account, without(d.vehicles[of.account], of.subject, subjectID))
	case gatehouse.KioskItem:
		delete(d.kiosks, id)
	case gatehouse.ShopItem:
		delete(d.shops, id)
	case gatehouse.CountItem:
		delete(d.counts, key.id)
	case gatehouse.LookItem:
		delete(d.looks, id)
	case gatehouse.ShopCodeItem:
		delete(d.codes, id)
	}
}

func passID(p gatehouse.Pass) gatehouse.ID               { return p.ID }
func reservationID(r gatehouse.Reservation) gatehouse.ID { return r.ID }
func validationID(v gatehouse.Validation) gatehouse.ID   { return v.ID }
func subjectID(s gatehouse.SubjectID) gatehouse.ID       { return s }

// with gives a list with one more, by id: as the store gives them.
func with[T any](list []T, one T, id func(T) gatehouse.ID) []T {
	out := append(without(list, id(one), id), one)
	slices.SortFunc(out, func(a, b T) int { x, y := id(a), id(b); return bytes.Compare(x[:], y[:]) })
	return out
}

// without gives a new list without one.
func without[T any](list []T, gone gatehouse.ID, id func(T) gatehouse.ID) []T {
	out := make([]T, 0, len(list)+1)
	for _, x := range list {
		if id(x) != gone {
			out = append(out, x)
		}
	}
	return out
}

// keep puts a list where it belongs, and nothing where it is empty.
func keep[K comparable, T any](m map[K][]T, key K, list []T) {
	if m[key] = list; len(list) == 0 {
		delete(m, key)
	}
}

// extend gives season passes the months that were paid for: one row says that an order was
// paid and until when its pass counts, so that neither is true without the other.
func (d *data) extend() {
	until := map[gatehouse.ID]time.Time{}
	for _, o := range d.orders {
		if !o.Done.IsZero() && o.Kind == gatehouse.RenewalOrder && o.Until.After(until[o.Pass]) {
			until[o.Pass] = o.Until
		}
	}
	for _, passes := range d.passes {
		for i := range passes {
			if t := until[passes[i].ID]; t.After(passes[i].Until) {
				passes[i].Until = t
			}
		}
	}
}

func takeOne[T any](body []byte, take func(T)) error {
	var one T
	if err := json.Unmarshal(body, &one); err != nil {
		return err
	}
	take(one)
	return nil
}

// version is the tariff's version by which a stay that began at a moment is charged: of the
// revision that was the newest then.
func (s *Stays) version(name string, entered time.Time) (gatehouse.TariffVersion, error) {
	s.mu.RLock()
	all := s.data.tariffs[name]
	s.mu.RUnlock()
	if len(all) == 0 {
		return gatehouse.TariffVersion{}, gatehouse.Errorf("parking.no_tariff", "put it with `gatehouse tariff put`", "there is no tariff %s here", name)
	}
	r := all[0]
	for _, later := range all[1:] {
		if later.stored.At.After(entered) {
			break
		}
		r = later
	}
	return parking.InForce(r.tariff, entered)
}

// PutTariff keeps a tariff's file as its next revision: stays that begin from now on are
// charged by it. Errors: parking.tariff (with what is wrong, and on which line),
// parking.currency.
func (s *Stays) PutTariff(ctx context.Context, body []byte, by string) (gatehouse.StoredTariff, error) {
	return s.PutTariffAfter(ctx, body, by, -1)
}

// PutTariffAfter is PutTariff for what was made of a revision: parking.changed where the
// tariff's newest is another by now. 0 is none; -1 asks for nothing.
func (s *Stays) PutTariffAfter(ctx context.Context, body []byte, by string, made int) (gatehouse.StoredTariff, error) {
	t, err := s.ReadTariff(body)
	if err != nil {
		return gatehouse.StoredTariff{}, err
	}
	s.changes.Lock()
	defer s.changes.Unlock()
	s.mu.RLock()
	before := s.data.tariffs[t.Name]
	s.mu.RUnlock()
	next := gatehouse.StoredTariff{Name: t.Name, Revision: len(before) + 1, At: s.Now().UTC(), By: by, Body: body}
	if made >= 0 && made != len(before) {
		return next, gatehouse.Errorf("parking.changed", "look at it again", "tariff %s was changed, or made, in between", t.Name)
	}
	if n := len(before); n > 0 {
		if was, is := currencyOf(before[n-1].tariff), currencyOf(t); was != is {
			return next, gatehouse.Errorf("parking.currency", "give the tariff another name", "tariff %s is in %s; one in %s is another tariff", t.Name, was, is)
		}
	}
	if err := s.Store.PutTariff(ctx, s.Place, next, gatehouse.ParkingLeaf(s.Place, "tariff-put", t.Name, by, body, next.At)); err != nil {
		return next, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data.tariffs[t.Name] = append(slices.Clip(s.data.tariffs[t.Name]), revision{next, t})
	return next, nil
}

func currencyOf(t gatehouse.Tariff) gatehouse.Currency {
	if len(t.Versions) == 0 {
		return ""
	}
	return t.Versions[0].Currency
}

// TariffList gives each tariff's newest revision, by name.
func (s *Stays) TariffList() []gatehouse.StoredTariff {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := []gatehouse.StoredTariff{}
	for _, revisions := range s.data.tariffs {
		all = append(all, revisions[len(revisions)-1].stored)
	}
	slices.SortFunc(all, func(a, b gatehouse.StoredTariff) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// TariffHistory gives all revisions of a tariff, the newest first: parking.unknown_tariff.
func (s *Stays) TariffHistory(name string) ([]gatehouse.StoredTariff, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var all []gatehouse.StoredTariff
	for _, r := range s.data.tariffs[name] {
		all = append(all, r.stored)
	}
	if len(all) == 0 {
		return nil, gatehouse.Errorf("parking.unknown_tariff", "see `gatehouse tariff list`", "there is no such tariff")
	}
	slices.Reverse(all)
	return all, nil
}

// useRights notes which passes a stay used.
func (s *Stays) useRights(ctx context.Context, r gatehouse.StayRecord) error {
	none := true
	for _, l := range r.Charge.Lines {
		if l.Kind != gatehouse.PassLine || l.Amount == 0 {
			continue
		}
		none = false
		if err := s.Store.UseRight(ctx, s.Place, l.Right, r.ID); err != nil {
			return err
		}
	}
	if none {
		return nil
	}
	used, err := s.Store.RightsUsed(ctx, s.Place)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.data.used = used
	s.mu.Unlock()
	return nil
}

// HasTariff reports whether there is a tariff of the name.
func (s *Stays) HasTariff(name string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.data.tariffs[name]) > 0
}
