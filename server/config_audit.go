package server

import (
	"errors"
	"net"
	"net/url"
	"path/filepath"
	"time"

	"gatehouse/vault/auditlog"
)

// AuditConfig is about the audit log's witnesses.
type AuditConfig struct {
	WitnessEvery  time.Duration        `yaml:"witness_every"`
	Witness       []WitnessConfig      `yaml:"witness"`
	WitnessedLogs []WitnessedLogConfig `yaml:"witnessed_logs"`
}

// WitnessConfig is one witness: a file on other media, or another Gatehouse and the
// key that it cosigns with.
type WitnessConfig struct {
	File string `yaml:"file"`
	URL  string `yaml:"url"`
	Key  string `yaml:"key"`
}

// WitnessedLogConfig is a log that this site is a witness for.
type WitnessedLogConfig struct {
	Key string `yaml:"key"`
}

func (a AuditConfig) check(data string) error {
	if a.WitnessEvery < time.Second || a.WitnessEvery > 24*time.Hour {
		return errors.New("witness_every is from 1s to 24h")
	}
	for _, w := range a.Witness {
		switch {
		case (w.File == "") == (w.URL == ""):
			return errors.New("a witness has a file, or a url and a key")
		case w.File != "" && (w.Key != "" || inside(data, w.File)):
			return errors.New("a witness's file needs no key, and lies outside the data directory, on other media")
		case w.URL != "":
			if k, err := auditlog.ParseKey(w.Key); err != nil || !k.IsWitness() {
				return errors.New("a witness's key is what `gatehouse audit key` prints there as the witness key")
			}
			if err := checkWitnessURL(w.URL); err != nil {
				return err
			}
		}
	}
	for _, l := range a.WitnessedLogs {
		if k, err := auditlog.ParseKey(l.Key); err != nil || k.IsWitness() {
			return errors.New("a witnessed log's key is what `gatehouse audit key` prints there as the log's key")
		}
	}
	return nil
}

func checkWitnessURL(text string) error {
	if err := checkURL("url", text); err != nil {
		return err
	}
	u, err := url.Parse(text)
	if err != nil {
		return err
	}
	host := u.Hostname()
	ip := net.ParseIP(host)
	if u.Scheme != "https" && (u.Scheme != "http" || host != "localhost" && (ip == nil || !ip.IsLoopback())) {
		return errors.New("a witness's url begins with https://")
	}
	return nil
}

// inside reports whether file lies in the folder.
func inside(folder, file string) bool {
	rel, err := filepath.Rel(folder, file)
	return err == nil && filepath.IsLocal(rel)
}
