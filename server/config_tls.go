package server

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"gatehouse/listen"
)

// TLSConfig is how the server is reached by others than this machine.
type TLSConfig struct {
	Certificates string        `yaml:"certificates"` // none, files, acme, local
	Names        []string      `yaml:"names"`
	Certificate  string        `yaml:"certificate"`
	Key          string        `yaml:"key"`
	ACME         ACMEConfig    `yaml:"acme"`
	AllowTLS12   bool          `yaml:"allow_tls12"`
	Redirect     string        `yaml:"redirect"`
	HSTS         time.Duration `yaml:"hsts"`
	DeviceTokens bool          `yaml:"device_tokens"`
}

// ACMEConfig says which authority is asked for certificates.
type ACMEConfig struct {
	Directory string `yaml:"directory"`
	Email     string `yaml:"email"`
	Roots     string `yaml:"roots"`
}

func defaultTLS() TLSConfig {
	return TLSConfig{Certificates: "none", Names: []string{}, ACME: ACMEConfig{Directory: "https://acme-v02.api.letsencrypt.org/directory"},
		HSTS: 180 * 24 * time.Hour, DeviceTokens: true}
}

// On reports whether there is TLS.
func (t TLSConfig) On() bool { return t.Certificates != "none" }

// checkListen refuses everything that would be reachable from elsewhere in clear.
func (c *Config) checkListen() error {
	host, _, err := net.SplitHostPort(c.Listen)
	if err != nil {
		return err
	}
	if !c.TLS.On() && !listen.Loopback(host) {
		return fmt.Errorf("%q is reachable from other machines, and without TLS what passes could be read and changed on its way", c.Listen)
	}
	return nil
}

func (t TLSConfig) check(data string) error {
	errs := []error{oneOf("certificates", t.Certificates, "none", "files", "acme", "local")}
	for _, name := range t.Names {
		errs = append(errs, listen.CheckName(name))
	}
	if t.HSTS < 0 || t.HSTS > 2*366*24*time.Hour {
		errs = append(errs, errors.New("hsts is from 0s to 2 years"))
	}
	if t.Redirect != "" {
		if _, _, err := net.SplitHostPort(t.Redirect); err != nil {
			errs = append(errs, errors.New("redirect is an address such as :80"))
		}
	}
	if !t.On() {
		if t.Redirect != "" {
			errs = append(errs, errors.New("there is nothing to redirect to without certificates"))
		}
		return errors.Join(errs...)
	}
	if len(t.Names) == 0 {
		errs = append(errs, errors.New("names is empty: the server answers under the names that stand there, and no others"))
	}
	switch t.Certificates {
	case "files":
		if t.Certificate == "" || t.Key == "" {
			errs = append(errs, errors.New("certificate and key must name files"))
		} else if inside(data, t.Key) {
			errs = append(errs, errors.New("the key lies inside the data directory, where it would be copied with it"))
		}
	case "acme":
		errs = append(errs, t.checkACME())
	}
	return errors.Join(errs...)
}

func (t TLSConfig) checkACME() error {
	u, err := url.Parse(t.ACME.Directory)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return errors.New("acme.directory is an https address")
	}
	for _, name := range t.Names {
		if net.ParseIP(name) != nil || !strings.Contains(name, ".") {
			return fmt.Errorf("an ACME authority certifies public names such as gates.example, not %q", name)
		}
	}
	return nil
}
