package index

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"gatehouse"
)

// condition is one thing that must hold of a hit: one of its terms of the field, or of
// its subject's record's, is one of exact or, where that is nil, begins with prefix.
type condition struct {
	field  field
	exact  []string
	prefix string
	near   string // exact is made of it, over the characters that occur
}

const (
	minPlatePrefix = 2  // characters
	minNearPlate   = 4  // below it, nearly everything is one character off
	maxPlate       = 16 // characters
	minPhoneEnd    = 4  // digits
	maxValueBytes  = 400
	maxNameTerms   = 8
)

func malformed(hint, format string, args ...any) error {
	return gatehouse.Errorf("search.malformed", hint, format, args...)
}

// Check says what is wrong with a query: search.malformed, nil where nothing is. It
// quotes nothing of it.
func Check(q gatehouse.SearchQuery) error {
	_, _, err := parse(q)
	return err
}

// parse gives the query's conditions and its cursor.
func parse(q gatehouse.SearchQuery) (all []condition, from cursor, err error) {
	for _, s := range []string{q.Plate, q.Name, q.NationalID, q.Number, q.Phone, q.PhoneEnd, q.Email} {
		if len(s) > maxValueBytes || !utf8.ValidString(s) {
			return nil, from, malformed("shorten it", "a part of the search is too long, or no text")
		}
	}
	if q.Limit < 1 || q.Limit > gatehouse.MaxSearchPage {
		return nil, from, malformed("ask for 1 to 200 rows", "a page of a search has at most %d rows", gatehouse.MaxSearchPage)
	}
	if q.Kind != "" && q.Kind != gatehouse.PassageHit && q.Kind != gatehouse.RecordHit {
		return nil, from, malformed("use passage or record", "a search finds passages and records")
	}
	if q.Place.Org == "" || q.Place.Site == "" {
		return nil, from, malformed("this is a fault of the program", "a search needs its site")
	}
	if from, err = parseCursor(q.After); err != nil {
		return nil, from, err
	}
	for _, add := range []func(gatehouse.SearchQuery) ([]condition, error){plateCondition, nameConditions, codeConditions, phoneConditions} {
		more, err := add(q)
		if err != nil {
			return nil, from, err
		}
		all = append(all, more...)
	}
	if len(all) == 0 && q.Gate == "" && q.Since.IsZero() && q.Until.IsZero() {
		return nil, from, malformed("give a plate, a name, a number, a gate or a time", "there is nothing to search for")
	}
	return all, from, nil
}

func plateCondition(q gatehouse.SearchQuery) ([]condition, error) {
	if q.Plate == "" {
		if q.PlateMatch != "" && q.PlateMatch != gatehouse.PlateExact {
			return nil, malformed("give the plate, or a part of it", "there is no plate to compare with")
		}
		return nil, nil
	}
	plate := plateOf(q.Plate)
	n := utf8.RuneCountInString(plate)
	if n == 0 || n > maxPlate {
		return nil, malformed("a plate has 1 to 16 letters and digits", "that is no number plate")
	}
	c := condition{field: plateField}
	switch q.PlateMatch {
	case "", gatehouse.PlateExact:
		c.exact = []string{plate}
	case gatehouse.PlatePrefix:
		if n < minPlatePrefix {
			return nil, malformed("give at least 2 characters", "the beginning of a plate is too short")
		}
		c.prefix = plate
	case gatehouse.PlateNear:
		if n < minNearPlate {
			return nil, malformed("give at least 4 characters", "the plate is too short to look for similar ones")
		}
		c.near = plate
	default:
		return nil, malformed("use exact, prefix or near", "a plate is not compared in this way")
	}
	return []condition{c}, nil
}

func nameConditions(q gatehouse.SearchQuery) (all []condition, err error) {
	if q.Name == "" {
		return nil, nil
	}
	words := wordsOf(q.Name)
	letters := 0
	for _, w := range words {
		letters += utf8.RuneCountInString(w)
		if isSyllabic(firstRune(w)) {
			letters++
		}
		all = append(all, condition{field: nameField, prefix: w})
	}
	if letters < 2 || len(all) > maxNameTerms {
		return nil, malformed("give one to eight words of the name", "that is no name to search for")
	}
	return all, nil
}

func codeConditions(q gatehouse.SearchQuery) (all []condition, err error) {
	for _, c := range []struct {
		field       field
		given, text string
	}{{idField, q.NationalID, codeOf(q.NationalID)}, {numberField, q.Number, codeOf(q.Number)}, {emailField, q.Email, foldOf(strings.TrimSpace(q.Email))}} {
		if c.given == "" {
			continue
		}
		if c.text == "" {
			return nil, malformed("give its letters and digits", "there is nothing to compare in a number or address")
		}
		all = append(all, condition{field: c.field, exact: []string{clip(c.text, maxValueRunes)}})
	}
	return all, nil
}

func phoneConditions(q gatehouse.SearchQuery) (all []condition, err error) {
	if q.Phone != "" {
		digits := digitsOf(q.Phone)
		if digits == "" {
			return nil, malformed("give its digits", "that is no phone number")
		}
		all = append(all, condition{field: phoneField, exact: []string{clip(reversed(digits), maxValueRunes)}})
	}
	if q.PhoneEnd != "" {
		digits := digitsOf(q.PhoneEnd)
		if len(digits) < minPhoneEnd {
			return nil, malformed("give at least the last 4 digits", "the end of a phone number is too short")
		}
		all = append(all, condition{field: phoneField, prefix: clip(reversed(digits), maxValueRunes)})
	}
	return all, nil
}

// cursor is the row behind which a page begins: rows are in descending order of time
// and, within a millisecond, of doc numbers. The zero cursor is the newest.
type cursor struct{ at, doc int64 }

func (c cursor) String() string {
	return strconv.FormatInt(c.at, 10) + "." + strconv.FormatInt(c.doc, 10)
}

func parseCursor(s string) (c cursor, err error) {
	if s == "" {
		return c, nil
	}
	at, doc, ok := strings.Cut(s, ".")
	if ok {
		if c.at, err = strconv.ParseInt(at, 10, 64); err == nil {
			c.doc, err = strconv.ParseInt(doc, 10, 64)
		}
	}
	if !ok || err != nil || c.doc < 1 {
		return c, malformed("use the value that the page before gave", "the search does not go on from there")
	}
	return c, nil
}
