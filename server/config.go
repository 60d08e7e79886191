package server

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/vault"

	"github.com/goccy/go-yaml"
)

// Config is gatehouse.yml. That file, at the project's root, is its manual: every
// option stands there with its default and a comment, and a test keeps it so.
type Config struct {
	Organization string              `yaml:"organization"`
	Site         SiteConfig          `yaml:"site"`
	Data         string              `yaml:"data"`
	GateKey      string              `yaml:"gate_key"`
	Listen       string              `yaml:"listen"`
	TLS          TLSConfig           `yaml:"tls"`
	SignIn       SignInConfig        `yaml:"sign_in"`
	API          APIConfig           `yaml:"api"`
	Vault        VaultConfig         `yaml:"vault"`
	Vision       VisionConfig        `yaml:"vision"`
	Ring         RingConfig          `yaml:"ring"`
	Law          LawConfig           `yaml:"law"`
	Strangers    StrangersConfig     `yaml:"strangers"`
	Terminal     TerminalConfig      `yaml:"terminal"`
	Attendance   AttendanceConfig    `yaml:"attendance"`
	Paying       PayingConfig        `yaml:"paying"`
	Disclosure   DisclosureConfig    `yaml:"disclosure"`
	Alarms       AlarmsConfig        `yaml:"alarms"`
	Retention    RetentionConfig     `yaml:"retention"`
	Backup       BackupConfig        `yaml:"backup"`
	CommitWithin time.Duration       `yaml:"commit_within"`
	LogLevel     string              `yaml:"log_level"`
	Audit        AuditConfig         `yaml:"audit"`
	Schedules    map[string][]string `yaml:"schedules"`
	Gates        []GateConfig        `yaml:"gates"`
	Devices      []DeviceConfig      `yaml:"devices"`
	Parking      []CarParkConfig     `yaml:"parking"`
}

// SiteConfig names the site.
type SiteConfig struct {
	ID       string `yaml:"id"`
	Name     string `yaml:"name"`
	TimeZone string `yaml:"time_zone"`
}

// VaultConfig is about the vault process.
type VaultConfig struct {
	UnsealedFor time.Duration `yaml:"unsealed_for"`
	Identity    string        `yaml:"identity"`
	Remote      string        `yaml:"remote"`
}

// VisionConfig is about the vision process.
type VisionConfig struct {
	Assets  string `yaml:"assets"`
	Threads int    `yaml:"threads"`
}

// RingConfig bounds the pictures of the last minutes, in memory.
type RingConfig struct {
	Minutes  int `yaml:"minutes"`
	Mebibyte int `yaml:"mebibytes"`
}

// StrangersConfig is the switch for pictures of people who are not enrolled.
type StrangersConfig struct {
	Keep    bool   `yaml:"keep"`
	Purpose string `yaml:"purpose"`
}

// RetentionConfig is how long what is kept, in days; see rules/retention.
type RetentionConfig struct {
	PassageDays  int `yaml:"passage_days"`
	FrameDays    int `yaml:"frame_days"`
	StrangerDays int `yaml:"stranger_days"`
	RecordDays   int `yaml:"record_days"`
	MetadataDays int `yaml:"metadata_days"`
}

// GateConfig is one door or lane.
type GateConfig struct {
	ID                 string         `yaml:"id"`
	Kind               string         `yaml:"kind"`
	Name               string         `yaml:"name"`
	From               string         `yaml:"from"`
	To                 string         `yaml:"to"`
	Direction          string         `yaml:"direction"`
	Region             string         `yaml:"region"`
	Liveness           bool           `yaml:"liveness"`
	SecondFactor       bool           `yaml:"second_factor"`
	SecondFactorWithin time.Duration  `yaml:"second_factor_within"`
	RepeatWithin       time.Duration  `yaml:"repeat_within"`
	MinPlateConfidence float64        `yaml:"min_plate_confidence"`
	Fail               string         `yaml:"fail"`
	Hold               time.Duration  `yaml:"hold"`
	ConfirmWithin      time.Duration  `yaml:"confirm_within"`
	Actuator           ActuatorConfig `yaml:"actuator"`
}

// ActuatorConfig says how a gate is opened.
type ActuatorConfig struct {
	Kind         string `yaml:"kind"`         // none, simulated, http, mqtt
	URL          string `yaml:"url"`          // http: what opens the gate; mqtt: the broker
	Device       string `yaml:"device"`       // whose sealed address, with credentials, is used
	Method       string `yaml:"method"`       // http
	Body         string `yaml:"body"`         // http
	Command      string `yaml:"command"`      // mqtt: command topic
	Sensor       string `yaml:"sensor"`       // mqtt: sensor topic; http: status URL
	State        string `yaml:"state"`        // mqtt: retained topic of the gate's state
	Availability string `yaml:"availability"` // mqtt: retained topic of the device
	Field        string `yaml:"field"`        // http: path of the sensor's value in the answer
	Passed       string `yaml:"passed"`       // http: the value that means that somebody passed
	NotPassed    string `yaml:"not_passed"`   // http: that nobody did
	Tailgated    string `yaml:"tailgated"`    // http: that another passed behind
}

// DeviceConfig is one camera, reader, terminal, relay or kiosk.
type DeviceConfig struct {
	ID     string  `yaml:"id"`
	Kind   string  `yaml:"kind"`
	Gate   string  `yaml:"gate"`
	Source string  `yaml:"source"`
	FPS    float64 `yaml:"fps"`
	Loop   bool    `yaml:"loop"`
}

// DefaultGate is what a gate has that says nothing else.
func DefaultGate() GateConfig {
	return GateConfig{Kind: "door", From: "outside", To: "inside", Direction: "in", Region: "any", Liveness: true, SecondFactor: true,
		SecondFactorWithin: 10 * time.Second, RepeatWithin: 5 * time.Second, MinPlateConfidence: 0.8, Fail: "secure",
		Hold: 5 * time.Second, ConfirmWithin: 10 * time.Second, Actuator: ActuatorConfig{Kind: "none"}}
}

// DefaultDevice is what a device has that says nothing else.
func DefaultDevice() DeviceConfig { return DeviceConfig{Kind: "camera", FPS: 5} }

func (c *Config) place() gatehouse.Place {
	return gatehouse.Place{Org: gatehouse.OrgID(c.Organization), Site: gatehouse.SiteID(c.Site.ID)}
}

// DefaultConfig is the configuration without a file.
func DefaultConfig() Config {
	door, lane := DefaultGate(), DefaultGate()
	door.ID, door.Name = "front-door", "Front door"
	lane.ID, lane.Name, lane.Kind, lane.Region = "entry-lane", "Entry lane", "lane", "any"
	cam, lpr := DefaultDevice(), DefaultDevice()
	cam.ID, cam.Gate = "front-camera", "front-door"
	lpr.ID, lpr.Gate = "entry-camera", "entry-lane"
	return Config{
		Organization: "default", Site: SiteConfig{ID: "main", Name: "Main site", TimeZone: "UTC"},
		Data: "var/data", GateKey: "var/keys/gate.key", Listen: "localhost:8080", TLS: defaultTLS(), SignIn: defaultSignIn(), API: APIConfig{PerMinute: 600},
		Vault: VaultConfig{UnsealedFor: 8 * time.Hour}, Vision: VisionConfig{Threads: 1},
		Ring: RingConfig{Minutes: 10, Mebibyte: 64}, Attendance: AttendanceConfig{Gates: []string{}}, Alarms: AlarmsConfig{Mail: MailConfig{Port: 587, Security: "starttls", To: []string{}, Language: "en"}},
		Terminal: TerminalConfig{Language: "en"}, Paying: PayingConfig{Kiosks: []string{}}, CommitWithin: 3 * time.Second, LogLevel: "info",
		Retention: RetentionConfig{PassageDays: 90, FrameDays: 7, StrangerDays: 3, RecordDays: 1095, MetadataDays: 1095},
		Audit:     AuditConfig{WitnessEvery: time.Minute, Witness: []WitnessConfig{}, WitnessedLogs: []WitnessedLogConfig{}},
		Schedules: map[string][]string{"office-hours": {"mon-fri 07:00-19:00"}},
		Gates:     []GateConfig{door, lane}, Devices: []DeviceConfig{cam, lpr}, Parking: []CarParkConfig{},
	}
}

// UnmarshalYAML fills in a gate's defaults before its own options.
func (g *GateConfig) UnmarshalYAML(unmarshal func(any) error) error {
	type plain GateConfig
	p := plain(DefaultGate())
	err := unmarshal(&p)
	*g = GateConfig(p)
	return err
}

// UnmarshalYAML fills in a device's defaults before its own options.
func (d *DeviceConfig) UnmarshalYAML(unmarshal func(any) error) error {
	type plain DeviceConfig
	p := plain(DefaultDevice())
	err := unmarshal(&p)
	*d = DeviceConfig(p)
	return err
}

// LoadConfig reads path over the defaults, then the environment over both
// (GATEHOUSE_LISTEN, GATEHOUSE_SITE_ID, …). An unknown option is refused. Relative
// paths are relative to the file. Without a file it is config.missing, with what the
// defaults and the environment say, for whoever needs no file.
func LoadConfig(path string, environ []string) (Config, error) {
	c := DefaultConfig()
	raw, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		if err := errors.Join(movedTo(nil, environ), c.override(environ), c.check()); err != nil {
			return c, err
		}
		return c, gatehouse.Errorf("config.missing", "copy gatehouse.yml from the project and change it, or name another with --config", "there is no configuration at %s", path)
	case err != nil:
		return c, gatehouse.Errorf("config.unreadable", "check its permissions", "the configuration cannot be read: %w", err)
	}
	if err := movedTo(raw, environ); err != nil {
		return c, err
	}
	if err := c.parse(raw); err != nil {
		return c, err
	}
	if err := c.override(environ); err != nil {
		return c, err
	}
	base := filepath.Dir(path)
	relative := []*string{&c.Data, &c.Vision.Assets, &c.Vault.Identity, &c.TLS.Certificate, &c.TLS.Key, &c.TLS.ACME.Roots}
	if vault.ParseGateSource(c.GateKey).IsFile() {
		relative = append(relative, &c.GateKey)
	}
	for _, p := range relative {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(base, *p)
		}
	}
	for i, w := range c.Audit.Witness {
		if w.File != "" && !filepath.IsAbs(w.File) {
			c.Audit.Witness[i].File = filepath.Join(base, w.File)
		}
	}
	for _, p := range []*string{&c.Backup.Data, &c.Backup.Keys} {
		if *p != "" && !strings.Contains(*p, "://") && !filepath.IsAbs(*p) {
			*p = filepath.Join(base, *p)
		}
	}
	for i, d := range c.Devices {
		if d.Source != "" && !strings.Contains(d.Source, "://") && !filepath.IsAbs(d.Source) {
			c.Devices[i].Source = filepath.Join(base, d.Source)
		}
	}
	return c, c.check()
}

func (c *Config) parse(raw []byte) error {
	// Lists and schedules of a file replace the defaults' and are not merged into them.
	fresh := *c
	fresh.Gates, fresh.Devices, fresh.Schedules, fresh.Parking = nil, nil, nil, nil
	err := yaml.NewDecoder(bytes.NewReader(raw), yaml.Strict()).Decode(&fresh)
	if err != nil && !errors.Is(err, io.EOF) {
		return gatehouse.Errorf("config.malformed", "gatehouse.yml in the project shows every option", "the configuration is not valid: %s", withoutValues(yaml.FormatError(err, false, false)))
	}
	*c = fresh
	return nil
}

var (
	quoted     = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|'[^']*'`)
	optionName = regexp.MustCompile(`^.[a-z_]{1,24}.$`)
)

// withoutValues takes from a parser's message what it quotes of the file, option
// names excepted: a line may hold a camera's password, and messages go into logs.
func withoutValues(message string) string {
	return quoted.ReplaceAllStringFunc(message, func(q string) string {
		if optionName.MatchString(q) {
			return q
		}
		return "…"
	})
}

// override sets scalar options from variables named after their path.
func (c *Config) override(environ []string) error {
	vars := map[string]string{}
	for _, kv := range environ {
		if k, v, ok := strings.Cut(kv, "="); ok && strings.HasPrefix(k, "GATEHOUSE_") {
			vars[k] = v
		}
	}
	return overrideStruct(reflect.ValueOf(c).Elem(), "GATEHOUSE", vars)
}

func overrideStruct(v reflect.Value, prefix string, vars map[string]string) error {
	for i := range v.NumField() {
		field := v.Field(i)
		name := prefix + "_" + strings.ToUpper(v.Type().Field(i).Tag.Get("yaml"))
		if field.Kind() == reflect.Struct {
			if err := overrideStruct(field, name, vars); err != nil {
				return err
			}
			continue
		}
		text, ok := vars[name]
		if !ok {
			continue
		}
		if err := setScalar(field, text); err != nil {
			return gatehouse.Errorf("config.environment", "correct or unset it", "the variable %s does not fit: %w", name, err)
		}
	}
	return nil
}

func setScalar(field reflect.Value, text string) error {
	switch field.Interface().(type) {
	case time.Duration:
		d, err := time.ParseDuration(text)
		field.SetInt(int64(d))
		return err
	case string:
		field.SetString(text)
	case bool:
		b, err := strconv.ParseBool(text)
		field.SetBool(b)
		return err
	case int:
		n, err := strconv.Atoi(text)
		field.SetInt(int64(n))
		return err
	default:
		return errors.New("lists are set in the file only")
	}
	return nil
}

// schedules reads the file's, which hold on holidays as on any day.
func (c *Config) schedules() (map[string]gatehouse.Schedule, error) {
	all := map[string]gatehouse.Schedule{}
	for name, lines := range c.Schedules {
		s := gatehouse.Schedule{Name: name, OnHolidays: true}
		for _, line := range lines {
			windows, err := gatehouse.ParseWindows(line)
			if err != nil {
				var e *gatehouse.Error
				errors.As(err, &e)
				return nil, gatehouse.Errorf("config.invalid", e.Hint, "schedules.%s: %q: %s", name, line, e.Message)
			}
			s.Windows = append(s.Windows, windows...)
		}
		all[name] = s
	}
	return all, nil
}
