package server

import "gatehouse/rules/privacy"

// LawConfig is whose law the site follows.
type LawConfig struct {
	Profile     string `yaml:"profile"`
	GuardianAge int    `yaml:"guardian_age"`
}

// law is what that law asks; the site may be stricter.
func (c LawConfig) law() (privacy.Law, error) { return privacy.LawOf(c.Profile, c.GuardianAge) }
