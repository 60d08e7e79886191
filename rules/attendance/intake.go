package attendance

import (
	"strconv"
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
	Layout  string
	Zone    *time.Location
	In, Out string // the words for coming and going; "" for none
	Site    gatehouse.SiteID
}

// FromRows reads rows into punches with ids that newID gives. A row that is wrong is a
// problem with its line, and the others are read; an import is refused while there is one.
// A time that the clock skips or shows twice is a problem, too: which was meant is not known.
func FromRows(rows []PunchRow, f PunchFormat, who map[string]gatehouse.SubjectID, now time.Time, newID func() gatehouse.ID) (out []gatehouse.Punch, found []Problem) {
	type key struct {
		who gatehouse.SubjectID
		at  int64
		dir gatehouse.Direction
	}
	seen := map[key]int{}
	for _, r := range rows {
		bad := func(code, reason string) { found = append(found, Problem{r.Line, code, reason}) }
		subject, known := who[r.Who]
		if !known {
			bad("punch.who", "there is nobody with this number")
			continue
		}
		at, err := time.ParseInLocation(f.Layout, r.At, f.Zone)
		if err != nil {
			bad("punch.time", "the time is not written as "+f.Layout)
			continue
		}
		if at.Format(f.Layout) != r.At && at.In(time.UTC).Format(f.Layout) != r.At {
			bad("punch.time", "the clock skipped this time, or it is not written as "+f.Layout)
			continue
		}
		if twice(at) && !hasZone(f.Layout) {
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
		var dir gatehouse.Direction
		switch r.Direction {
		case "":
		case f.In:
			dir = gatehouse.In
		case f.Out:
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
		out = append(out, gatehouse.Punch{ID: newID(), Subject: subject, Source: gatehouse.FromImport, Site: site, Direction: dir, At: at, Made: now})
	}
	return out, found
}

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
