package intake

import (
	"strconv"
	"strings"
	"time"
)

// Forms are the ways in which a date may be written. A form that could mean two days
// (3/4/2026) is none of them.
const (
	FormISO    = "YYYY-MM-DD"
	FormSlash  = "YYYY/M/D"
	FormDots   = "YYYY.M.D"
	FormHan    = "YYYY年M月D日"
	FormPlain  = "YYYYMMDD"
	FormDayDot = "D.M.YYYY"
	FormSerial = "Excel"
)

var forms = []struct{ name, layout string }{
	{FormISO, "2006-1-2"}, {FormSlash, "2006/1/2"}, {FormDots, "2006.1.2"}, {FormHan, "2006年1月2日"}, {FormPlain, "20060102"}, {FormDayDot, "2.1.2006"},
}

// The first and the last day that a date may be.
const firstYear, lastYear = 1900, 2200

// parseDate reads a date, at midnight UTC, and says in which form it was. serial says
// that the cell may be a day's number of a workbook, counted from 1904 where that is so.
// code is "" where all is well: intake.date, or intake.date_ambiguous.
func parseDate(s string, serial, from1904 bool) (day time.Time, form, code string) {
	s = strings.TrimSuffix(strings.TrimSpace(s), " 00:00:00")
	for _, f := range forms {
		if t, err := time.Parse(f.layout, s); err == nil {
			if t.Year() < firstYear || t.Year() > lastYear {
				return day, "", "intake.date"
			}
			return t, f.name, ""
		}
	}
	if serial {
		if n, err := strconv.ParseFloat(s, 64); err == nil && n >= 1 && n < 110_000 {
			// Day 1 is 1900-01-01, and there is a 29 February 1900 that never was.
			base := time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)
			if n < 60 {
				base = base.AddDate(0, 0, 1)
			}
			if from1904 {
				base = time.Date(1904, 1, 1, 0, 0, 0, 0, time.UTC)
			}
			return base.AddDate(0, 0, int(n)), FormSerial, ""
		}
	}
	for _, layout := range []string{"1/2/2006", "2/1/2006", "1-2-2006", "2-1-2006", "1/2/06", "2/1/06", "1-2-06"} {
		if _, err := time.Parse(layout, s); err == nil {
			return day, "", "intake.date_ambiguous"
		}
	}
	return day, "", "intake.date"
}
