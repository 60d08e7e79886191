package pairing

import "strings"

// lookalikes are the characters that a camera takes for each other. The provinces'
// short names are put together by the part that they share: the water radical, 京, 日,
// the grass radical, 阝, and so on.
var lookalikes = []string{
	"0ODQ", "38B", "1IL", "2Z", "5S", "6G", "HKMN", "VY",
	"津浙湘沪渝", "京琼", "晋鲁", "鲁黑", "贵青", "苏蒙藏", "陕鄂", "冀豫",
}

// confusable reports whether one character may be a misread of the other.
func confusable(a, b rune) bool {
	for _, set := range lookalikes {
		if strings.ContainsRune(set, a) && strings.ContainsRune(set, b) {
			return true
		}
	}
	return false
}

// Lookalikes returns the characters that r may be taken for, without r.
func Lookalikes(r rune) []rune {
	var all []rune
	for _, set := range lookalikes {
		if !strings.ContainsRune(set, r) {
			continue
		}
		for _, x := range set {
			if x != r {
				all = append(all, x)
			}
		}
	}
	return all
}

// difference is how two texts differ.
type difference struct {
	kind diffKind
	at   int // index of the character, of the longer text where one is missing
}

type diffKind uint8

const (
	same      diffKind = iota
	lookalike          // one character, that may be taken for the other
	missing            // one character more or less
	other              // one character, that nobody takes for the other
	far                // more than one
)

// differ compares two texts.
func differ(a, b []rune) difference {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 {
		return difference{kind: far}
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		if string(a[i:]) == string(b[i+1:]) {
			return difference{missing, i}
		}
		return difference{kind: far}
	}
	if i == len(a) {
		return difference{kind: same}
	}
	if string(a[i+1:]) != string(b[i+1:]) {
		return difference{kind: far}
	}
	if confusable(a[i], b[i]) {
		return difference{lookalike, i}
	}
	return difference{other, i}
}
