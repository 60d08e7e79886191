package stay

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"slices"
	"strings"
	"time"

	"gatehouse"
)

// The bounds of shops.
const (
	maxShops   = 1000
	maxPerDay  = 2000
	maxAtOnce  = 60 // codes on a sheet
	codeFor    = 7 * 24 * time.Hour
	maxCodes   = maxRights / 2 // of all shops: they leave room for what is paid for
	codeLength = 12            // characters of base32: 60 bits
)

// byShop stands in leaves for whoever has a shop's page open.
const byShop = "shop"

// PutShop keeps a shop; one without an id is new. Its page opens once it has a link. Errors:
// parking.shop, parking.validation.
func (s *Stays) PutShop(ctx context.Context, x gatehouse.Shop, by string) (gatehouse.Shop, error) {
	wrong := func(format string, args ...any) (gatehouse.Shop, error) {
		return x, gatehouse.Errorf("parking.shop", "see docs/parking.md", format, args...)
	}
	s.shopChanges.Lock()
	defer s.shopChanges.Unlock()
	s.mu.RLock()
	before, there := s.data.shops[x.ID]
	n, taken := len(s.data.shops), false
	for id, other := range s.data.shops {
		taken = taken || id != x.ID && other.Name == x.Name
	}
	s.mu.RUnlock()
	g := x.Gives
	switch {
	case !plainName(x.Name):
		return wrong("a shop has a name of 1 to %d characters", maxName)
	case taken:
		return wrong("another shop has this name")
	case x.PerStay < 1 || x.PerStay > maxGiven || x.PerDay < 1 || x.PerDay > maxPerDay:
		return wrong("of a shop's codes 1 to %d count for a stay, and it makes 1 to %d a day", maxGiven, maxPerDay)
	case !gives(g):
		return gatehouse.Shop{}, gatehouse.Errorf("parking.validation", "see docs/parking.md", "this gives nothing that can be counted")
	case !there && !x.ID.IsZero():
		return wrong("there is no such shop")
	case !there && n >= maxShops:
		return wrong("there are %d shops already", n)
	}
	x.Link = before.Link
	if x.ID.IsZero() {
		x.ID = gatehouse.RandomID()
	}
	return x, s.putItem(ctx, gatehouse.ParkingItem{Kind: gatehouse.ShopItem, ID: x.ID.String()}, x, by)
}

// gives reports whether a validation gives something, in whatever currency.
func gives(v gatehouse.Validation) bool {
	switch v.Kind {
	case gatehouse.TimeValidation:
		return v.Time > 0 && v.Time <= 366*24*time.Hour
	case gatehouse.PercentValidation:
		return v.BasisPoints > 0 && v.BasisPoints <= 10_000
	case gatehouse.MoneyValidation:
		return v.Money.Minor > 0 && v.Money.Minor <= maxTopUp && knownCurrency(v.Money.Currency)
	}
	return v.Kind == gatehouse.FullValidation
}

// LinkShop makes the code that opens a shop's page, until it gets another. Errors:
// parking.unknown_shop.
func (s *Stays) LinkShop(ctx context.Context, id gatehouse.ID, by string) (gatehouse.Secret, error) {
	s.shopChanges.Lock()
	defer s.shopChanges.Unlock()
	s.mu.RLock()
	x, ok := s.data.shops[id]
	s.mu.RUnlock()
	if !ok {
		return "", unknownShop()
	}
	code := rand.Text()
	x.Link = sumOf(code)
	return gatehouse.Secret(code), s.putItem(ctx, gatehouse.ParkingItem{Kind: gatehouse.ShopItem, ID: id.String()}, x, by)
}

func unknownShop() error {
	return gatehouse.Errorf("parking.unknown_shop", "see `gatehouse shop list`", "there is no such shop")
}

// ShopOf finds the shop whose page a code opens.
func (s *Stays) ShopOf(code string) (gatehouse.Shop, bool) {
	sum := sumOf(strings.ToUpper(strings.TrimSpace(code)))
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, x := range s.data.shops {
		if subtle.ConstantTimeCompare(x.Link, sum) == 1 {
			return x, true
		}
	}
	return gatehouse.Shop{}, false
}

// Shops lists them by name.
func (s *Stays) Shops() []gatehouse.ShopUse {
	now := s.Now()
	today := gatehouse.DateOf(now.In(s.Location))
	s.mu.RLock()
	defer s.mu.RUnlock()
	uses := map[gatehouse.ID]*gatehouse.ShopUse{}
	for id, x := range s.data.shops {
		uses[id] = &gatehouse.ShopUse{Shop: x}
	}
	for _, c := range s.data.codes { // once: there are many of them
		u := uses[c.Shop]
		if u == nil {
			continue
		}
		if gatehouse.DateOf(c.Made.In(s.Location)) == today {
			u.Today++
		}
		switch {
		case !c.Used.IsZero():
			u.Used++
		case now.Before(c.Until):
			u.Open++
		}
	}
	all := []gatehouse.ShopUse{}
	for _, u := range uses {
		u.Left = max(0, u.PerDay-u.Today)
		all = append(all, *u)
	}
	slices.SortFunc(all, func(a, b gatehouse.ShopUse) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// MakeCodes makes codes of a shop, each for one use within a week. They are shown once: what
// is kept is not the code. Errors: parking.unknown_shop, parking.shop_budget.
func (s *Stays) MakeCodes(ctx context.Context, id gatehouse.ID, n int) ([]gatehouse.Secret, error) {
	s.shopChanges.Lock()
	defer s.shopChanges.Unlock()
	shops := s.Shops()
	at := slices.IndexFunc(shops, func(u gatehouse.ShopUse) bool { return u.ID == id })
	if at < 0 {
		return nil, unknownShop()
	}
	if left := shops[at].Left; n < 1 || n > maxAtOnce || n > left {
		return nil, gatehouse.Errorf("parking.shop_budget", "make fewer, or wait until tomorrow", "the shop may make %d codes today, and %d at once", left, maxAtOnce)
	}
	s.mu.RLock()
	all := len(s.data.codes)
	s.mu.RUnlock()
	if all+n > maxCodes {
		return nil, gatehouse.Errorf("parking.shop_budget", "give shops fewer codes a day", "the shops have %d codes already", all)
	}
	now := s.Now().UTC()
	var made []gatehouse.Secret
	var items []gatehouse.ParkingItem
	var bodies []any
	for range n {
		text := rand.Text()[:codeLength]
		c := gatehouse.ShopCode{ID: codeID(text), Shop: id, Made: now, Until: now.Add(codeFor)}
		items, bodies = append(items, gatehouse.ParkingItem{Kind: gatehouse.ShopCodeItem, ID: c.ID.String()}), append(bodies, c)
		made = append(made, gatehouse.Secret(text[:4]+"-"+text[4:8]+"-"+text[8:]))
	}
	return made, s.putItems(ctx, items, bodies, byShop)
}

// codeID names a code without saying it. People type O for 0, and so on: base32 has neither
// 0, 1, 8 nor 9.
func codeID(typed string) (id gatehouse.ID) {
	plain := strings.Map(func(r rune) rune {
		switch r {
		case '0':
			return 'O'
		case '1':
			return 'I'
		case '8':
			return 'B'
		}
		if r >= 'A' && r <= 'Z' || r >= '2' && r <= '7' {
			return r
		}
		return -1
	}, strings.ToUpper(typed))
	sum := sha256.Sum256([]byte("shop code " + plain))
	copy(id[:], sum[:])
	return id
}

// UseCode gives a stay what a shop's code gives, once. The validation has the code's id, and is
// written first: a code whose use was cut off is used. Errors: parking.code_unknown,
// parking.code_used, parking.code_expired, parking.code_most (of this shop for this stay), and
// Validate's.
func (s *Stays) UseCode(ctx context.Context, stay gatehouse.ID, typed string) (gatehouse.Validation, error) {
	wrong := func(code, format string, args ...any) (gatehouse.Validation, error) {
		return gatehouse.Validation{}, gatehouse.Errorf(code, "ask the shop for another", format, args...)
	}
	s.shopChanges.Lock()
	defer s.shopChanges.Unlock()
	id := codeID(typed)
	s.mu.RLock()
	c, there := s.data.codes[id]
	x, open := s.data.shops[c.Shop]
	used, given := !c.Used.IsZero(), 0
	for _, of := range s.data.validations {
		used = used || slices.ContainsFunc(of, func(v gatehouse.Validation) bool { return v.ID == id })
	}
	for _, v := range s.data.validations[stay] {
		if v.Issuer == x.Name {
			given++
		}
	}
	s.mu.RUnlock()
	switch {
	case !there || !open:
		return wrong("parking.code_unknown", "there is no such code")
	case used:
		return wrong("parking.code_used", "the code was used already")
	case s.Now().After(c.Until):
		return wrong("parking.code_expired", "the code is too old")
	case given >= x.PerStay:
		return wrong("parking.code_most", "no more than %d codes of this shop count for a stay", x.PerStay)
	}
	v := x.Gives
	v.ID, v.Issuer = id, x.Name
	v, err := s.Validate(ctx, stay, v, byShop)
	if err != nil {
		return v, err
	}
	c.Used = s.Now().UTC()
	return v, s.putItem(ctx, gatehouse.ParkingItem{Kind: gatehouse.ShopCodeItem, ID: id.String()}, c, byShop)
}

// validationKept is for how long the validations of stays that ended are kept: a person may
// still attach an exit to a stay that was given up.
const validationKept = 30 * 24 * time.Hour

// tidyValidations forgets those of stays that ended long ago: what they gave is in the charge.
func (s *Stays) tidyValidations(ctx context.Context) error {
	s.mu.RLock()
	var over []gatehouse.ID
	for stay, of := range s.data.validations {
		if _, inside := s.inside[stay]; inside {
			continue
		}
		for _, v := range of {
			if s.Now().Sub(v.At) > validationKept {
				over = append(over, v.ID)
			}
		}
	}
	s.mu.RUnlock()
	for _, id := range over[:min(len(over), 100)] { // the others in a minute
		if err := s.RemoveRight(ctx, gatehouse.ValidationItem, id.String(), "retention"); err != nil {
			return err
		}
	}
	return nil
}

// tidyCodes forgets the codes that nobody can use any more, and not on the day on which they
// count against a budget.
func (s *Stays) tidyCodes(ctx context.Context) error {
	s.mu.RLock()
	var over []gatehouse.ID
	for id, c := range s.data.codes {
		if s.Now().Sub(c.Until) > codeFor {
			over = append(over, id)
		}
	}
	s.mu.RUnlock()
	for _, id := range over[:min(len(over), 100)] { // the others in a minute
		if err := s.RemoveRight(ctx, gatehouse.ShopCodeItem, id.String(), byShop); err != nil {
			return err
		}
	}
	return nil
}
