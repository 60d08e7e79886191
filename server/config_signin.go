package server

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/auth"
	"gatehouse/listen"
)

// SignInConfig says how people sign in, and for how long.
type SignInConfig struct {
	RelyingParty string        `yaml:"relying_party"`
	Idle         time.Duration `yaml:"idle"`
	Absolute     time.Duration `yaml:"absolute"`
	Fresh        time.Duration `yaml:"fresh"`
	TOTP         bool          `yaml:"totp"`
	OIDC         OIDCConfig    `yaml:"oidc"`
}

// OIDCConfig is single sign-on with one provider.
type OIDCConfig struct {
	Issuer     string            `yaml:"issuer"`
	ClientID   string            `yaml:"client_id"`
	Secret     string            `yaml:"secret"`
	Domains    []string          `yaml:"domains"`
	RolesClaim string            `yaml:"roles_claim"`
	Roles      map[string]string `yaml:"roles"`
}

func defaultSignIn() SignInConfig {
	return SignInConfig{RelyingParty: "localhost", Idle: auth.DefaultIdle, Absolute: auth.DefaultAbsolute, Fresh: auth.DefaultFresh,
		OIDC: OIDCConfig{Secret: "oidc", Domains: []string{}, Roles: map[string]string{}}}
}

func (c SignInConfig) check() error {
	if err := auth.CheckRelyingParty(c.RelyingParty); err != nil {
		return err
	}
	for _, d := range []struct {
		name           string
		got, low, high time.Duration
	}{{"idle", c.Idle, time.Minute, 4 * time.Hour}, {"absolute", c.Absolute, 5 * time.Minute, 24 * time.Hour}, {"fresh", c.Fresh, time.Minute, time.Hour}} {
		if d.got < d.low || d.got > d.high {
			return fmt.Errorf("%s is %v and may be %v to %v", d.name, d.got, d.low, d.high)
		}
	}
	if c.Idle > c.Absolute {
		return fmt.Errorf("idle is %v, which is longer than absolute", c.Idle)
	}
	return c.OIDC.check()
}

func (c OIDCConfig) check() error {
	if c.Issuer == "" {
		if c.ClientID != "" || len(c.Domains) > 0 || c.RolesClaim != "" || len(c.Roles) > 0 {
			return fmt.Errorf("oidc.issuer is missing")
		}
		return nil
	}
	u, err := url.Parse(c.Issuer)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && !(u.Scheme == "http" && isLoopback(u.Hostname())) {
		return fmt.Errorf("oidc.issuer is no https address of a provider")
	}
	if c.ClientID == "" {
		return fmt.Errorf("oidc.client_id is missing")
	}
	if c.Secret != "" {
		if err := gatehouse.CheckName(c.Secret); err != nil {
			return fmt.Errorf("oidc.secret names a secret of `gatehouse secret set`, and is none itself")
		}
	}
	for _, d := range c.Domains {
		if d != strings.ToLower(d) || !strings.Contains(d, ".") || strings.ContainsAny(d, "@ /*") {
			return fmt.Errorf("oidc.domains: %q is no domain such as example.org", d)
		}
	}
	if (c.RolesClaim == "") != (len(c.Roles) == 0) {
		return fmt.Errorf("oidc.roles_claim and oidc.roles belong together")
	}
	_, err = c.roles()
	return err
}

// roles are what the words of the claim stand for.
func (c OIDCConfig) roles() (map[string]gatehouse.Assignment, error) {
	out := map[string]gatehouse.Assignment{}
	for word, text := range c.Roles {
		as, err := gatehouse.ParseAssignment(text)
		if err != nil {
			return nil, fmt.Errorf("oidc.roles: %q is no role; write guard:front-door or administrator", text)
		}
		out[word] = as
	}
	return out, nil
}

// relyingParty is the name that passkeys are bound to: without another in the
// configuration that of the certificate.
func (c *Config) relyingParty() string {
	if name := c.SignIn.RelyingParty; !c.TLS.On() || name != defaultSignIn().RelyingParty {
		return name
	}
	return c.TLS.Names[0]
}

// baseURL is where browsers find the console at a port. Passkeys are bound to a name, so
// where the server listens at 127.0.0.1 its pages are at localhost.
func (c *Config) baseURL(port string) string {
	if c.TLS.On() {
		return listen.URL(c.TLS.Names[0], port)
	}
	host, _, _ := net.SplitHostPort(c.Listen)
	if net.ParseIP(host) != nil && c.SignIn.RelyingParty == "localhost" {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}
