package tariff

import (
	"strings"

	"gatehouse"
)

// ParseValidation reads a validation as commands and examples write it: "time:1h",
// "money:2.00", "percent:50", "full". A name may stand before: "bakery/time:1h".
func ParseValidation(text string, c gatehouse.Currency) (gatehouse.Validation, error) {
	v := gatehouse.Validation{Issuer: "a shop"}
	if issuer, rest, ok := strings.Cut(text, "/"); ok {
		v.Issuer, text = issuer, rest
	}
	kind, value, _ := strings.Cut(text, ":")
	v.Kind = gatehouse.ValidationKind(kind)
	r := &reader{currency: c}
	switch v.Kind {
	case gatehouse.TimeValidation:
		v.Time = r.duration(scalar(value), "")
	case gatehouse.MoneyValidation:
		v.Money = gatehouse.Money{Minor: r.amount(scalar(value), ""), Currency: c}
	case gatehouse.PercentValidation:
		v.BasisPoints = r.percent(scalar(value), "")
	}
	known := v.Kind == gatehouse.FullValidation && value == "" || v.Time > 0 || v.Money.Minor > 0 || v.BasisPoints > 0
	if len(r.found) > 0 || !known {
		return v, gatehouse.Errorf("tariff.validation", "write time:1h, money:2.00, percent:50 or full", "a validation cannot be understood")
	}
	return v, nil
}
