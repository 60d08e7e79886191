// Package retention says until when things may be kept: pure functions over times.
package retention

import "time"

// Strangers is the longest that a picture of somebody who is not enrolled may be
// kept, where a site keeps any: the bound that Gatehouse sets itself (SECURITY.md).
const Strangers = 72 * time.Hour

// FirstKept returns the first UTC day whose items may still be readable at now, if
// nothing may be older than keep. Days expire whole, so that an item of a day's
// first second is not kept longer either: what came late in the day goes earlier.
func FirstKept(now time.Time, keep time.Duration) time.Time {
	oldest := now.UTC().Add(-keep)
	day := oldest.Truncate(24 * time.Hour)
	if day.Before(oldest) {
		day = day.Add(24 * time.Hour)
	}
	return day
}
