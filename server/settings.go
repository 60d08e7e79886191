package server

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"gatehouse"

	"github.com/goccy/go-yaml"
)

// current is what of the configuration may be changed while the server runs, as it counts
// now: gatehouse.yml's, and what somebody set over it. Nothing here is a secret, nothing
// says who or what gets in, and retention can only be made shorter than gatehouse.yml has
// it: whoever took over a session of an administrator's can keep nothing longer.
type current struct {
	Retention   RetentionConfig
	BackupEvery time.Duration
	LogLevel    string
}

// settings keeps it. The zero value is of no use: see openSettings.
type settings struct {
	level *slog.LevelVar
	mu    sync.Mutex
	now   current
	set   map[string]gatehouse.Setting // what was set over gatehouse.yml, by name
}

// changeable are the options that may be changed, and how each is read into current. It
// fails with setting.value, whose hint says what is allowed.
var changeable = map[string]func(c Config, to *current, value string) error{
	"log_level": func(_ Config, to *current, value string) error {
		if !slices.Contains([]string{"debug", "info", "warn", "error"}, value) {
			return badValue("use debug, info, warn or error")
		}
		to.LogLevel = value
		return nil
	},
	"backup.every": func(c Config, to *current, value string) error {
		d, err := time.ParseDuration(value)
		b := c.Backup
		if b.Every = d; err != nil || b.check(c.Data) != nil {
			return badValue("use 1m to 168h, or 0s; the targets stand in gatehouse.yml")
		}
		to.BackupEvery = d
		return nil
	},
	"retention.passage_days":  shorter(func(r *RetentionConfig) *int { return &r.PassageDays }),
	"retention.frame_days":    shorter(func(r *RetentionConfig) *int { return &r.FrameDays }),
	"retention.stranger_days": shorter(func(r *RetentionConfig) *int { return &r.StrangerDays }),
	"retention.record_days":   shorter(func(r *RetentionConfig) *int { return &r.RecordDays }),
	"retention.metadata_days": shorter(func(r *RetentionConfig) *int { return &r.MetadataDays }),
}

func badValue(hint string) error {
	return gatehouse.Errorf("setting.value", hint, "the setting cannot have this value")
}

// shorter reads a number of days that is at most gatehouse.yml's.
func shorter(of func(*RetentionConfig) *int) func(Config, *current, string) error {
	return func(c Config, to *current, value string) error {
		n, err := strconv.Atoi(value)
		most := *of(&c.Retention)
		if err != nil || n < 1 || n > most {
			return badValue(fmt.Sprintf("use 1 to %d days: gatehouse.yml is the most", most))
		}
		*of(&to.Retention) = n
		return nil
	}
}

// layered is gatehouse.yml with what was set over it. left are the names of what does not
// fit it; where retention as a whole does not, gatehouse.yml's counts.
func layered(c Config, set map[string]gatehouse.Setting) (now current, left []string) {
	now = ofFile(c)
	for name, one := range set {
		if apply, ok := changeable[name]; !ok || apply(c, &now, one.Value) != nil {
			left = append(left, name)
		}
	}
	if now.Retention.policy().Check() != nil {
		now.Retention, left = c.Retention, append(left, "retention")
	}
	return now, left
}

func ofFile(c Config) current {
	return current{Retention: c.Retention, BackupEvery: c.Backup.Every, LogLevel: c.LogLevel}
}

// openSettings reads what was set over gatehouse.yml. What does not fit any more, since
// gatehouse.yml became stricter, is passed over and said.
func (s *Server) openSettings(ctx context.Context) error {
	stored, err := s.store.Settings(ctx, s.site.Place)
	if err != nil {
		return err
	}
	s.settings.mu.Lock()
	defer s.settings.mu.Unlock()
	for _, one := range stored {
		s.settings.set[one.Name] = one
	}
	var left []string
	s.settings.now, left = layered(s.config, s.settings.set)
	for _, name := range left {
		s.log.Warn("a setting that was changed at the console does not fit gatehouse.yml any more, which counts", "setting", name)
		delete(s.settings.set, name)
	}
	s.settings.apply(s.opts.Quiet)
	return nil
}

// apply makes the log's level that which counts; it must be called with the lock held.
func (s *settings) apply(quiet bool) {
	if s.level == nil {
		return
	}
	s.level.Set(levelOf(s.now.LogLevel, quiet))
}

// current is what counts now.
func (s *Server) current() current {
	s.settings.mu.Lock()
	defer s.settings.mu.Unlock()
	return s.settings.now
}

// ChangeSetting sets an option over gatehouse.yml; "" takes that away. It counts at once,
// is in the audit log, and outlives a restart. Errors: setting.fixed, setting.value, the
// store's.
func (s *Server) ChangeSetting(ctx context.Context, operator, name, value string) error {
	apply, ok := changeable[name]
	if !ok {
		return gatehouse.Errorf("setting.fixed", "change gatehouse.yml and start the server again", "this option cannot be changed while the server runs")
	}
	s.settings.mu.Lock()
	defer s.settings.mu.Unlock()
	set := gatehouse.Setting{Name: name, Value: value, At: time.Now().UTC()}
	all := maps.Clone(s.settings.set)
	if delete(all, name); value != "" {
		if err := apply(s.config, &current{}, value); err != nil {
			return err
		}
		all[name] = set
	}
	next, left := layered(s.config, all)
	if len(left) > 0 {
		return badValue("metadata_days may not be less than passage_days")
	}
	if err := s.store.PutSetting(ctx, s.site.Place, set, gatehouse.SettingLeaf(s.site.Place, set, operator)); err != nil {
		return err
	}
	s.committed()
	s.settings.set, s.settings.now = all, next
	s.settings.apply(s.opts.Quiet)
	return nil
}

// Option is one option of the configuration, as it may be shown: no secret, no address
// of a person.
type Option struct {
	Name   string // with dots
	Value  string // as it counts now; hidden where Hidden
	Hidden bool   // Value says only whether it is set, or how many there are
	From   string // default, file, environment or console
	Means  string // in English, from the manual
}

// hiddenOptions say only whether they are set: they name people or are credentials, or may
// hold one.
var hiddenOptions = []string{"alarms.mail.user", "alarms.mail.from", "alarms.mail.to", "alarms.webhook.url", "tls.acme.email", "sign_in.oidc.client_id"}

// Options lists all of them but those of single gates and devices, in the manual's order.
func (s *Server) Options() (all []Option) {
	c := s.config
	now := s.current()
	c.Retention, c.Backup.Every, c.LogLevel = now.Retention, now.BackupEvery, now.LogLevel
	means := Meanings()
	s.settings.mu.Lock()
	set := s.settings.set
	defaults := map[string]string{}
	eachOption(reflect.ValueOf(DefaultConfig()), "", func(name string, v reflect.Value) { defaults[name] = shownValue(v) })
	eachOption(reflect.ValueOf(c), "", func(name string, v reflect.Value) {
		o := Option{Name: name, Value: shownValue(v), Means: means[name], From: "default"}
		if from, ok := s.opts.Origins[name]; ok {
			o.From = from
		} else if o.Value != defaults[name] {
			o.From = "program"
		}
		if _, ok := set[name]; ok {
			o.From = "console"
		}
		if slices.Contains(hiddenOptions, name) {
			o.Hidden = true
			if v.Kind() == reflect.Slice {
				o.Value = strconv.Itoa(v.Len())
			} else if o.Value != "" {
				o.Value = "set"
			}
		}
		all = append(all, o)
	})
	s.settings.mu.Unlock()
	return all
}

// eachOption calls f for every option of a configuration. Gates, devices, witnesses and
// schedules are one each.
func eachOption(v reflect.Value, prefix string, f func(name string, v reflect.Value)) {
	for i := range v.NumField() {
		name := prefix + v.Type().Field(i).Tag.Get("yaml")
		if field := v.Field(i); field.Kind() == reflect.Struct {
			eachOption(field, name+".", f)
		} else {
			f(name, field)
		}
	}
}

// shownValue is an option as it may be shown: an address without user, password and query.
func shownValue(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case string:
		return withoutCredentials(x)
	case []string:
		return strings.Join(x, ", ")
	case time.Duration:
		return x.String()
	}
	if v.Kind() == reflect.Slice || v.Kind() == reflect.Map {
		return strconv.Itoa(v.Len())
	}
	return fmt.Sprint(v.Interface())
}

// withoutCredentials takes from an address whatever may be one.
func withoutCredentials(text string) string {
	plain, _, _ := strings.Cut(text, "?")
	if !strings.Contains(plain, "://") {
		return plain
	}
	u, err := url.Parse(plain)
	if err != nil {
		return "…"
	}
	u.User, u.Fragment = nil, ""
	return u.String()
}

// Origins says of each option that a file or the environment set, by which. What cannot be
// read is left out: LoadConfig has said so.
func Origins(raw []byte, environ []string) map[string]string {
	out := map[string]string{}
	var file map[string]any
	if yaml.Unmarshal(raw, &file) == nil {
		eachKey(file, "", func(name string) { out[name] = "file" })
	}
	vars := map[string]bool{}
	for _, kv := range environ {
		name, _, _ := strings.Cut(kv, "=")
		vars[name] = true
	}
	eachOption(reflect.ValueOf(Config{}), "", func(name string, _ reflect.Value) {
		if vars["GATEHOUSE_"+strings.ToUpper(strings.ReplaceAll(name, ".", "_"))] {
			out[name] = "environment"
		}
	})
	return out
}

func eachKey(m map[string]any, prefix string, f func(string)) {
	for name, v := range m {
		f(prefix + name)
		if inner, ok := v.(map[string]any); ok {
			eachKey(inner, prefix+name+".", f)
		}
	}
}

// Meanings are what the manual says of each option, by name: the comment above it.
func Meanings() map[string]string {
	out := map[string]string{}
	var path []string // by depth, of two spaces each
	var comment []string
	for line := range strings.Lines(gatehouse.Manual) {
		text := strings.TrimSpace(line)
		if said, ok := strings.CutPrefix(text, "#"); ok {
			comment = append(comment, strings.TrimSpace(said))
			continue
		}
		key, _, ok := strings.Cut(text, ":")
		if text == "" || !ok || strings.HasPrefix(text, "-") {
			comment = nil
			if strings.HasPrefix(text, "-") && len(path) > 0 && path[0] == "gates" {
				break // those of single gates and devices
			}
			continue
		}
		depth := (len(line) - len(strings.TrimLeft(line, " "))) / 2
		path = append(path[:min(depth, len(path))], key)
		if len(comment) > 0 {
			out[strings.Join(path, ".")] = strings.Join(comment, " ")
		}
		comment = nil
	}
	return out
}
