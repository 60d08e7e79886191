package server

import (
	"fmt"
	"net"
	"regexp"
	"unicode/utf8"
)

// PayingConfig is about paying for parking.
type PayingConfig struct {
	Stripe bool         `yaml:"stripe"`
	Alipay AlipayConfig `yaml:"alipay"`
	WeChat WeChatConfig `yaml:"wechat"`
	Kiosks []string     `yaml:"kiosks"`
	Seller SellerConfig `yaml:"seller"`
}

// AlipayConfig is the application at Alipay; without one it is no way to pay.
type AlipayConfig struct {
	AppID string `yaml:"app_id"`
}

// WeChatConfig is the merchant at WeChat Pay; without one it is no way to pay.
type WeChatConfig struct {
	Merchant    string `yaml:"merchant"`
	AppID       string `yaml:"app_id"`
	Certificate string `yaml:"certificate"`
	PublicKey   string `yaml:"public_key"`
}

// providers are the ways that have a page, in the order in which drivers see them.
func (c PayingConfig) providers() (all []string) {
	for _, one := range []struct {
		name string
		on   bool
	}{{"stripe", c.Stripe}, {"alipay", c.Alipay.AppID != ""}, {"wechat", c.WeChat.Merchant != ""}} {
		if one.on {
			all = append(all, one.name)
		}
	}
	return all
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
	number := regexp.MustCompile(`^[0-9A-Za-z_]{1,64}$`)
	for what, text := range map[string]string{"alipay.app_id": c.Alipay.AppID, "wechat.merchant": c.WeChat.Merchant, "wechat.app_id": c.WeChat.AppID, "wechat.certificate": c.WeChat.Certificate, "wechat.public_key": c.WeChat.PublicKey} {
		if text != "" && !number.MatchString(text) {
			return fmt.Errorf("%s is letters, digits and _, at most 64", what)
		}
	}
	if c.WeChat != (WeChatConfig{}) && (c.WeChat.Merchant == "" || c.WeChat.AppID == "" || c.WeChat.Certificate == "" || c.WeChat.PublicKey == "") {
		return fmt.Errorf("wechat: merchant, app_id, certificate and public_key belong together")
	}
	for _, a := range c.Kiosks {
		if net.ParseIP(a) == nil {
			return fmt.Errorf("kiosks: %q is no address", a)
		}
	}
	return nil
}
