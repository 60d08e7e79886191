package stay

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/rules/parking"
)

// The bounds of drivers' accounts.
const (
	linkFor     = 14 * 24 * time.Hour // a letter takes its time
	signedIn    = 90 * 24 * time.Hour
	maxBrowsers = 5
	maxVehicles = 50 // of an account
)

// byDriver stands in leaves for whoever has an account's page open.
const byDriver = "driver"

// account is a DriverAccount with whose it is.
type account struct {
	gatehouse.DriverAccount
	holder gatehouse.SubjectID
}

// vehicleOf is the body of an AccountVehicleItem.
type vehicleOf struct{ Account gatehouse.ID }

func noAccount() error {
	return gatehouse.Errorf("parking.unknown_account", "see `gatehouse driver list`", "there is no such account")
}

func sumOf(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

func (s *Stays) account(id gatehouse.ID) (account, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a, ok := s.data.accounts[id]
	return a, ok
}

// OpenAccountFor makes an account for somebody who is enrolled; a vehicle that is its holder
// is one of its vehicles. Errors: parking.vehicle, parking.right, parking.too_many.
func (s *Stays) OpenAccountFor(ctx context.Context, holder gatehouse.SubjectID, invoice bool, by string) (gatehouse.DriverView, error) {
	badge, ok := s.Working.Badge(holder)
	if !ok {
		return gatehouse.DriverView{}, gatehouse.Errorf("parking.vehicle", "enrol them first; `gatehouse subject list` shows the ids", "nobody is enrolled under this id")
	}
	a := gatehouse.DriverAccount{ID: gatehouse.RandomID(), Since: s.Now().UTC(), Invoice: invoice}
	if err := s.putItem(ctx, gatehouse.ParkingItem{Kind: gatehouse.DriverAccountItem, ID: a.ID.String(), Subject: holder}, a, by); err != nil {
		return gatehouse.DriverView{}, err
	}
	if badge.Kind == gatehouse.VehicleSubject {
		if err := s.AddVehicle(ctx, a.ID, holder, by); err != nil {
			return gatehouse.DriverView{}, err
		}
	}
	return s.Account(ctx, a.ID)
}

// AddVehicle makes a vehicle one of an account's; it is one account's only. Errors:
// parking.unknown_account, parking.vehicle, parking.right.
func (s *Stays) AddVehicle(ctx context.Context, id gatehouse.ID, vehicle gatehouse.SubjectID, by string) error {
	s.accountChanges.Lock()
	defer s.accountChanges.Unlock()
	if _, ok := s.account(id); !ok {
		return noAccount()
	}
	if err := s.checkOf(vehicle, nil); err != nil {
		return err
	}
	s.mu.RLock()
	taken := false
	for of, vehicles := range s.data.vehicles {
		_, there := s.data.accounts[of] // or its account was taken away
		taken = taken || there && slices.Contains(vehicles, vehicle)
	}
	n := len(s.data.vehicles[id])
	s.mu.RUnlock()
	switch {
	case taken:
		return wrongRight("the vehicle is an account's already")
	case n >= maxVehicles:
		return wrongRight("an account has at most %d vehicles", maxVehicles)
	}
	return s.putItem(ctx, gatehouse.ParkingItem{Kind: gatehouse.AccountVehicleItem, ID: gatehouse.RandomID().String(), Subject: vehicle}, vehicleOf{id}, by)
}

// tidyVehicles forgets which vehicles were an account's that was taken away, or whose holder was
// erased: nothing says any more that they belong together.
func (s *Stays) tidyVehicles(ctx context.Context) error {
	s.mu.RLock()
	var over []string
	for key, of := range s.data.items {
		if key.kind == gatehouse.AccountVehicleItem {
			if _, there := s.data.accounts[of.account]; !there {
				over = append(over, key.id)
			}
		}
	}
	s.mu.RUnlock()
	for _, id := range over[:min(len(over), 100)] { // the others in a minute
		if err := s.RemoveRight(ctx, gatehouse.AccountVehicleItem, id, "retention"); err != nil {
			return err
		}
	}
	return nil
}

// change replaces an account by what f makes of it.
func (s *Stays) changeAccount(ctx context.Context, id gatehouse.ID, by string, f func(*gatehouse.DriverAccount) error) error {
	s.accountChanges.Lock()
	defer s.accountChanges.Unlock()
	a, ok := s.account(id)
	if !ok {
		return noAccount()
	}
	a.Browsers = slices.Clone(a.Browsers)
	if err := f(&a.DriverAccount); err != nil {
		return err
	}
	return s.changeItem(ctx, gatehouse.ParkingItem{Kind: gatehouse.DriverAccountItem, ID: id.String(), Subject: a.holder}, a.DriverAccount, by, noAccount())
}

// SetInvoice says whether an account's vehicles leave without paying, and it is sent an invoice.
func (s *Stays) SetInvoice(ctx context.Context, id gatehouse.ID, invoice bool, by string) error {
	return s.changeAccount(ctx, id, by, func(a *gatehouse.DriverAccount) error {
		a.Invoice = invoice
		return nil
	})
}

// LinkAccount makes the code that opens an account's page once, within two weeks. The code
// before it and every browser that is signed in end: this is also how a lost phone is shut out.
func (s *Stays) LinkAccount(ctx context.Context, id gatehouse.ID, by string) (gatehouse.Secret, error) {
	code := rand.Text()
	return gatehouse.Secret(code), s.changeAccount(ctx, id, by, func(a *gatehouse.DriverAccount) error {
		a.Link, a.LinkUntil, a.Browsers = sumOf(code), s.Now().UTC().Add(linkFor), nil
		return nil
	})
}

// EnterAccount uses a code up and gives the cookie of the browser that has it. That there is no
// such code, and that it was used or is too old, get one answer: parking.unknown_account.
func (s *Stays) EnterAccount(ctx context.Context, code string) (cookie gatehouse.Secret, err error) {
	id, sum := gatehouse.ID{}, sumOf(strings.ToUpper(strings.TrimSpace(code)))
	s.mu.RLock()
	for _, a := range s.data.accounts {
		if subtle.ConstantTimeCompare(a.Link, sum) == 1 {
			id = a.ID
		}
	}
	s.mu.RUnlock()
	if id.IsZero() {
		return "", noAccount()
	}
	text, now := rand.Text()+rand.Text(), s.Now().UTC()
	err = s.changeAccount(ctx, id, byDriver, func(a *gatehouse.DriverAccount) error {
		if !bytes.Equal(a.Link, sum) || now.After(a.LinkUntil) {
			return noAccount() // another browser was faster
		}
		a.Link = nil
		a.Browsers = slices.DeleteFunc(a.Browsers, func(b gatehouse.DriverBrowser) bool { return now.After(b.Until) })
		a.Browsers = append(a.Browsers, gatehouse.DriverBrowser{Cookie: sumOf(text), Until: now.Add(signedIn)})
		a.Browsers = a.Browsers[max(0, len(a.Browsers)-maxBrowsers):]
		return nil
	})
	return gatehouse.Secret(text), err
}

// AccountOf finds the account that a browser's cookie opens.
func (s *Stays) AccountOf(cookie string) (gatehouse.ID, bool) {
	sum, now := sumOf(cookie), s.Now()
	s.mu.RLock()
	defer s.mu.RUnlock()
	for id, a := range s.data.accounts {
		for _, b := range a.Browsers {
			if subtle.ConstantTimeCompare(b.Cookie, sum) == 1 && !now.After(b.Until) {
				return id, true
			}
		}
	}
	return gatehouse.ID{}, false
}

// LeaveAccount ends a browser's cookie.
func (s *Stays) LeaveAccount(ctx context.Context, id gatehouse.ID, cookie string) error {
	sum := sumOf(cookie)
	return s.changeAccount(ctx, id, byDriver, func(a *gatehouse.DriverAccount) error {
		a.Browsers = slices.DeleteFunc(a.Browsers, func(b gatehouse.DriverBrowser) bool { return bytes.Equal(b.Cookie, sum) })
		return nil
	})
}

// KeepBuyer seals whom an account's invoices are made out to. Nobody reads it again without the
// vault. Errors: parking.buyer, parking.unknown_account, those of sealing.
func (s *Stays) KeepBuyer(ctx context.Context, id gatehouse.ID, b gatehouse.InvoiceBuyer) error {
	b, _, err := parking.CheckBuyer(b)
	if err != nil {
		return err
	}
	a, ok := s.account(id)
	if !ok {
		return noAccount()
	}
	plain, err := json.Marshal(b)
	if err != nil {
		return err
	}
	sealed, err := s.Sealer.Seal(ctx, a.holder, gatehouse.RecordClass, gatehouse.BuyerContext(s.Place, id), plain, gatehouse.PadRecord)
	if err != nil {
		return err
	}
	return s.changeAccount(ctx, id, byDriver, func(a *gatehouse.DriverAccount) error {
		a.Buyer, a.BuyerAt = sealed, s.Now().UTC()
		return nil
	})
}

// SealedBuyer is what KeepBuyer kept; it is opened as a disclosure. nil where there is none.
func (s *Stays) SealedBuyer(id gatehouse.ID) (*gatehouse.SealedRef, error) {
	a, ok := s.account(id)
	if !ok {
		return nil, noAccount()
	}
	if len(a.Buyer) == 0 {
		return nil, nil
	}
	return &gatehouse.SealedRef{Where: gatehouse.BuyerContext(s.Place, id), Sealed: a.Buyer}, nil
}

// Accounts lists all, the oldest first.
func (s *Stays) Accounts(ctx context.Context) ([]gatehouse.DriverView, error) {
	s.mu.RLock()
	var ids []gatehouse.ID
	for id := range s.data.accounts {
		ids = append(ids, id)
	}
	s.mu.RUnlock()
	all := []gatehouse.DriverView{}
	for _, id := range ids {
		a, err := s.Account(ctx, id)
		if gatehouse.ErrorCode(err) == "parking.unknown_account" {
			continue // it was erased meanwhile
		}
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b gatehouse.DriverView) int {
		if c := a.Since.Compare(b.Since); c != 0 {
			return c
		}
		return bytes.Compare(a.ID[:], b.ID[:])
	})
	return all, nil
}

// Account shows one: parking.unknown_account, and the books' errors.
func (s *Stays) Account(ctx context.Context, id gatehouse.ID) (gatehouse.DriverView, error) {
	label := func(id gatehouse.SubjectID) string { b, _ := s.Working.Badge(id); return b.Label }
	now := s.Now()
	s.mu.RLock()
	a, ok := s.data.accounts[id]
	if !ok {
		s.mu.RUnlock()
		return gatehouse.DriverView{}, noAccount()
	}
	out := gatehouse.DriverView{ID: id, Holder: a.holder, Label: label(a.holder), Since: a.Since, Invoice: a.Invoice, BuyerAt: a.BuyerAt}
	for _, b := range a.Browsers {
		if now.Before(b.Until) {
			out.Browsers++
		}
	}
	var purses []gatehouse.ID
	for _, v := range s.data.vehicles[id] {
		out.Vehicles = append(out.Vehicles, gatehouse.DriverVehicle{Vehicle: v, Label: label(v)})
		for _, p := range s.data.passesOf(v) {
			_, _, sold := parking.Renewal(p, now, s.Location)
			if p.Kind == gatehouse.ValuePass {
				purses, sold = append(purses, p.ID), true
			}
			out.Passes = append(out.Passes, gatehouse.DriverPass{Pass: p, Label: label(v), Used: s.data.used[p.ID], Holds: p.Value, Sold: sold})
		}
	}
	s.mu.RUnlock()
	if s.Passes == nil || len(purses) == 0 {
		return out, nil
	}
	held, err := s.Passes.HeldBy(ctx, s.Place, purses)
	for i := range out.Passes {
		if m, ok := held[out.Passes[i].ID]; ok {
			out.Passes[i].Holds = m
		}
	}
	return out, err
}

// Receipts gives what an account's vehicles paid for from a moment up to another, by number; of
// each only what was paid since it is this account's: before, somebody else may have driven it.
func (s *Stays) Receipts(ctx context.Context, id gatehouse.ID, from, until time.Time) ([]gatehouse.DriverReceipt, error) {
	if _, ok := s.account(id); !ok {
		return nil, noAccount()
	}
	s.mu.RLock()
	vehicles, since := slices.Clone(s.data.vehicles[id]), map[gatehouse.SubjectID]time.Time{}
	for key, of := range s.data.items {
		if key.kind == gatehouse.AccountVehicleItem && of.account == id {
			since[of.subject] = of.at
		}
	}
	s.mu.RUnlock()
	out := []gatehouse.DriverReceipt{}
	add := func(of gatehouse.SubjectID, stay gatehouse.ID, r gatehouse.DriverReceipt) error {
		found, err := s.Passes.ReceiptsOf(ctx, s.Place, stay, from, until)
		for _, x := range found {
			if x.At.Before(since[of]) { // it was somebody else's vehicle
				continue
			}
			r.Receipt = x
			out = append(out, r)
		}
		return err
	}
	if s.Passes == nil {
		return out, nil
	}
	for _, v := range vehicles {
		for _, o := range s.ordersOf(v) {
			if err := add(v, o.ID, gatehouse.DriverReceipt{Name: o.Name}); err != nil {
				return nil, err
			}
		}
		// Who paid in these days came in at most the longest stay before.
		var stays []gatehouse.StayRecord
		if err := s.eachStay(ctx, gatehouse.StayFilter{Subject: v, Since: from.Add(-s.longest())}, func(r gatehouse.StayRecord) { stays = append(stays, r) }); err != nil {
			return nil, err
		}
		for _, r := range stays {
			if err := add(v, r.ID, gatehouse.DriverReceipt{Entered: r.Entered, Left: r.Left}); err != nil {
				return nil, err
			}
		}
	}
	slices.SortFunc(out, func(a, b gatehouse.DriverReceipt) int { return int(a.Number) - int(b.Number) })
	return out, nil
}

// HasPass reports whether a pass is of one of an account's vehicles.
func (s *Stays) HasPass(id, pass gatehouse.ID) bool {
	_, vehicle, err := s.passOf(pass)
	s.mu.RLock()
	defer s.mu.RUnlock()
	return err == nil && slices.Contains(s.data.vehicles[id], vehicle)
}
