package server

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/console"
)

// A setting counts at once and after a restart, is in the log, and is never laxer than
// gatehouse.yml.
func TestSettingsAreChangedWhileItRuns(t *testing.T) {
	c := testConfig(t)
	c.Retention.PassageDays, c.Retention.MetadataDays = 90, 365
	s := open(t, c)
	ctx := t.Context()
	for name, values := range map[string][]string{
		"retention.passage_days": {"91", "0", "-1", "x", "9999999999999999999", ""}, "log_level": {"loud", "DEBUG"}, "backup.every": {"1h", "x", "-1h"},
		"listen": {"0.0.0.0:1"}, "gate_key": {"/tmp/k"}, "data": {"/tmp"}, "tls.certificates": {"none"}, "sign_in.totp": {"true"}, "strangers.keep": {"true"}, "": {"x"}, "retention": {"1"}, "alarms.webhook.url": {"https://x"},
	} {
		for _, value := range values {
			err := s.ChangeSetting(ctx, "anna", name, value)
			if code := gatehouse.ErrorCode(err); value != "" && code != "setting.value" && code != "setting.fixed" {
				t.Errorf("%s = %q: %v", name, value, err)
			}
		}
	}
	if s.current() != ofFile(c) {
		t.Errorf("something was changed: %+v", s.current())
	}
	for _, set := range [][2]string{{"retention.metadata_days", "60"}} {
		if err := s.ChangeSetting(ctx, "anna", set[0], set[1]); gatehouse.ErrorCode(err) != "setting.value" {
			t.Errorf("metadata goes before what passages say: %v", err)
		}
	}
	for _, set := range [][2]string{{"retention.passage_days", "30"}, {"retention.metadata_days", "60"}, {"log_level", "warn"}} {
		if err := s.ChangeSetting(ctx, "anna", set[0], set[1]); err != nil {
			t.Fatal(err)
		}
	}
	check := func(s *Server) {
		t.Helper()
		if now := s.current(); now.Retention.PassageDays != 30 || now.Retention.MetadataDays != 60 || now.Retention.FrameDays != c.Retention.FrameDays {
			t.Errorf("retention is %+v", now.Retention)
		}
		if !s.log.Enabled(ctx, slog.LevelWarn) || s.log.Enabled(ctx, slog.LevelInfo) {
			t.Error("the log's level is another")
		}
	}
	check(s)
	leaves := 0
	if err := s.store.Leaves(ctx, 0, func(_ uint64, leaf []byte) error {
		if kind, _, parts, err := gatehouse.LeafParts(leaf); err == nil && kind == gatehouse.SettingLeafKind && string(parts[5]) == "anna" {
			leaves++
		}
		return nil
	}); err != nil || leaves != 4 { // the empty one took nothing away, and is there
		t.Errorf("%d leaves, %v", leaves, err)
	}
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	s = open(t, c)
	check(s)
	if err := s.ChangeSetting(ctx, "anna", "retention.passage_days", ""); gatehouse.ErrorCode(err) != "setting.value" {
		t.Errorf("taking it away leaves metadata below: %v", err)
	}
	if err := s.ChangeSetting(ctx, "anna", "retention.metadata_days", ""); err != nil {
		t.Fatal(err)
	}
	if err := s.ChangeSetting(ctx, "anna", "retention.passage_days", ""); err != nil || s.current().Retention != c.Retention {
		t.Errorf("taken away: %+v, %v", s.current().Retention, err)
	}
	if err := s.ChangeSetting(ctx, "anna", "retention.record_days", "1000"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	// gatehouse.yml became stricter meanwhile: it counts.
	c.Retention.RecordDays = 400
	if s = open(t, c); s.current().Retention.RecordDays != 400 {
		t.Errorf("kept longer than gatehouse.yml says: %d days", s.current().Retention.RecordDays)
	}
}

// No credential and no address of a person is on the page, wherever in gatehouse.yml it
// stands; every option is, and is explained.
func TestOptionsShowNoSecret(t *testing.T) {
	const mark = "MARK"
	c := DefaultConfig()
	c.Alarms.Webhook.URL = "https://hooks.example/" + mark
	c.Alarms.Mail = MailConfig{Host: "mail.example", Port: 587, Security: "starttls", User: mark, From: mark + "@example.org", To: []string{mark + "@example.org", "b@example.org"}}
	c.Backup.Data = "s3://" + mark + ":" + mark + "@s3.example/bucket?access=" + mark + "#" + mark
	c.GateKey = "pkcs11:/usr/lib/x.so?token=a&pin-file=" + mark
	c.TLS.ACME.Email, c.SignIn.OIDC.ClientID = mark+"@example.org", mark
	c.SignIn.OIDC.Issuer = "https://u:" + mark + "@login.example/?x=" + mark
	c.Gates[0].Actuator.URL = "http://u:" + mark + "@relay/"
	c.Devices[0].Source = "rtsp://u:" + mark + "@camera/"
	s := &Server{config: c, opts: Options{Origins: map[string]string{"listen": "file"}}, settings: settings{now: ofFile(c), set: map[string]gatehouse.Setting{"log_level": {}}}}
	found := map[string]Option{}
	for _, o := range s.Options() {
		found[o.Name] = o
		if strings.Contains(o.Value, mark) {
			t.Errorf("%s shows %q", o.Name, o.Value)
		}
		// What needs no words of its own has its section's.
		if section, _, _ := strings.Cut(o.Name, "."); o.Means == "" && Meanings()[section] == "" && !strings.HasPrefix(o.Name, "site.") && section != "gates" && section != "devices" {
			t.Errorf("%s is not explained", o.Name)
		}
		if !console.OptionKnown(o.Name) {
			t.Errorf("console/strings_settings.go does not say in Chinese what %s means", o.Name)
		}
	}
	if len(found) < 60 || found["listen"].From != "file" || found["log_level"].From != "console" || found["alarms.mail.to"].Value != "2" || found["alarms.mail.user"].Value != "set" || found["gates"].Value != "2" {
		t.Errorf("%d options: %+v", len(found), found["listen"])
	}
	if m := found["retention.frame_days"].Means; m != "Whole frames, 1 to 7." {
		t.Errorf("the manual says %q", m)
	}
}

func TestOrigins(t *testing.T) {
	raw, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	if all := Origins(raw, nil); all["site.time_zone"] != "file" || all["alarms.mail.host"] != "file" {
		t.Errorf("%v", all)
	}
	if all := Origins([]byte("listen: localhost:1\n"), []string{"GATEHOUSE_SITE_TIME_ZONE=UTC", "HOME=/"}); len(all) != 2 || all["listen"] != "file" || all["site.time_zone"] != "environment" {
		t.Errorf("%v", all)
	}
}

func TestBackupsAreDue(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for _, c := range []struct {
		every        time.Duration
		last, failed time.Time
		want         time.Duration
	}{{0, time.Time{}, time.Time{}, dueEvery}, {time.Hour, time.Time{}, time.Time{}, 0}, {time.Hour, now.Add(-20 * time.Minute), time.Time{}, 40 * time.Minute}, {time.Hour, now.Add(-2 * time.Hour), time.Time{}, -time.Hour},
		{time.Hour, now.Add(-2 * time.Hour), now.Add(-5 * time.Minute), 10 * time.Minute}, {time.Minute, time.Time{}, now, time.Minute}, {time.Hour, now.Add(24 * time.Hour), time.Time{}, time.Hour}} {
		if got := dueIn(c.every, c.last, c.failed, now); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
