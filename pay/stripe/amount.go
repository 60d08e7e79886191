package stripe

import (
	"strings"

	"gatehouse"
)

// Stripe counts a few currencies otherwise than ISO 4217 does
// (https://docs.stripe.com/currencies#zero-decimal): two digits more for those that it knew
// with two, none for the ariary, and no last digit where there are three.
var units = map[gatehouse.Currency]struct{ theirs, ours int64 }{
	"ISK": {100, 1}, "UGX": {100, 1},
	"MGA": {1, 100},
}

// theirs gives an amount as Stripe counts it. It fails with pay.refused where that has no
// whole number.
func theirs(m gatehouse.Money) (int64, error) {
	digits, ok := m.Currency.Exponent()
	if !ok || m.Minor <= 0 {
		return 0, gatehouse.Errorf("pay.refused", "", "this amount cannot be paid by card")
	}
	if digits == 3 && m.Minor%10 != 0 {
		return 0, gatehouse.Errorf("pay.refused", "let the tariff round to two digits", "Stripe takes no third digit of %s", m.Currency)
	}
	u, ok := units[m.Currency]
	switch {
	case !ok:
		return m.Minor, nil
	case m.Minor*u.theirs%u.ours != 0:
		return 0, gatehouse.Errorf("pay.refused", "let the tariff round to whole amounts", "Stripe takes no fractions of %s", m.Currency)
	}
	return m.Minor * u.theirs / u.ours, nil
}

// ours gives an amount of Stripe's as the books count it; a fraction, which Stripe never
// charges, is "pay.malformed".
func ours(n int64, currency string) (gatehouse.Money, error) {
	c := gatehouse.Currency(strings.ToUpper(currency))
	_, ok := c.Exponent()
	u, odd := units[c]
	if !odd {
		u.theirs, u.ours = 1, 1
	}
	if !ok || n > gatehouse.MaxMinor/100 || n < -gatehouse.MaxMinor/100 || n*u.ours%u.theirs != 0 {
		return gatehouse.Money{}, gatehouse.Errorf("pay.malformed", "look at it in Stripe's dashboard", "Stripe names an amount that cannot be booked")
	}
	return gatehouse.Money{Minor: n * u.ours / u.theirs, Currency: c}, nil
}
