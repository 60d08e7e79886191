package attendance

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatehouse"
)

// PunchRow is a row of another system's file: cells as text.
type PunchRow struct {
	Line                int
	Who                 string // as the table of people has it
	At                  string
	Direction, Site, ID string // the last may be "": then its line tells rows apart
}

// PunchFormat says how a file writes its times.
type PunchFormat struct {
	// Layout is Go's reference time as the file would write it: "02.01.2006 15:04". It is never
	// guessed: 03.04. is two different days.
	Layout string
	Zone   *time.Location
	// In and Out are the words for coming and going, several with a bar between them: "C/In|0".
	// Neither are those that say nothing of it, and leave it to the pairing.
	In, Out, Neither string
	Site             gatehouse.SiteID
	// Travel is how many minutes apart one person cannot be at two sites; less than 1 is 1.
	Travel int
	// Serial says that times are numbers of days, as spreadsheets keep them: a Layout is not
	// looked at. Date1904 counts them from 1904, as some do, instead of 1900.
	Serial, Date1904 bool
	// Closed reports whether a moment lies in a period that is not changed any more; nil is
	// never.
	Closed func(time.Time) bool
}

// clock reads a time. why is "" where it could be read.
func (f PunchFormat) clock(text string) (at time.Time, why string) {
	layout := f.Layout
	if f.Serial {
		days, err := strconv.ParseFloat(text, 64)
		if err != nil || !(days >= 1 && days < 200_000) {
			return at, "the time is no date of a spreadsheet, which is a number of days: a text that looks like one is not"
		}
		first := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
		if f.Date1904 {
			first = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
		}
		layout = time.DateTime // what its clock shows, which is in no zone yet
		text = first.Add(time.Duration(math.Round(days*86400)) * time.Second).Format(layout)
	}
	at, err := time.ParseInLocation(layout, text, f.Zone)
	if err != nil {
		return at, "the time is not written as " + layout
	}
	if at.Format(layout) != text && at.In(time.UTC).Format(layout) != text {
		return at, "the clock skipped this time, or it is not written as " + layout
	}
	return at, ""
}

// is reports whether a cell is one of the words.
func is(words, cell string) bool {
	return words != "" && slices.Contains(strings.Split(words, "|"), cell)
}

// FromRows reads rows into punches with ids that newID gives. A row that is wrong is a
// problem with its line, and the others are read; an import is refused while there is one.
// A time that the clock skips or shows twice is a problem, too: which was meant is not known.
// So is one person at two sites at once.
func FromRows(rows []PunchRow, f PunchFormat, who map[string]gatehouse.SubjectID, now time.Time, newID func() gatehouse.ID) (out []gatehouse.Punch, found []Problem) {
	type key struct {
		who gatehouse.SubjectID
		at  int64
		dir gatehouse.Direction
	}
	seen := map[key]int{}
	var lines []int // of out
	for _, r := range rows {
		bad := func(code, reason string) { found = append(found, Problem{r.Line, code, reason}) }
		subject, known := who[r.Who]
		if !known {
			bad("punch.who", "there is nobody with this number")
			continue
		}
		at, why := f.clock(r.At)
		if why != "" {
			bad("punch.time", why)
			continue
		}
		if twice(at) && (f.Serial || !hasZone(f.Layout)) {
			bad("punch.twice", "the clock shows this time twice: say which is meant, with its offset from UTC")
			continue
		}
		if at.After(now) {
			bad("punch.future", "it is in the future")
			continue
		}
		if at.Year() < 2000 {
			bad("punch.time", "it is before the year 2000")
			continue
		}
		if f.Closed != nil && f.Closed(at) {
			bad("correction.period", "its period is closed")
			continue
		}
		var dir gatehouse.Direction
		switch {
		case r.Direction == "" || is(f.Neither, r.Direction):
		case is(f.In, r.Direction):
			dir = gatehouse.In
		case is(f.Out, r.Direction):
			dir = gatehouse.Out
		default:
			bad("punch.direction", "this is neither the word for coming nor that for going")
			continue
		}
		site := f.Site
		if r.Site != "" {
			if gatehouse.CheckName(r.Site) != nil {
				bad("punch.site", "this is no site's name")
				continue
			}
			site = gatehouse.SiteID(r.Site)
		}
		k := key{subject, at.Unix(), dir}
		if line, again := seen[k]; again {
			bad("punch.again", "it says the same as line "+strconv.Itoa(line))
			continue
		}
		seen[k] = r.Line
		lines = append(lines, r.Line)
		out = append(out, gatehouse.Punch{ID: newID(), Subject: subject, Source: gatehouse.FromImport, Site: site, Direction: dir, At: at, Made: now})
	}
	return out, append(found, atOnce(out, lines, max(f.Travel, 1))...)
}

// atOnce finds punches of one person at two sites within so many minutes.
func atOnce(list []gatehouse.Punch, lines []int, travel int) (found []Problem) {
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(bytes.Compare(list[a].Subject[:], list[b].Subject[:]), list[a].At.Compare(list[b].At))
	})
	for k := 1; k < len(order); k++ {
		a, b := list[order[k-1]], list[order[k]]
		if a.Subject == b.Subject && a.Site != b.Site && b.At.Sub(a.At) < time.Duration(travel)*time.Minute {
			found = append(found, Problem{max(lines[order[k-1]], lines[order[k]]), "punch.two_sites", "it is at another site at the same time as line " + strconv.Itoa(min(lines[order[k-1]], lines[order[k]])) + " says"})
		}
	}
	return found
}

// columns are which cell a problem of a row is about, where it is one.
var columns = map[string]string{"punch.who": "person", "punch.time": "at", "punch.twice": "at", "punch.future": "at", "punch.direction": "direction", "punch.site": "site", "punch.two_sites": "site", "correction.period": "at"}

// Column is the cell that a problem with a row of punches is about: person, at, direction or
// site; "" for the row.
func (p Problem) Column() string { return columns[p.Code] }

// twice reports whether the clock of t's zone shows t's time twice.
func twice(t time.Time) bool {
	for _, d := range []time.Duration{-time.Hour, time.Hour, -30 * time.Minute, 30 * time.Minute} {
		if t.Add(d).Format(time.DateTime) == t.Format(time.DateTime) {
			return true
		}
	}
	return false
}

// hasZone reports whether a layout writes the offset from UTC.
func hasZone(layout string) bool {
	a := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 3600)).Format(layout)
	return a != time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", 7200)).Format(layout)
}
