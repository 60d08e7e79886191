package stay

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"slices"
	"strings"
	"time"

	"gatehouse"
)

// kioskCodeFor is how long the code works by which a screen at a lane is enrolled.
const kioskCodeFor = 24 * time.Hour

// maxKiosks bounds the screens at lanes.
const maxKiosks = 200

// byKiosk stands in leaves for a screen at a lane.
const byKiosk = "kiosk"

// AddKiosk makes a place for a screen at a lane, and the code that a browser is enrolled there
// by, once and within a day. Errors: gate.unknown, parking.too_many.
func (s *Stays) AddKiosk(ctx context.Context, gate gatehouse.GateID, by string) (gatehouse.ParkingKiosk, gatehouse.Secret, error) {
	k := gatehouse.ParkingKiosk{ID: gatehouse.RandomID(), Gate: gate, Made: s.Now().UTC()}
	if !s.Lane(gate) {
		return k, "", gatehouse.Errorf("gate.unknown", "name a lane of a car park", "there is no such lane")
	}
	s.mu.RLock()
	n := len(s.data.kiosks)
	s.mu.RUnlock()
	if n >= maxKiosks {
		return k, "", gatehouse.Errorf("parking.too_many", "remove those that are gone", "there are %d screens already", n)
	}
	code := rand.Text()
	k.Code, k.CodeUntil = sumOf(code), k.Made.Add(kioskCodeFor)
	return k, gatehouse.Secret(code), s.putItem(ctx, gatehouse.ParkingItem{Kind: gatehouse.KioskItem, ID: k.ID.String()}, k, by)
}

// EnterKiosk uses a code up and gives the cookie of the browser that has it:
// parking.unknown_kiosk for whatever is wrong with it.
func (s *Stays) EnterKiosk(ctx context.Context, code string) (gatehouse.Secret, error) {
	s.kioskChanges.Lock()
	defer s.kioskChanges.Unlock()
	sum, now := sumOf(strings.ToUpper(strings.TrimSpace(code))), s.Now().UTC()
	var k gatehouse.ParkingKiosk
	s.mu.RLock()
	for _, one := range s.data.kiosks {
		if subtle.ConstantTimeCompare(one.Code, sum) == 1 && !now.After(one.CodeUntil) {
			k = one
		}
	}
	s.mu.RUnlock()
	none := gatehouse.Errorf("parking.unknown_kiosk", "ask for another code", "this code enrols no screen")
	if k.ID.IsZero() {
		return "", none
	}
	text := rand.Text() + rand.Text()
	k.Code, k.Cookie, k.Since = nil, sumOf(text), now
	return gatehouse.Secret(text), s.changeItem(ctx, gatehouse.ParkingItem{Kind: gatehouse.KioskItem, ID: k.ID.String()}, k, byKiosk, none)
}

// KioskOf finds the screen that a browser's cookie is of.
func (s *Stays) KioskOf(cookie string) (gatehouse.ParkingKiosk, bool) {
	sum := sumOf(cookie)
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, k := range s.data.kiosks {
		if subtle.ConstantTimeCompare(k.Cookie, sum) == 1 {
			return k, true
		}
	}
	return gatehouse.ParkingKiosk{}, false
}

// Kiosks lists the screens, the oldest first.
func (s *Stays) Kiosks() []gatehouse.ParkingKiosk {
	s.mu.RLock()
	defer s.mu.RUnlock()
	all := []gatehouse.ParkingKiosk{}
	for _, k := range s.data.kiosks {
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b gatehouse.ParkingKiosk) int {
		if c := a.Made.Compare(b.Made); c != 0 {
			return c
		}
		return bytes.Compare(a.ID[:], b.ID[:])
	})
	return all
}
