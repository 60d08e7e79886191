// Package retention says until when things may be kept: pure functions over times.
package retention

import (
	"fmt"
	"time"

	"gatehouse"
)

// Day is what retention is counted in.
const Day = 24 * time.Hour

// The longest that each kind may be kept. Required and finite: nothing is for ever.
const (
	// Strangers bounds a picture of somebody who is not enrolled, where a site keeps any.
	Strangers = 72 * time.Hour
	// Frames bounds whole pictures, which may show bystanders.
	Frames = 7 * Day
	// Longest bounds everything else: ten years.
	Longest = 3660 * Day
)

// Policy is how long a site keeps each kind.
type Policy struct {
	Passages  time.Duration // what a passage said, and its crops
	Frames    time.Duration // whole frames
	Strangers time.Duration // pictures of who is not enrolled
	Records   time.Duration // of who has left: then they are erased
	Metadata  time.Duration // times at gates, by whole months, what hours were paid, and why somebody asked for what
}

// Check refuses what is missing, endless or beyond the bounds; the error names the kind.
func (p Policy) Check() error {
	for _, k := range []struct {
		name       string
		keep, most time.Duration
	}{{"passage_days", p.Passages, Longest}, {"frame_days", p.Frames, Frames}, {"stranger_days", p.Strangers, Strangers},
		{"record_days", p.Records, Longest}, {"metadata_days", p.Metadata, Longest}} {
		if k.keep < Day || k.keep > k.most {
			return fmt.Errorf("%s may be 1 to %d", k.name, k.most/Day)
		}
	}
	if p.Metadata < p.Passages {
		return fmt.Errorf("metadata_days may not be less than passage_days")
	}
	return nil
}

// Classes are the days' classes and how long each is kept. Records go with their
// subjects and have no day.
func (p Policy) Classes() map[gatehouse.RetentionClass]time.Duration {
	return map[gatehouse.RetentionClass]time.Duration{gatehouse.PassageClass: p.Passages, gatehouse.FrameClass: p.Frames, gatehouse.StrangerClass: p.Strangers,
		gatehouse.ReasonClass: p.Metadata, gatehouse.PayslipClass: p.Metadata}
}

// FirstKept returns the first UTC day whose items may still be readable at now, if
// nothing may be older than keep. Days expire whole, so that an item of a day's
// first second is not kept longer either: what came late in the day goes earlier.
func FirstKept(now time.Time, keep time.Duration) time.Time {
	oldest := now.UTC().Add(-keep)
	day := oldest.Truncate(Day)
	if day.Before(oldest) {
		day = day.Add(Day)
	}
	return day
}

// MonthOver reports whether everything of the month that begins at first is older than
// keep at now.
func MonthOver(first time.Time, keep time.Duration, now time.Time) bool {
	return !first.UTC().AddDate(0, 1, 0).After(now.UTC().Add(-keep))
}

// Presence is what tells whether somebody has left.
type Presence struct {
	Enrolled   time.Time
	Last       time.Time // the last passage; zero for none
	Suspended  bool
	ValidUntil time.Time // zero for no end
}

// Left reports whether somebody has left for so long that their record goes: they may
// not pass any more, and have not passed for keep.
func Left(p Presence, keep time.Duration, now time.Time) bool {
	over := !p.ValidUntil.IsZero() && !p.ValidUntil.After(now)
	if !over && !p.Suspended {
		return false
	}
	since := p.Enrolled
	if p.Last.After(since) {
		since = p.Last
	}
	if over && p.ValidUntil.After(since) {
		since = p.ValidUntil
	}
	return now.Sub(since) > keep
}
