package tariff

import (
	"strings"
	"time"

	"gatehouse"
	"gatehouse/rules/parking"
)

// The file as it is written. Amounts, durations, hours and days are text until the
// currency and their place are known.
type file struct {
	Tariff   string            `yaml:"tariff"`
	Currency string            `yaml:"currency"`
	TimeZone string            `yaml:"time_zone"`
	Holidays map[string]scalar `yaml:"holidays"`
	Versions []version         `yaml:"versions"`
}

type version struct {
	From          scalar `yaml:"from"`
	Until         scalar `yaml:"until"`
	Currency      string `yaml:"currency"`
	Grace         scalar `yaml:"grace"`
	Complimentary scalar `yaml:"complimentary"`
	ExitWithin    scalar `yaml:"exit_within"`
	Boundary      string `yaml:"boundary"`
	Tax           *tax   `yaml:"tax"`
	Round         *round `yaml:"round"`
	Validations   int    `yaml:"validations"`
	Plans         []plan `yaml:"plans"`
}

type tax struct {
	Name    string `yaml:"name"`
	Percent scalar `yaml:"percent"`
	Added   bool   `yaml:"added"`
}

type round struct {
	To  scalar `yaml:"to"`
	How string `yaml:"how"`
}

type plan struct {
	Classes []string `yaml:"classes"`
	Periods []period `yaml:"periods"`
	Caps    []limit  `yaml:"caps"`
	Lost    *lost    `yaml:"lost_ticket"`
}

type period struct {
	Name    string `yaml:"name"`
	Days    scalar `yaml:"days"`
	Hours   scalar `yaml:"hours"`
	Flat    scalar `yaml:"flat"`
	Steps   []step `yaml:"steps"`
	Repeat  bool   `yaml:"repeat"`
	Restart bool   `yaml:"restart"`
	Cap     scalar `yaml:"cap"`
}

type step struct {
	Block scalar `yaml:"block"`
	Price scalar `yaml:"price"`
	Per   scalar `yaml:"per"`
	For   scalar `yaml:"for"`
	UpTo  scalar `yaml:"up_to"`
	Total scalar `yaml:"total"`
}

type limit struct {
	Per         string `yaml:"per"`
	Amount      scalar `yaml:"amount"`
	Days        scalar `yaml:"days"`
	Entered     scalar `yaml:"entered"`
	DayBegins   scalar `yaml:"day_begins"`
	AcrossStays bool   `yaml:"across_stays"`
}

type lost struct {
	Price scalar `yaml:"price"`
	How   string `yaml:"how"`
}

// scalar is a value as it stands in the file: 2.50 stays "2.50" and is never a binary
// fraction, 01-01 no arithmetic.
type scalar string

// UnmarshalYAML keeps the text, without quotes and a comment.
func (s *scalar) UnmarshalYAML(raw []byte) error {
	text := strings.TrimSpace(string(raw))
	if len(text) >= 2 && (text[0] == '"' || text[0] == '\'') && text[len(text)-1] == text[0] {
		text = text[1 : len(text)-1]
	} else if i := strings.Index(text, " #"); i >= 0 {
		text = strings.TrimSpace(text[:i])
	}
	*s = scalar(text)
	return nil
}

// reader turns the file's text into values, and notes what cannot be read.
type reader struct {
	currency gatehouse.Currency
	zone     *time.Location
	found    []parking.Problem
}

func (r *reader) say(code, path, format string, args ...any) {
	r.found = append(r.found, parking.Wrong(code, path, format, args...))
}
