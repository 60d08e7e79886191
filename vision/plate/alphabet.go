package plate

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Chinese plates begin with the short name of a province, autonomous region or
// municipality (GA 36-2018, table 1).
const provinces = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"

const (
	digits  = "0123456789"
	letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	// suffixes and prefixes of special Chinese plates: embassy, consulate, Hong
	// Kong, Macau, learner, police, trailer, trial, oversized, civil aviation,
	// emergency.
	specials = "使领港澳学警挂试超民航应急"
	// junk is a mark that is no character of the number but reads like one: an
	// emblem, a seal, the country's letter on the blue band. It is dropped from
	// the text.
	junk    = '~'
	symbols = digits + letters + provinces + specials + string(junk)
)

// symbolRunes lists what a plate may hold; a symbol is an index into it.
var symbolRunes = []rune(symbols)

var symbolIndex = func() map[rune]int {
	m := make(map[rune]int, len(symbolRunes))
	for i, r := range symbolRunes {
		m[r] = i
	}
	return m
}()

// confusion says how often the recognizer says one character where the plate
// shows another. It is the channel between the two: weights are probabilities,
// rounded, and reflect that most plate fonts draw 0 and O or 1 and I alike.
type confusion struct {
	said  rune
	shown string
	p     float32
}

var confusions = []confusion{
	{'O', "0", 0.5}, {'0', "O", 0.3}, {'I', "1", 0.5}, {'1', "I", 0.3},
	{'Q', "0", 0.03}, {'D', "0", 0.03}, {'0', "D", 0.01}, {'O', "D", 0.02}, {'D', "O", 0.02},
	{'O', "Q", 0.02}, {'0', "Q", 0.01}, {'Q', "O", 0.03}, {'L', "1", 0.02}, {'J', "1", 0.005}, {'T', "1", 0.005}, {'1', "T", 0.005}, {'T', "I", 0.01},
	{'B', "8", 0.02}, {'8', "B", 0.02}, {'S', "5", 0.02}, {'5', "S", 0.02}, {'Z', "2", 0.02}, {'2', "Z", 0.02},
	{'G', "6", 0.01}, {'6', "G", 0.01}, {'T', "7", 0.01}, {'7', "T", 0.01}, {'A', "4", 0.01}, {'4', "A", 0.01},
	{'V', "Y", 0.005}, {'Y', "V", 0.005}, {'U', "V", 0.005}, {'V', "U", 0.005}, {'H', "M", 0.005}, {'M', "H", 0.005}, {'H', "W", 0.01}, {'W', "M", 0.005},
	{'M', "W", 0.005}, {'N', "M", 0.005}, {'N', "W", 0.005}, {'C', "G", 0.01}, {'G', "C", 0.01}, {'E', "F", 0.005}, {'F', "E", 0.005}, {'P', "F", 0.005},
	{'K', "X", 0.005}, {'X', "K", 0.005}, {'D', "U", 0.005},
}

// junkShare is the share of the probability of any character that counts for junk.
const junkShare = 0.2

// otherHan is the share of the probability of a Chinese character that is on no
// plate which each province gets: a blurred province looks like any of them.
const otherHan = 0.01

// share is a part of one recognizer class that counts as a plate symbol.
type share struct {
	sym int16
	p   float32
}

// alphabet maps the recognizer's classes to the plates' symbols.
type alphabet struct {
	classes int
	text    []string  // class → what the recognizer says; "" for the blank
	shares  [][]share // class → symbols it may stand for
	skip    []float32 // class → share that counts as no character (separators)
	han     []bool    // class → Chinese characters, which are seals and emblems outside China
}

// ParseKeys reads the recognizer's dictionary: one character a line, in the order
// of the model's classes 1, 2, …; class 0 is CTC's blank, and the class after the
// last line is the space (PaddleOCR, use_space_char).
func ParseKeys(data []byte) ([]string, error) {
	var keys []string
	for l := range bytes.Lines(data) {
		keys = append(keys, strings.TrimRight(string(l), "\r\n"))
	}
	if len(keys) < len(digits)+len(letters) {
		return nil, fmt.Errorf("the recognizer's dictionary has only %d characters: fetch the models again with `make assets`", len(keys))
	}
	return append(keys, " "), nil
}

func newAlphabet(keys []string) *alphabet {
	a := &alphabet{classes: len(keys) + 1, text: append([]string{""}, keys...)}
	a.shares = make([][]share, a.classes)
	a.skip = make([]float32, a.classes)
	a.han = make([]bool, a.classes)
	for c := 1; c < a.classes; c++ {
		said := []rune(strings.ToUpper(norm.NFKC.String(a.text[c])))
		if len(said) != 1 {
			a.skip[c] = 1
			continue
		}
		r := said[0]
		a.han[c] = unicode.Is(unicode.Han, r)
		sym, known := symbolIndex[r]
		if r != junk && (known || a.han[c]) {
			a.shares[c] = append(a.shares[c], share{int16(symbolIndex[junk]), junkShare})
		}
		if r == junk {
			known = false
		}
		if known {
			a.shares[c] = append(a.shares[c], share{int16(sym), 1})
		}
		for _, f := range confusions {
			if f.said == r {
				a.shares[c] = append(a.shares[c], share{int16(symbolIndex[[]rune(f.shown)[0]]), f.p})
			}
		}
		switch {
		case known:
		case a.han[c]:
			for _, p := range provinces {
				a.shares[c] = append(a.shares[c], share{int16(symbolIndex[p]), otherHan})
			}
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			a.skip[c] = 1
		}
	}
	return a
}

// Normalize returns plate text in the form in which it is compared: NFKC, upper
// case, without spaces, hyphens, middle dots and other separators.
func Normalize(s string) string {
	var b strings.Builder
	for _, r := range norm.NFKC.String(s) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(unicode.ToUpper(r))
		}
	}
	return b.String()
}
