package gatehouse

import (
	"fmt"
	"math/bits"
	"strings"
)

// Currency is an alphabetic code of ISO 4217: "EUR", "CNY", "JPY".
type Currency string

// The currencies of ISO 4217 (amendment 176), by how many digits stand behind the
// point of an amount. Funds, metals and test codes are left out: nobody pays with them.
var currencies = map[int]string{
	0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF",
	2: "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP " +
		"ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL " +
		"MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD " +
		"SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD XCG YER ZAR ZMW ZWG",
	3: "BHD IQD JOD KWD LYD OMR TND",
}

var exponents = func() map[Currency]int {
	m := map[Currency]int{}
	for digits, codes := range currencies {
		for code := range strings.FieldsSeq(codes) {
			m[Currency(code)] = digits
		}
	}
	return m
}()

// Exponent returns how many digits stand behind the point of an amount: 2 for EUR, 0
// for JPY. ok is false for what is no currency.
func (c Currency) Exponent() (digits int, ok bool) {
	digits, ok = exponents[c]
	return digits, ok
}

// MaxMinor bounds an amount, in minor units: a billion times a million of the
// currency's hundredth. What is larger is a mistake, and sums of a few thousand
// amounts stay far from the end of int64.
const MaxMinor = 1_000_000_000_000_000

// Money is an amount in minor units (cents, fen, yen) of one currency. It is never a
// fraction: whatever divides says how it rounds.
type Money struct {
	Minor    int64
	Currency Currency
}

// ParseMoney reads an amount as people write it: digits, and behind a point at most
// as many as the currency has ("2.5" and "2.50" are 250 cents). It refuses a sign, a
// comma, an exponent, and more than MaxMinor: "money.currency", "money.malformed",
// "money.too_large".
func ParseMoney(text string, c Currency) (Money, error) {
	digits, ok := c.Exponent()
	if !ok {
		return Money{}, Errorf("money.currency", "use a code of ISO 4217, such as EUR or CNY", "there is no such currency")
	}
	whole, fraction, point := strings.Cut(text, ".")
	if whole == "" || point && fraction == "" || len(fraction) > digits || strings.Trim(whole+fraction, "0123456789") != "" {
		return Money{}, Errorf("money.malformed", "", "an amount in %s is written as digits%s", c, map[bool]string{true: fmt.Sprintf(", with at most %d behind a point", digits)}[digits > 0])
	}
	var minor int64
	for _, d := range strings.TrimLeft(whole, "0") + fraction + strings.Repeat("0", digits-len(fraction)) {
		if minor = minor*10 + int64(d-'0'); minor > MaxMinor {
			return Money{}, Errorf("money.too_large", "", "the amount is larger than any that can be charged")
		}
	}
	return Money{minor, c}, nil
}

// Decimal gives the amount without its currency: "-2.50", "900".
func (m Money) Decimal() string {
	digits := exponents[m.Currency]
	sign, abs := "", uint64(m.Minor)
	if m.Minor < 0 {
		sign, abs = "-", -abs
	}
	s := fmt.Sprintf("%0*d", digits+1, abs)
	if digits == 0 {
		return sign + s
	}
	return sign + s[:len(s)-digits] + "." + s[len(s)-digits:]
}

// String gives the amount with its currency: "2.50 EUR".
func (m Money) String() string { return m.Decimal() + " " + string(m.Currency) }

// Add returns m + n. Different currencies are "money.currency", a sum beyond MaxMinor
// either way "money.too_large".
func (m Money) Add(n Money) (Money, error) {
	if m.Currency != n.Currency {
		return Money{}, Errorf("money.currency", "", "%s and %s cannot be added", m.Currency, n.Currency)
	}
	sum := m.Minor + n.Minor
	if (m.Minor > 0) == (n.Minor > 0) && (sum > 0) != (m.Minor > 0) && m.Minor != 0 || sum > MaxMinor || sum < -MaxMinor {
		return Money{}, Errorf("money.too_large", "", "the sum is larger than any that can be charged")
	}
	return Money{sum, m.Currency}, nil
}

// Neg returns -m.
func (m Money) Neg() Money { return Money{-m.Minor, m.Currency} }

// Rounding says what becomes of the part of a minor unit.
type Rounding string

// The roundings. Away and toward are seen from zero, so that a refund rounds as its
// charge did.
const (
	RoundDown     Rounding = "down"      // toward zero
	RoundUp       Rounding = "up"        // away from zero
	RoundHalfUp   Rounding = "half_up"   // to the nearest, a half away from zero
	RoundHalfEven Rounding = "half_even" // to the nearest, a half to the even one
)

// MulDiv returns a·b/c rounded. The product is exact (128 bits). ok is false where c is
// not positive, b is negative, the rounding is unknown, or the result is beyond MaxMinor.
func MulDiv(a, b, c int64, r Rounding) (result int64, ok bool) {
	if c <= 0 || b < 0 {
		return 0, false
	}
	abs := uint64(a)
	if a < 0 {
		abs = -abs
	}
	hi, lo := bits.Mul64(abs, uint64(b))
	if hi >= uint64(c) {
		return 0, false
	}
	q, rest := bits.Div64(hi, lo, uint64(c))
	twice := 2 * rest // c < 2^63, so that this holds
	switch r {
	case RoundDown:
	case RoundUp:
		if rest > 0 {
			q++
		}
	case RoundHalfUp:
		if twice >= uint64(c) {
			q++
		}
	case RoundHalfEven:
		if twice > uint64(c) || twice == uint64(c) && q%2 == 1 {
			q++
		}
	default:
		return 0, false
	}
	if q > MaxMinor {
		return 0, false
	}
	if a < 0 {
		return -int64(q), true
	}
	return int64(q), true
}
