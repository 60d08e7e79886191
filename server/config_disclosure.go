package server

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"

	"gatehouse/vault/budget"
)

// DisclosureConfig bounds the budgets from above: it can lower what was set with the
// vault's passphrase and never raise it.
type DisclosureConfig struct {
	Operator     LimitConfig `yaml:"operator"`
	Role         LimitConfig `yaml:"role"`
	Organization LimitConfig `yaml:"organization"`
	Live         LimitConfig `yaml:"live"`
}

// LimitConfig is one budget, in units; 0 leaves it as it was set.
type LimitConfig struct {
	Hour int `yaml:"hour"`
	Day  int `yaml:"day"`
}

func (c DisclosureConfig) limits() budget.Limits {
	return budget.Limits{Operator: budget.Limit(c.Operator), Role: budget.Limit(c.Role), Organization: budget.Limit(c.Organization), Live: budget.Limit(c.Live)}
}

func (c DisclosureConfig) check() error {
	for _, l := range []LimitConfig{c.Operator, c.Role, c.Organization, c.Live} {
		for _, n := range []int{l.Hour, l.Day} {
			if n < 0 || n > budget.MaxLimit {
				return fmt.Errorf("a budget is %d units", n)
			}
		}
	}
	return nil
}

// AlarmsConfig says where alarms go besides the log.
type AlarmsConfig struct {
	Webhook WebhookConfig `yaml:"webhook"`
	Mail    MailConfig    `yaml:"mail"`
}

// WebhookConfig is a receiver of Standard Webhooks.
type WebhookConfig struct {
	URL string `yaml:"url"`
}

// MailConfig is a mail server and who gets mail.
type MailConfig struct {
	Host     string   `yaml:"host"`
	Port     int      `yaml:"port"`
	Security string   `yaml:"security"`
	User     string   `yaml:"user"`
	From     string   `yaml:"from"`
	To       []string `yaml:"to"`
	Language string   `yaml:"language"`
}

func (c AlarmsConfig) check() error {
	if c.Webhook.URL != "" {
		u, err := url.Parse(c.Webhook.URL)
		switch {
		case err != nil || u.Host == "":
			return errors.New("webhook.url is not a URL")
		case u.User != nil || u.RawQuery != "":
			return errors.New("webhook.url holds a user or a query, which do not belong into this file")
		case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
			return errors.New("webhook.url is not https")
		}
	}
	m := c.Mail
	if m.Host == "" {
		return nil
	}
	if m.Port < 1 || m.Port > 65535 {
		return fmt.Errorf("mail.port is %d", m.Port)
	}
	if err := oneOf("mail.security", m.Security, "starttls", "tls", "none"); err != nil {
		return err
	}
	if m.Language != "" && m.Language != "en" && m.Language != "zh" {
		return errors.New("mail.language is en or zh")
	}
	if m.Security == "none" && !isLoopback(m.Host) {
		return errors.New("mail.security is none, which is for a mail server on this machine only")
	}
	if len(m.To) == 0 {
		return errors.New("mail.to names nobody")
	}
	for _, text := range append([]string{m.From}, m.To...) {
		if a, err := mail.ParseAddress(text); err != nil || a.Address != text {
			return errors.New("mail.from or mail.to is no plain address such as gate@example.org")
		}
	}
	return nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
