package server

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"gatehouse/terminal"
)

// TerminalConfig is about tablets at gates.
type TerminalConfig struct {
	Language   string `yaml:"language"`
	Greeting   bool   `yaml:"greeting"`
	Controller string `yaml:"controller"`
	Contact    string `yaml:"contact"`
}

// maxNotice bounds, in characters, what a notice says about who is responsible.
const maxNotice = 200

func (c TerminalConfig) check() error {
	errs := []error{oneOf("language", c.Language, "en", "zh")}
	for what, text := range map[string]string{"controller": c.Controller, "contact": c.Contact} {
		if utf8.RuneCountInString(text) > maxNotice {
			errs = append(errs, fmt.Errorf("%s may have %d characters", what, maxNotice))
		}
	}
	return errors.Join(errs...)
}

// openTerminal makes the terminals' page.
func (s *Server) openTerminal(context.Context) error {
	c := s.config.Terminal
	who := c.Controller
	if who == "" {
		who = s.config.Site.Name
	}
	r := s.config.Retention
	s.page = terminal.New(terminal.Options{Site: s.config.Site.Name, Language: c.Language, Notice: terminal.Notice{Law: s.config.Law.Profile, Controller: who, Contact: c.Contact,
		PassageDays: r.PassageDays, MetadataDays: r.MetadataDays, RecordDays: r.RecordDays, KeepsStrangers: s.config.Strangers.Keep, StrangerDays: r.StrangerDays,
		StrangersPurpose: s.config.Strangers.Purpose, RingMinutes: s.config.Ring.Minutes}})
	return nil
}
