package server

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/rules/privacy"
	"gatehouse/terminal"

	"github.com/google/go-cmp/cmp"
)

const manual = "../gatehouse.yml"

// gatehouse.yml is the manual: it parses, it says exactly the defaults, and every
// option of the code stands in it below or beside a comment.
func TestManualIsInStepWithTheCode(t *testing.T) {
	raw, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	var c Config
	if err := c.parse(raw); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(DefaultConfig(), c); diff != "" {
		t.Errorf("gatehouse.yml does not say the defaults (-code +file):\n%s", diff)
	}
	explained := map[string]bool{}
	above := ""
	for _, line := range strings.Split(string(raw), "\n") {
		text := strings.TrimSpace(line)
		if strings.HasPrefix(text, "#") || text == "" {
			// An example in a comment explains its options.
			if example, ok := strings.CutPrefix(text, "#   "); ok {
				key, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimSpace(example), "- "), ": ")
				explained[key] = true
			}
			above = text
			continue
		}
		key, _, _ := strings.Cut(strings.TrimPrefix(text, "- "), ":")
		if strings.HasPrefix(above, "#") {
			explained[key] = true
		}
		above = text
	}
	// These need no words: the list and its first entry explain each other.
	for _, plain := range []string{"id", "site", "vault", "vision", "gates", "devices", "actuator", "to", "keep", "purpose", "office-hours", "mail"} {
		explained[plain] = true
	}
	each(reflect.TypeFor[Config](), func(option string) {
		if !explained[option] {
			t.Errorf("gatehouse.yml says nothing about %q", option)
		}
	})
}

func each(t reflect.Type, f func(option string)) {
	for i := range t.NumField() {
		f(t.Field(i).Tag.Get("yaml"))
		switch ft := t.Field(i).Type; {
		case ft.Kind() == reflect.Struct:
			each(ft, f)
		case ft.Kind() == reflect.Slice && ft.Elem().Kind() == reflect.Struct:
			each(ft.Elem(), f)
		}
	}
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gatehouse.yml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadConfig(t *testing.T) {
	path := write(t, "site: {id: hq, time_zone: Asia/Shanghai}\ngates:\n  - {id: side, second_factor: false}\ndevices:\n  - {id: cam, gate: side, source: clip.mp4}\n")
	c, err := LoadConfig(path, []string{"GATEHOUSE_LISTEN=localhost:9999", "GATEHOUSE_VAULT_UNSEALED_FOR=5m", "UNRELATED=1"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Listen != "localhost:9999" || c.Vault.UnsealedFor != 5*time.Minute {
		t.Errorf("the environment did not count: %+v", c)
	}
	if len(c.Gates) != 1 || c.Gates[0].SecondFactor || c.Gates[0].Hold != 5*time.Second {
		t.Errorf("a gate's own options or defaults are wrong: %+v", c.Gates)
	}
	if c.Devices[0].Source != filepath.Join(filepath.Dir(path), "clip.mp4") || c.Data != filepath.Join(filepath.Dir(path), "var/data") {
		t.Errorf("relative paths are not relative to the file: %q, %q", c.Devices[0].Source, c.Data)
	}
}

func TestLoadConfigRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, code string }{
		{"an unknown option", "sight: {}\n", "config.malformed"},
		{"broken YAML", "site: [\n", "config.malformed"},
		{"a wrong type", "ring: {minutes: many}\n", "config.malformed"},
		{"an open port", "listen: 0.0.0.0:80\n", "config.invalid"},
		{"no time zone", "site: {time_zone: Mars/Base}\n", "config.invalid"},
		{"strangers without a purpose", "strangers: {keep: true}\n", "config.invalid"},
		{"a ring that is too long", "ring: {minutes: 60}\n", "config.invalid"},
		{"two gates of one name", "gates: [{id: a}, {id: a}]\n", "config.invalid"},
		{"a gate of no kind", "gates: [{id: a, kind: hatch}]\n", "config.invalid"},
		{"a device at no gate", "gates: [{id: a}]\ndevices: [{id: c, gate: b}]\n", "config.invalid"},
		{"a password in the file", "gates: [{id: a}]\ndevices: [{id: c, gate: a, source: 'rtsp://u:secret@localhost/1'}]\n", "config.invalid"},
		{"a schedule of nonsense", "schedules: {x: ['noon']}\n", "config.invalid"},
		{"a schedule past midnight", "schedules: {x: ['mon 07:00-25:00']}\n", "config.invalid"},
		{"a line that is no YAML beside a password", "gates:\n  - id: a\ndevices:\n  - id: c\n    source: rtsp://u:secret@cam.example/1\n   gate: a\n", "config.malformed"},
		{"a password in an option's name", "rtsp://u:secret@cam.example/1: a\n", "config.malformed"},
		{"a password twice", "schedules:\n  'u:secret@cam': []\n  'u:secret@cam': []\n", "config.malformed"},
		{"a password in the place of a time", "commit_within: rtsp://u:secret@cam.example/1\n", "config.malformed"},
		{"a password in the place of a switch", "gates: [{id: a, liveness: 'u:secret@cam'}]\n", "config.malformed"},
		{"a log level that is none", "log_level: verbose\n", "config.invalid"},
		{"no log level", "log_level: ''\n", "config.invalid"},
		{"fewer than no cores", "vision: {threads: -3}\n", "config.invalid"},
		{"a ring without memory", "ring: {mebibytes: 0}\n", "config.invalid"},
		{"a time to commit that is over before it begins", "commit_within: -1s\n", "config.invalid"},
		{"a vault that would never seal itself", "vault: {unsealed_for: 100h}\n", "config.invalid"},
		{"a budget below nothing", "disclosure: {operator: {hour: -1}}\n", "config.invalid"},
		{"an alarm that anybody could read on its way", "alarms: {webhook: {url: 'http://alarms.example/x'}}\n", "config.invalid"},
		{"a secret in a webhook's address", "alarms: {webhook: {url: 'https://u:secret@alarms.example/x'}}\n", "config.invalid"},
		{"a mail server in clear", "alarms: {mail: {host: mail.example, security: none, from: a@example.org, to: [b@example.org]}}\n", "config.invalid"},
		{"mail to nobody", "alarms: {mail: {host: mail.example, from: a@example.org}}\n", "config.invalid"},
		{"mail to two in one", "alarms: {mail: {host: mail.example, from: a@example.org, to: ['b@example.org, c@example.org']}}\n", "config.invalid"},
		{"a law that nobody knows", "law: {profile: mars}\n", "config.invalid"},
		{"a guardian's age below the law's", "law: {profile: eu, guardian_age: 14}\n", "config.invalid"},
		{"faces that a law keeps for three years only", "law: {profile: us-il}\nretention: {record_days: 1096}\n", "config.invalid"},
		{"attendance by faces in France", "law: {profile: fr}\nattendance: {faces: true}\n", "config.invalid"},
		{"a vault that is never unsealed", "vault: {unsealed_for: 0s}\n", "config.invalid"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := LoadConfig(write(t, c.text), nil)
			if gatehouse.ErrorCode(err) != c.code {
				t.Fatalf("got %v, want %s", err, c.code)
			}
			if strings.Contains(err.Error(), "secret") {
				t.Error("the error text holds the password")
			}
		})
	}
	for name, load := range map[string]func() (Config, error){
		"in the file":        func() (Config, error) { return LoadConfig(write(t, "terminal: {law: fr}\n"), nil) },
		"in the environment": func() (Config, error) { return LoadConfig(write(t, ""), []string{"GATEHOUSE_TERMINAL_LAW=fr"}) },
		"without a file": func() (Config, error) {
			return LoadConfig(filepath.Join(t.TempDir(), "none.yml"), []string{"GATEHOUSE_TERMINAL_LAW=fr"})
		},
	} { // which laws a site follows must not get lost with an option's old name
		if _, err := load(); gatehouse.ErrorCode(err) != "config.moved" || !strings.Contains(err.Error(), "law.profile") {
			t.Errorf("an option that moved, %s: %v", name, err)
		}
	}
	if c, err := LoadConfig(write(t, "law: {profile: fr}\n"), nil); err != nil || c.Law.Profile != "fr" {
		t.Errorf("where it moved to: %v", err)
	}
	if _, err := LoadConfig(write(t, ""), []string{"GATEHOUSE_RING_MINUTES=ten"}); gatehouse.ErrorCode(err) != "config.environment" {
		t.Errorf("a wrong variable: %v", err)
	}
	if c, err := LoadConfig(filepath.Join(t.TempDir(), "none.yml"), []string{"GATEHOUSE_LISTEN=localhost:9998"}); gatehouse.ErrorCode(err) != "config.missing" || c.Listen != "localhost:9998" {
		t.Errorf("no file: %v", err)
	}
}

// A law that consents follow has a notice, and the other way round.
func TestEveryLawHasANotice(t *testing.T) {
	all := privacy.Profiles()
	slices.Sort(all)
	if diff := cmp.Diff(all, terminal.Laws()); diff != "" {
		t.Error(diff)
	}
}

// Wherever a mistake is made in a file that holds a password, the password is not in
// the message, which goes to a log at every start.
func TestLoadConfigKeepsPasswords(t *testing.T) {
	const text = "gates:\n  - id: a\n    hold: 5s\n\ndevices:\n  - id: c\n    gate: a\n    source: rtsp://u:Hunter2@cam.example/1?a=b\n    fps: 5\nlog_level: info\n"
	refused := 0
	for i := range text {
		for _, bad := range []string{text[:i] + text[i+1:], text[:i] + "\n" + text[i:], text[:i] + "\"" + text[i:], text[:i] + "'" + text[i:], text[:i] + ": " + text[i:],
			text[:i] + "{" + text[i:], text[:i] + "*" + text[i:], text[:i] + "  " + text[i:], text[:i] + "\t" + text[i:], text[:i] + "!" + text[i:]} {
			c := DefaultConfig()
			if err := c.parse([]byte(bad)); err != nil {
				if refused++; strings.Contains(err.Error(), "Hunter2") {
					t.Fatalf("the message holds the password: %v", err)
				}
			}
		}
	}
	if refused < 100 {
		t.Errorf("only %d mistakes were refused", refused)
	}
}

// An error in the file is found by its line and option, without the file's text.
func TestLoadConfigSaysWhere(t *testing.T) {
	_, err := LoadConfig(write(t, "organization: a\nring:\n  minuts: 3\n"), nil)
	if err == nil || !strings.Contains(err.Error(), "[3:3]") || !strings.Contains(err.Error(), `"minuts"`) {
		t.Errorf("got %v", err)
	}
	_, err = LoadConfig(write(t, "gates: [{id: a}]\ndevices: [{id: c, gate: a, source: 'rtsp://u:secret@localhost/1'}]\n"), nil)
	if err == nil || !strings.Contains(err.Error(), "--source-file -") {
		t.Errorf("a password's place is not named: %v", err)
	}
	_, err = LoadConfig(write(t, "schedules: {x: ['mon noon-late']}\n"), nil)
	if err == nil || strings.Contains(err.Error(), "\n") || strings.Count(err.Error(), "time of day") != 1 {
		t.Errorf("more than one sentence: %v", err)
	}
}

func TestWindowsWithSpaces(t *testing.T) {
	want, err := gatehouse.ParseWindows("mon-fri 07:00-19:00")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"mon-fri 07:00 - 19:00", "Mon - Fri 07:00-19:00", " mon-fri  07:00\t- 19:00 "} {
		got, err := gatehouse.ParseWindows(line)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%q: %v\n%s", line, err, diff)
		}
	}
}

func TestWindowsOverMidnight(t *testing.T) {
	got, err := gatehouse.ParseWindows("fri-sat 22:00-06:00")
	if err != nil {
		t.Fatal(err)
	}
	want := []gatehouse.Window{{Day: 5, From: 1320, Until: 1800}, {Day: 6, From: 1320, Until: 1800}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
