package console

import (
	"context"
	"net/http"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/auth"
)

// Settings shows what the site runs with, and changes what may be changed meanwhile.
// Nothing that it shows is a secret.
type Settings interface {
	Options(ctx context.Context) ([]Option, error)
	// Change sets an option over gatehouse.yml, "" takes that away: setting.fixed,
	// setting.value.
	Change(ctx context.Context, who Who, name, value string) error
	Safes(ctx context.Context) (Safes, error)
	// Backup begins to make one: job.running, backup.targets.
	Backup(ctx context.Context, who Who) error
	StopBackup()
}

// Option is one option of gatehouse.yml as it counts now.
type Option struct {
	Name       string // with dots
	Value      string // of a hidden one "set", "" or how many there are
	Hidden     bool
	From       string // default, file, environment, console, program
	Means      string // in English, as the manual says it
	Changeable bool
	Choices    []string // that there are; none for free text
}

// Safes are keys, secrets, certificates and backups: states and dates.
type Safes struct {
	Custody, CustodyMeans string // of the gate key
	Elsewhere             bool   // the vault's keys are on another machine
	Keys                  []VaultKey
	Secrets               []SecretState
	TLS                   TLSState
	Backup                BackupState
}

// VaultKey is a generation of the vault's key.
type VaultKey struct {
	Name             string
	Created, Retired time.Time
	Current          bool
	Slots            []KeySlot
}

// KeySlot is one way to open it.
type KeySlot struct {
	Kind, Label string
	Created     time.Time
}

// SecretState says whether a secret that the configuration asks for is there.
type SecretState struct {
	Name string
	Set  time.Time // zero: it is not
	For  string    // a key of texts behind "secretfor."
}

// TLSState is how the console is reached.
type TLSState struct {
	Certificates string // none, files, acme, local
	Names        []string
	Until        time.Time
	Authority    string // fingerprint of the site's own
	Address      string
}

// BackupState is how backups stand.
type BackupState struct {
	Configured, Reachable bool
	Data, Keys            string // the targets, without credentials
	Every                 time.Duration
	Last, Verified        time.Time
	Job                   Job
	Made                  *BackupMade // by the last one that was asked for here
}

// BackupMade is what a backup did.
type BackupMade struct {
	At       time.Time
	Objects  int64
	Bytes    int64
	Pictures int
	Took     time.Duration
}

// settling is the area of an administrator's settings.
var settling = area{
	pages:  []string{"settings"},
	routes: (*Console).settingsRoutes,
	nav:    []entry{{"nav.site", "settings", "/settings", "settings.title", gatehouse.ChangeSettings}},
}

func (c *Console) settingsRoutes() []auth.Route {
	if c.o.Settings == nil {
		return nil
	}
	see, change, backups := auth.Needs(gatehouse.ChangeSettings), auth.NeedsFresh(gatehouse.ChangeSettings), auth.NeedsFresh(gatehouse.ManageBackups)
	return []auth.Route{
		{Pattern: "GET /settings", Policy: see, Handler: func(w http.ResponseWriter, r *http.Request) { c.settings(w, r, http.StatusOK, "") }},
		{Pattern: "POST /settings", Policy: change, Handler: c.changeSetting, Page: "/settings"},
		{Pattern: "GET /settings/backup", Policy: auth.Needs(gatehouse.ManageBackups), Handler: c.backupState},
		{Pattern: "POST /settings/backup", Policy: backups, Handler: c.makeBackup, Page: "/settings"},
		{Pattern: "POST /settings/backup/stop", Policy: backups, Handler: c.stopBackup, Page: "/settings"},
	}
}

type settingsBody struct {
	Safes
	Run      backupView
	Groups   []optionGroup
	Problem  string
	Accounts bool
}

type optionGroup struct {
	Name string // a section of gatehouse.yml; "" for what stands in none
	Rows []optionRow
}

type optionRow struct {
	Option
	Words string // what it means, in the reader's language
}

type backupView struct {
	View jobView
	BackupState
}

func (c *Console) backupView(lang string, b BackupState) backupView {
	return backupView{viewJob(lang, b.Job, "/settings/backup", "/settings/backup/stop", "settings.backup.running"), b}
}

func (c *Console) settings(w http.ResponseWriter, r *http.Request, status int, problem string) {
	all, err := c.o.Settings.Options(r.Context())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	safes, err := c.o.Settings.Safes(r.Context())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	lang := languageOf(w, r)
	b := settingsBody{Safes: safes, Run: c.backupView(lang, safes.Backup), Problem: problem, Accounts: c.o.Accounts != nil && may(r, gatehouse.ManageAccounts)}
	for _, o := range all {
		group, _, inside := strings.Cut(o.Name, ".")
		if !inside {
			group = ""
		}
		if len(b.Groups) == 0 || b.Groups[len(b.Groups)-1].Name != group {
			b.Groups = append(b.Groups, optionGroup{Name: group})
		}
		last := &b.Groups[len(b.Groups)-1]
		last.Rows = append(last.Rows, optionRow{o, optionWords(lang, o)})
	}
	c.render(w, r, status, "settings", "settings.title", "settings", b)
}

// optionWords is what an option means: the manual's words, or their translation.
func optionWords(lang string, o Option) string {
	if lang == "zh" {
		return optionTexts[o.Name]
	}
	return o.Means
}

func (c *Console) changeSetting(w http.ResponseWriter, r *http.Request) {
	err := formIn(w, r, 4096)
	if err == nil {
		value := strings.TrimSpace(r.PostForm.Get("value"))
		if r.PostForm.Get("reset") == "yes" {
			value = ""
		} else if value == "" {
			err = gatehouse.Errorf("form.malformed", "", "the form was not filled in")
		}
		if err == nil {
			err = c.o.Settings.Change(r.Context(), who(r), r.PostForm.Get("name"), value)
		}
	}
	if status, problem := setRight(languageOf(w, r), err); status != 0 {
		c.settings(w, r, status, problem)
		return
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/settings#o-"+r.PostForm.Get("name"), http.StatusSeeOther)
}

func (c *Console) backupState(w http.ResponseWriter, r *http.Request) {
	s, err := c.o.Settings.Safes(r.Context())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.fragment(w, languageOf(w, r), "parts", "backuprun", c.backupView(languageOf(w, r), s.Backup))
}

func (c *Console) makeBackup(w http.ResponseWriter, r *http.Request) {
	if err := c.o.Settings.Backup(r.Context(), who(r)); err != nil {
		c.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/settings#backup", http.StatusSeeOther)
}

func (c *Console) stopBackup(w http.ResponseWriter, r *http.Request) {
	c.o.Settings.StopBackup()
	http.Redirect(w, r, "/settings#backup", http.StatusSeeOther)
}
