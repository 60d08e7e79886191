package server

import (
	"fmt"
	"net"
	"unicode/utf8"
)

// PayingConfig is about paying for parking.
type PayingConfig struct {
	Stripe bool         `yaml:"stripe"`
	Kiosks []string     `yaml:"kiosks"`
	Seller SellerConfig `yaml:"seller"`
}

// SellerConfig is who receipts are from.
type SellerConfig struct {
	Name      string `yaml:"name"`
	Address   string `yaml:"address"`
	TaxNumber string `yaml:"tax_number"`
}

// maxSeller bounds, in characters, each line of who a receipt is from.
const maxSeller = 200

func (c PayingConfig) check() error {
	for what, text := range map[string]string{"name": c.Seller.Name, "address": c.Seller.Address, "tax_number": c.Seller.TaxNumber} {
		if utf8.RuneCountInString(text) > maxSeller {
			return fmt.Errorf("seller.%s may have %d characters", what, maxSeller)
		}
	}
	for _, a := range c.Kiosks {
		if net.ParseIP(a) == nil {
			return fmt.Errorf("kiosks: %q is no address", a)
		}
	}
	return nil
}
