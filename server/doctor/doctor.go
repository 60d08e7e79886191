// Package doctor looks for what is wrong with an installation, or will be: each check
// says what it found and what to do. It works with a running server and without one, and
// changes nothing.
package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/server"
)

// Verdict is how a check went.
type Verdict = wire.Verdict

// The verdicts.
const (
	OK      = wire.VerdictOK
	Warn    = wire.VerdictWarn
	Fail    = wire.VerdictFail
	Skipped = wire.VerdictSkipped
)

// Check is one thing that was looked at.
type Check = wire.Check

// Report is all of them.
type Report = wire.Examination

// Options say what to look at.
type Options struct {
	// Path is the configuration file.
	Path    string
	Environ []string
	// Only names the areas to look at, beside the configuration; none are all.
	Only []string
	// Live asks the running server of a configuration; nil where none runs.
	Live func(ctx context.Context, c server.Config) (Live, error)
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Live is a running server.
type Live interface {
	Status(ctx context.Context) (wire.Status, error)
	Health(ctx context.Context) (wire.Health, error)
	CarParks(ctx context.Context) (wire.CarParksResponse, error)
	Tariffs(ctx context.Context) (wire.TariffsResponse, error)
	BooksReport(ctx context.Context, from, until gatehouse.Date) (wire.BooksReport, error)
	HoursPlans(ctx context.Context) (wire.HoursPlans, error)
	Secrets(ctx context.Context) (wire.SecretsResponse, error)
}

// doctor is one examination.
type doctor struct {
	o      Options
	config server.Config
	live   Live        // nil: no server runs
	health wire.Health // of the running server
	status wire.Status
	pid    int // of the running server; 0 where it is not known
	report Report
	area   string
}

// Run looks at everything.
func Run(ctx context.Context, o Options) Report {
	if o.Now == nil {
		o.Now = time.Now
	}
	d := &doctor{o: o, report: Report{At: o.Now().UTC().Truncate(time.Second), Config: o.Path, Verdict: OK, Checks: []Check{}}}
	if d.configuration(ctx) {
		for _, a := range []struct {
			name string
			look func(context.Context)
		}{{"permissions", d.permissions}, {"exposure", d.exposure}, {"time", d.time}, {"disk", d.disk}, {"keys", d.keys}, {"cameras", d.cameras}, {"versions", d.versions}, {"limits", d.limits}, {"parking", d.parking}, {"attendance", d.attendance}} {
			if len(o.Only) == 0 || slices.Contains(o.Only, a.name) {
				d.area = a.name
				a.look(ctx)
			}
		}
	}
	return d.report
}

func (d *doctor) add(name string, v Verdict, do, reason string, args ...any) {
	c := Check{Area: d.area, Name: name, Verdict: v, Reason: fmt.Sprintf(reason, args...), Do: do, Format: reason, Args: args}
	if v == OK || v == Skipped {
		c.Do = ""
	}
	d.report.Checks = append(d.report.Checks, c)
	if v == Fail || v == Warn && d.report.Verdict != Fail {
		d.report.Verdict = v
	}
}

// judge adds a check that is ok where good, and else is as bad as worse.
func (d *doctor) judge(name string, good bool, worse Verdict, do, reason string, args ...any) {
	v := worse
	if good {
		v = OK
	}
	d.add(name, v, do, reason, args...)
}

// error adds a check that failed with an error of Gatehouse's own.
func (d *doctor) error(name string, v Verdict, err error) {
	hint := "see the server's log"
	if e := (*gatehouse.Error)(nil); errors.As(err, &e) {
		hint = e.Hint
		d.add(name, v, hint, "%s", e.Public())
		return
	}
	d.add(name, v, hint, "%v", err)
}

// configuration reports whether there is one to go on with.
func (d *doctor) configuration(ctx context.Context) bool {
	d.area = "configuration"
	c, err := server.LoadConfig(d.o.Path, d.o.Environ)
	if code := gatehouse.ErrorCode(err); code == "config.missing" {
		d.add("file", Warn, "copy gatehouse.yml from the project and change it, or name another with --config", "there is no configuration at %s: the defaults hold", d.o.Path)
	} else if err != nil {
		d.error("file", Fail, err)
		return false
	} else {
		d.add("file", OK, "", "%s is valid", d.o.Path)
	}
	d.config = c
	d.judge("time zone", c.Site.TimeZone != "UTC" || len(c.Schedules) == 0, Warn, "set site.time_zone", "schedules are in %s", c.Site.TimeZone)
	d.judge("backups", c.Backup.Data != "" && c.Backup.Keys != "" && c.Backup.Every > 0, Warn, "set backup.data, backup.keys and backup.every (docs/backup.md)", "backups are %s", said(c.Backup.Data != "" && c.Backup.Keys != "" && c.Backup.Every > 0, "made every "+c.Backup.Every.String(), "not made by themselves"))
	d.judge("witnesses", len(c.Audit.Witness) > 0, Warn, "name a witness in audit.witness: that the log was rolled back as a whole is known to witnesses only", "%d witnesses are configured", len(c.Audit.Witness))
	d.judge("alarms", c.Alarms.Webhook.URL != "" || c.Alarms.Mail.Host != "", Warn, "set alarms.webhook or alarms.mail, and try `gatehouse alarm test`", "alarms go %s", said(c.Alarms.Webhook.URL != "" || c.Alarms.Mail.Host != "", "to whom gatehouse.yml names", "to the log only"))
	initialized, err := server.Initialized(c)
	switch {
	case err != nil:
		d.error("site", Fail, err)
	default:
		d.judge("site", initialized, Warn, "run `gatehouse init`, or `gatehouse serve`", "the site %s", said(initialized, "has its keys", "has no keys yet"))
	}
	d.ask(ctx)
	return true
}

// ask asks the running server, if there is one.
func (d *doctor) ask(ctx context.Context) {
	if d.o.Live == nil {
		return
	}
	live, err := d.o.Live(ctx, d.config)
	if err == nil && live == nil {
		d.add("server", Skipped, "", "no server runs: what only it knows is left out")
		return
	}
	if err == nil {
		if d.status, err = live.Status(ctx); err == nil {
			d.health, err = live.Health(ctx)
		}
	}
	if err != nil {
		d.error("server", Fail, err)
		return
	}
	d.live, d.report.Running, d.pid = live, true, peer(server.SocketPath(d.config))
	d.add("server", OK, "", "it runs since %s", d.health.Started.Local().Format(time.DateTime))
}

// notRunning adds a check that needs a running server.
func (d *doctor) notRunning(names ...string) {
	for _, name := range names {
		d.add(name, Skipped, "", "no server runs")
	}
}

func said(yes bool, so, otherwise string) string {
	if yes {
		return so
	}
	return otherwise
}
