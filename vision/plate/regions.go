package plate

import (
	"math"
	"strings"
	"unicode"
)

// chinese follows GA 36-2018 (civil plates), GA 36.1-2001 and GB 16735-style
// agricultural plates, and the published forms of military, armed police and
// civil aviation plates. I and O are not used in serials; O is the second
// character of older government plates.
var chinese = []pattern{
	{shape: "pcxxxxx", region: "cn", accept: fewLetters},
	{shape: "pOxxxxx", region: "cn", weight: -2, accept: fewLetters},
	{shape: "~pcxxxxx", region: "cn", weight: -3, accept: fewLetters},
	{shape: "pcexdddd", region: "cn", class: "cn-new-energy", weight: -0.5},
	{shape: "pcddddde", region: "cn", class: "cn-new-energy", weight: -1},
	{shape: "pcxxxx学", region: "cn", class: "cn-learner", weight: -1, accept: fewLetters},
	{shape: "pcxxxx警", region: "cn", class: "cn-police", weight: -1, accept: fewLetters},
	{shape: "pcxxxx挂", region: "cn", class: "cn-trailer", weight: -1, accept: fewLetters},
	{shape: "pcxxxx试", region: "cn", class: "cn-trial", weight: -2, accept: fewLetters},
	{shape: "pcxxxx超", region: "cn", class: "cn-oversize", weight: -2, accept: fewLetters},
	{shape: "pcxxxx领", region: "cn", class: "cn-consulate", weight: -1, accept: fewLetters},
	{shape: "粤Zxxxx港", region: "cn", class: "cn-hk-macau", weight: -0.5},
	{shape: "粤Zxxxx澳", region: "cn", class: "cn-hk-macau", weight: -0.5},
	{shape: "使dddddd", region: "cn", class: "cn-embassy", weight: -1},
	{shape: "dddddd使", region: "cn", class: "cn-embassy", weight: -2},
	{shape: "pddddddd", region: "cn", class: "cn-agricultural", weight: -4},
	{shape: "lcddddd", region: "cn", class: "cn-military", weight: -4},
	{shape: "WJddddddd", region: "cn", class: "cn-armed-police", weight: -2},
	{shape: "WJpddddx", region: "cn", class: "cn-armed-police", weight: -2},
	{shape: "民航cdddd", region: "cn", class: "cn-aviation", weight: -2},
	{shape: "pcxdddd应急", region: "cn", class: "cn-emergency", weight: -3},
}

// fewLetters: a serial of five has at most two letters (GA 36-2018, annex on the
// numbering rules); more are rare older numbers.
func fewLetters(text []rune) float64 {
	n := 0
	for _, r := range text[2:] {
		if r < 0x80 && unicode.IsLetter(r) {
			n++
		}
	}
	return -1.5 * float64(max(0, n-2))
}

// european lists the general forms of the current and the commoner older plates
// of the EU, the EEA, Switzerland and the United Kingdom, without separators.
// Forms that several countries share, or that are common on the road, weigh more.
// The general form is for the rest: vanity, dealers' and older plates.
var european = join(
	forms("eu", 0, "llddlll", "lldddll", "ddddlll", "llldddd", "dlddddd", "llddll", "dlllddd", "llddddl", "llddddll", "lllddd", "llddddd"),
	forms("eu", -1, "dlldddd", "llllddd", "dddlll", "lllddn", "lldddd", "lddlll", "ldddlll", "lddddll", "ldddll", "ddlldd", "ddddll", "ddlllx",
		"dlllxx", "xxdlll", "lldddl", "llldll", "ddllld", "lllddl", "lllldd", "llldd", "lllldddd", "lllddll", "lldddddl", "lddddl", "ldddddl"),
	forms("eu", -2, "ldddddd", "lldddddd", "llldddll", "llddddlll", "dddldddd", "dddldddd", "dddldddd", "dddlldddd", "dddlddd",
		"dddldd", "lldddlll", "llddd", "lllld", "lllddddd", "ldlll", "ldddd", "ldddddll", "lllllddd", "lllldd"),
	forms("eu", -3, "ll~dddll", "~lldddll", "~llddlll", "~llldddd", "~lllddd", "~llddll", "lll~ddd", "ll~ddddd", "l~llddd", "l~lldddd", "ll~llddd", "ll~lldddd", "lll~dddd"),
	general("eu", -4, 5, 8),
	words,
)

// american: every state has forms of its own and sells vanity plates, so the
// common forms only weigh more than the general one. The mark between the groups
// is the state's emblem or a map of it.
var american = join(
	forms("us", 0, "dllldddd", "dlllddd", "llldddd", "lllddd", "dddlll", "lldldl", "ldddddd", "lldlddl"),
	forms("us", -1, "ddldll", "ddlldl", "ddldddd", "dddddl", "ddddld", "dddddld", "llddddd", "lldddd", "dldddd", "llddll", "dddlld", "ddlddd", "ldddlll", "dddldd",
		"lldlddd", "ddlll", "lddddd", "lddlll", "ldllll", "lllddl", "llddld", "dllddd"),
	forms("us", -1.5, "lld~ldl", "lll~ddd", "lll~dddd", "ddd~lll", "ddl~dll", "dll~ddd", "lll~ddl"),
	general("us", -3, 5, 8),
	words,
)

// brazilian: three letters and four digits, and since 2018 the Mercosur form,
// whose fifth character is a letter (Contran resolution 969/2022).
var brazilian = []pattern{
	{shape: "llldddd", region: "br", class: "br-old"},
	{shape: "llldldd", region: "br", class: "br-mercosur"},
}

// words and numbers compete with the plates: a text that reads better as one of
// them is none. Brand names, slogans, telephone numbers and dates are on most
// vehicles.
var words = join(
	forms("", -1.5, "lll", "llll", "lllll", "llllll", "lllllll", "llllllll", "lllllllll"),
	forms("", 0, "ddd", "dddd", "ddddd", "dddddd", "ddddddd", "dddddddd", "ddddddddd"),
)

func forms(region string, weight float64, shapes ...string) (out []pattern) {
	for _, s := range shapes {
		out = append(out, pattern{shape: s, region: region, weight: weight})
	}
	return out
}

// general allows any letters and digits, from shortest to longest characters, as
// long as there is at least one digit and one that is none. Each change between letters and digits after the first costs.
func general(region string, weight float64, shortest, longest int) (out []pattern) {
	for n := shortest; n <= longest; n++ {
		out = append(out, pattern{shape: strings.Repeat("n", n), region: region, weight: weight, accept: mixed})
	}
	return out
}

func mixed(text []rune) float64 {
	count, changes := 0, 0
	for i, r := range text {
		if unicode.IsDigit(r) {
			count++
		}
		if i > 0 && unicode.IsDigit(r) != unicode.IsDigit(text[i-1]) {
			changes++
		}
	}
	if count == 0 || count == len(text) {
		return math.Inf(-1)
	}
	return -0.8 * float64(max(0, changes-1))
}
