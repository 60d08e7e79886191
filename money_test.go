package gatehouse

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestParseMoney(t *testing.T) {
	for _, c := range []struct {
		text     string
		currency Currency
		minor    int64
		code     string
	}{
		{"2.5", "EUR", 250, ""}, {"2.50", "EUR", 250, ""}, {"0", "EUR", 0, ""}, {"007", "JPY", 7, ""}, {"1.234", "KWD", 1234, ""},
		{"10000000000000.00", "EUR", MaxMinor, ""}, {"10000000000000.01", "EUR", 0, "money.too_large"}, {"99999999999999999999999", "JPY", 0, "money.too_large"},
		{"1.5", "JPY", 0, "money.malformed"}, {"2.555", "EUR", 0, "money.malformed"}, {"-1", "EUR", 0, "money.malformed"}, {"+1", "EUR", 0, "money.malformed"},
		{"", "EUR", 0, "money.malformed"}, {".5", "EUR", 0, "money.malformed"}, {"5.", "EUR", 0, "money.malformed"}, {"1,5", "EUR", 0, "money.malformed"},
		{"1e3", "EUR", 0, "money.malformed"}, {"１", "EUR", 0, "money.malformed"}, {"1", "XXX", 0, "money.currency"}, {"1", "eur", 0, "money.currency"},
	} {
		m, err := ParseMoney(c.text, c.currency)
		if ErrorCode(err) != c.code || m.Minor != c.minor {
			t.Errorf("%q %s: %d, %v", c.text, c.currency, m.Minor, err)
		}
	}
}

func TestMoneyIsWrittenAsItIsRead(t *testing.T) {
	for m, want := range map[Money]string{{250, "EUR"}: "2.50 EUR", {-5, "EUR"}: "-0.05 EUR", {900, "JPY"}: "900 JPY", {1, "KWD"}: "0.001 KWD", {0, "CNY"}: "0.00 CNY"} {
		if m.String() != want {
			t.Errorf("%s, want %s", m, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		m := Money{rapid.Int64Range(0, MaxMinor).Draw(t, "minor"), rapid.SampledFrom([]Currency{"EUR", "JPY", "KWD"}).Draw(t, "currency")}
		if back, err := ParseMoney(m.Decimal(), m.Currency); err != nil || back != m {
			t.Fatalf("%s became %s, %v", m, back, err)
		}
	})
}

// A sum or a share is exact, or refused: it never wraps around.
func TestMoneyNeverWraps(t *testing.T) {
	bound := big.NewInt(MaxMinor)
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := rapid.Int64().Draw(t, "a"), rapid.Int64Min(0).Draw(t, "b"), rapid.Int64Min(1).Draw(t, "c")
		exact := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
		down, rest := new(big.Int).QuoRem(exact, big.NewInt(c), new(big.Int))
		got, ok := MulDiv(a, b, c, RoundDown)
		if fits := down.CmpAbs(bound) <= 0; ok != fits || ok && down.Int64() != got {
			t.Fatalf("%d·%d/%d = %d, %t; want %s", a, b, c, got, ok, down)
		}
		if up, ok := MulDiv(a, b, c, RoundUp); ok && up != got+int64(rest.Sign()) {
			t.Fatalf("up: %d, down %d, rest %s", up, got, rest)
		}
		sum := new(big.Int).Add(big.NewInt(a), big.NewInt(b))
		m, err := Money{a, "EUR"}.Add(Money{b, "EUR"})
		if fits := sum.CmpAbs(bound) <= 0; fits != (err == nil) || fits && m.Minor != sum.Int64() {
			t.Fatalf("%d + %d = %d, %v", a, b, m.Minor, err)
		}
	})
	if _, err := (Money{1, "EUR"}).Add(Money{1, "USD"}); ErrorCode(err) != "money.currency" {
		t.Errorf("euros and dollars were added: %v", err)
	}
}

func TestRoundings(t *testing.T) {
	for _, c := range []struct{ a, down, up, halfUp, halfEven int64 }{{5, 2, 3, 3, 2}, {7, 3, 4, 4, 4}, {6, 3, 3, 3, 3}, {-5, -2, -3, -3, -2}, {1, 0, 1, 1, 0}} {
		for r, want := range map[Rounding]int64{RoundDown: c.down, RoundUp: c.up, RoundHalfUp: c.halfUp, RoundHalfEven: c.halfEven} {
			if got, ok := MulDiv(c.a, 1, 2, r); !ok || got != want {
				t.Errorf("%d/2 %s: %d, want %d", c.a, r, got, want)
			}
		}
	}
	if _, ok := MulDiv(1, 1, 2, "sideways"); ok {
		t.Error("an unknown rounding was taken")
	}
}
