package server

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"gatehouse"
)

// check refuses what cannot work, with one sentence each.
func (c *Config) check() error {
	bad := func(where, hint, format string, args ...any) error {
		return gatehouse.Errorf("config.invalid", hint, "%s: %s", where, fmt.Sprintf(format, args...))
	}
	for where, name := range map[string]string{"organization": c.Organization, "site.id": c.Site.ID} {
		if err := gatehouse.CheckName(name); err != nil {
			return bad(where, "use 1 to 40 lower-case letters, digits and hyphens", "%q is no name", name)
		}
	}
	if _, err := time.LoadLocation(c.Site.TimeZone); err != nil {
		return bad("site.time_zone", "use a name such as Europe/Berlin or Asia/Shanghai", "%q is no time zone", c.Site.TimeZone)
	}
	if err := c.TLS.check(c.Data); err != nil {
		return bad("tls", "see gatehouse.yml and docs/tls.md", "%v", err)
	}
	if err := c.checkListen(); err != nil {
		return bad("listen", "use localhost:PORT, or set tls.certificates to files, acme or local", "%v", err)
	}
	if err := c.SignIn.check(); err != nil {
		return bad("sign_in", "see gatehouse.yml", "%v", err)
	}
	if c.Vault.Remote != "" {
		if _, _, err := net.SplitHostPort(c.Vault.Remote); err != nil || !c.Vault.Elsewhere() {
			return bad("vault.remote", "write HOST:PORT, and name the file that `gatehouse vault pair` wrote in vault.identity", "this leads to no vault")
		}
	}
	if c.Vault.Elsewhere() && c.Disclosure != (DisclosureConfig{}) {
		return bad("disclosure", "leave its numbers 0, and set the budgets on the vault's machine with `gatehouse vault budget set`", "the vault is on another machine, which takes no limits from here")
	}
	if c.Strangers.Keep && c.Strangers.Purpose == "" {
		return bad("strangers.purpose", "say why, for example \"vandalism at the back door\"", "pictures of strangers may be kept for a purpose only")
	}
	if err := c.Terminal.check(); err != nil {
		return bad("terminal", "see gatehouse.yml", "%v", err)
	}
	law, err := c.Law.law()
	if err != nil {
		return bad("law", "see gatehouse.yml", "%v", err)
	}
	if law.RecordDays > 0 && c.Retention.RecordDays > law.RecordDays {
		return bad("retention.record_days", fmt.Sprintf("use 1 to %d", law.RecordDays), "it is %d, and law.profile %s keeps nobody's face longer than %d days after they were last there", c.Retention.RecordDays, law.Profile, law.RecordDays)
	}
	if err := c.Attendance.check(c.Gates, law); err != nil {
		return err
	}
	if err := c.Paying.check(); err != nil {
		return bad("paying", "see gatehouse.yml", "%v", err)
	}
	if err := c.Backup.check(c.Data); err != nil {
		return err
	}
	if err := oneOf("it", c.LogLevel, "debug", "info", "warn", "error"); err != nil {
		return bad("log_level", "use info", "%v", err)
	}
	for _, n := range []struct {
		where          string
		got, low, high int
	}{{"vision.threads", c.Vision.Threads, 1, 64}, {"ring.minutes", c.Ring.Minutes, 1, 10}, {"ring.mebibytes", c.Ring.Mebibyte, 1, 1 << 16}} {
		if n.got < n.low || n.got > n.high {
			return bad(n.where, fmt.Sprintf("use %d to %d", n.low, n.high), "it is %d", n.got)
		}
	}
	for _, d := range []struct {
		where     string
		got, high time.Duration
	}{{"commit_within", c.CommitWithin, time.Minute}, {"vault.unsealed_for", c.Vault.UnsealedFor, 24 * time.Hour}} {
		if d.got <= 0 || d.got > d.high {
			return bad(d.where, fmt.Sprintf("use more than 0s and at most %v", d.high), "it is %v", d.got)
		}
	}
	if err := c.API.check(); err != nil {
		return err
	}
	if err := c.Disclosure.check(); err != nil {
		return bad("disclosure", "use 0 to 100000000", "%v", err)
	}
	if err := c.Alarms.check(); err != nil {
		return bad("alarms", "see gatehouse.yml", "%v", err)
	}
	if err := c.Retention.policy().Check(); err != nil {
		return bad("retention", "nothing is kept for ever: give each kind a number of days", "%v", err)
	}
	if err := c.Audit.check(c.Data); err != nil {
		return bad("audit", "see gatehouse.yml", "%v", err)
	}
	gates := map[string]bool{}
	for i, g := range c.Gates {
		where := fmt.Sprintf("gates[%d]", i)
		if err := g.check(); err != nil {
			return bad(where, "see gatehouse.yml", "%v", err)
		}
		if gates[g.ID] {
			return bad(where, "give each gate an id of its own", "%q stands there twice", g.ID)
		}
		gates[g.ID] = true
	}
	devices := map[string]bool{}
	for i, d := range c.Devices {
		where := fmt.Sprintf("devices[%d]", i)
		if err := d.check(gates); err != nil {
			return bad(where, "see gatehouse.yml", "%v", err)
		}
		if devices[d.ID] {
			return bad(where, "give each device an id of its own", "%q stands there twice", d.ID)
		}
		devices[d.ID] = true
	}
	lanes, parks := map[string]bool{}, map[string]bool{}
	for _, g := range c.Gates {
		lanes[g.ID] = g.Kind == string(gatehouse.Lane)
	}
	for i, p := range c.Parking {
		where := fmt.Sprintf("parking[%d]", i)
		if err := p.check(lanes); err != nil {
			return bad(where, "see gatehouse.yml", "%v", err)
		}
		if parks[p.ID] {
			return bad(where, "give each car park an id of its own", "%q stands there twice", p.ID)
		}
		parks[p.ID] = true
	}
	_, err = c.schedules()
	return err
}

func oneOf(what, got string, all ...string) error {
	for _, a := range all {
		if got == a {
			return nil
		}
	}
	return fmt.Errorf("%s is %q and may be %s", what, got, strings.Join(all, ", "))
}

func (g GateConfig) check() error {
	errs := []error{gatehouse.CheckName(g.ID), oneOf("kind", g.Kind, "door", "lane"), oneOf("direction", g.Direction, "in", "out"),
		oneOf("region", g.Region, "cn", "eu", "us", "br", "any"), oneOf("fail", g.Fail, "secure", "safe"),
		oneOf("actuator.kind", g.Actuator.Kind, "none", "simulated", "http", "mqtt")}
	if g.MinPlateConfidence < 0 || g.MinPlateConfidence > 1 {
		errs = append(errs, fmt.Errorf("min_plate_confidence is %v and may be 0 to 1", g.MinPlateConfidence))
	}
	for name, d := range map[string]time.Duration{"second_factor_within": g.SecondFactorWithin, "repeat_within": g.RepeatWithin, "hold": g.Hold, "confirm_within": g.ConfirmWithin} {
		if d < 0 || d > 10*time.Minute {
			errs = append(errs, fmt.Errorf("%s is %v and may be 0s to 10m", name, d))
		}
	}
	if (g.Actuator.Kind == "http" || g.Actuator.Kind == "mqtt") && (g.Actuator.URL != "" || g.Actuator.Device == "") {
		errs = append(errs, checkURL("actuator.url", g.Actuator.URL))
	}
	return errors.Join(errs...)
}

func (d DeviceConfig) check(gates map[string]bool) error {
	errs := []error{gatehouse.CheckName(d.ID), oneOf("kind", d.Kind, "camera", "reader", "terminal", "relay", "kiosk")}
	if !gates[d.Gate] {
		errs = append(errs, fmt.Errorf("gate %q is not among the gates", d.Gate))
	}
	if d.FPS <= 0 || d.FPS > 30 {
		errs = append(errs, fmt.Errorf("fps is %v and may be up to 30", d.FPS))
	}
	if strings.Contains(d.Source, "://") {
		errs = append(errs, checkURL("source", d.Source))
	}
	return errors.Join(errs...)
}

// checkURL refuses a URL that carries a password: this file is read by many.
func checkURL(what, text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return fmt.Errorf("%s is not a URL", what)
	}
	if _, has := u.User.Password(); has {
		return fmt.Errorf("%s holds a password, which does not belong into this file: use `gatehouse device add ID --source-file -`, which seals it", what)
	}
	return nil
}
