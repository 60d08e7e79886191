package index

import (
	"slices"
	"strings"
	"unicode"

	"gatehouse"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// field says what a term is a text of. The numbers stand in the file.
type field int

const (
	plateField    field = 1
	nameField     field = 2
	idField       field = 3
	numberField   field = 4
	phoneField    field = 5 // the digits from the last to the first, so that a suffix is a prefix
	emailField    field = 6
	maxWordRunes        = 64
	maxNameWords        = 32
	maxTextBytes        = 400 // of what is shown
	maxValueRunes       = 100 // of a number or an address
)

// Fields are what can be searched for in a doc.
type Fields struct {
	Plate, Name, NationalID, Number, Phone, Email string
}

type term struct {
	field field
	text  string
}

// terms gives the doc's terms, each once.
func (f Fields) terms() []term {
	var all []term
	add := func(as field, text string) {
		t := term{as, clip(text, maxValueRunes)}
		if text != "" && !slices.Contains(all, t) {
			all = append(all, t)
		}
	}
	add(plateField, plateOf(f.Plate))
	add(idField, codeOf(f.NationalID))
	add(numberField, codeOf(f.Number))
	add(phoneField, reversed(digitsOf(f.Phone)))
	add(emailField, foldOf(strings.TrimSpace(f.Email)))
	words := wordsOf(f.Name)
	for _, w := range words[:min(len(words), maxNameWords)] {
		add(nameField, w)
		if !isSyllabic(firstRune(w)) {
			continue
		}
		// Every end of a run of characters, so that a search that begins in the
		// middle of it is a prefix too.
		for runes := []rune(w)[1:]; len(runes) > 0; runes = runes[1:] {
			add(nameField, string(runes))
		}
	}
	return all
}

func plateOf(s string) string { return gatehouse.NormalizePlate(norm.NFKC.String(s)) }

// codeOf is an ID or employee number as it is compared: upper case, without separators.
func codeOf(s string) string { return plateOf(s) }

func foldOf(s string) string { return norm.NFKC.String(cases.Fold().String(norm.NFKC.String(s))) }

func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, norm.NFKC.String(s))
}

func reversed(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}

// wordsOf splits a name into its words; a run of characters that are written without
// spaces is a word of its own.
func wordsOf(name string) []string {
	var words []string
	var word []rune
	end := func() {
		if len(word) > 0 {
			words, word = append(words, string(word[:min(len(word), maxWordRunes)])), nil
		}
	}
	for _, r := range foldOf(name) {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r):
			end()
			continue
		case len(word) > 0 && isSyllabic(r) != isSyllabic(word[0]):
			end()
		}
		word = append(word, r)
	}
	end()
	return words
}

// isSyllabic reports whether r is of a script that puts no spaces between words.
func isSyllabic(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
}

func firstRune(s string) rune {
	for _, r := range s {
		return r
	}
	return 0
}

func clip(s string, runes int) string {
	if r := []rune(s); len(r) > runes {
		return string(r[:runes])
	}
	return s
}
