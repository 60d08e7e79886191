package plate

import (
	"math"
	"slices"
	"strings"

	"gatehouse"
)

// Vote combines the readings of one plate over the frames of one passage. The
// reading that is nearest to all others, by edit distance weighted with their
// confidence, gives the length; every reading is aligned to it, and in each place
// the character with the most weight wins. If the region of the winners does not
// accept the outcome, the nearest reading stands as it is.
//
// Confidence grows with agreement: the share of the weight that says the same
// text, times 1-(1-c)^√n for n agreeing readings of mean confidence c; frames of
// one passage are far from independent, hence the root. Candidates are the other
// texts that were read, by their share. Readings without text are ignored; with
// none left the result is the zero PlateRead.
func Vote(reads []gatehouse.PlateRead) gatehouse.PlateRead {
	var texts [][]rune
	var weights []float64
	var kept []gatehouse.PlateRead
	total := 0.0
	for _, r := range reads {
		if r.Text == "" {
			continue
		}
		w := min(1, max(r.Confidence, 0.01))
		kept, texts, weights = append(kept, r), append(texts, []rune(r.Text)), append(weights, w)
		total += w
	}
	if len(kept) == 0 {
		return gatehouse.PlateRead{}
	}
	centre, least := 0, math.Inf(1)
	for i := range texts {
		cost := 0.0
		for j := range texts {
			cost += weights[j] * float64(align(texts[i], texts[j]).edits)
		}
		// Among equals the more confident reading is the centre.
		if cost < least || cost == least && weights[i] > weights[centre] {
			centre, least = i, cost
		}
	}

	places := make([]map[rune]float64, len(texts[centre]))
	for p := range places {
		places[p] = map[rune]float64{}
	}
	for j, text := range texts {
		for p, at := range align(texts[centre], text).at {
			if at < 0 {
				continue
			}
			w := weights[j]
			if at < len(kept[j].Chars) {
				w *= kept[j].Chars[at].Confidence
			}
			places[p][text[at]] += w
		}
	}
	winner := make([]rune, len(places))
	for p, votes := range places {
		winner[p] = texts[centre][p]
		for _, c := range sortedKeys(votes) {
			if votes[c] > votes[winner[p]] {
				winner[p] = c
			}
		}
	}
	region, class, ok := Accepts(string(winner), kept[centre].Region)
	if !ok {
		winner, region, class = texts[centre], kept[centre].Region, kept[centre].Class
	}
	text := string(winner)

	out := gatehouse.PlateRead{Text: text, Raw: kept[centre].Raw, Region: region, Class: class}
	shares, classes := map[string]float64{}, map[string]float64{}
	agreeing, sum := 0, 0.0
	for i, r := range kept {
		shares[r.Text] += weights[i] / total
		classes[r.Class] += weights[i]
		if r.Text == text {
			agreeing++
			sum += weights[i]
			if agreeing == 1 || r.Confidence > out.Confidence {
				out.Raw, out.Confidence = r.Raw, r.Confidence
			}
		}
	}
	if out.Class == "" {
		for _, c := range sortedKeys(classes) {
			if classes[c] > classes[out.Class] {
				out.Class = c
			}
		}
	}
	for p, c := range winner {
		all := 0.0
		for _, v := range places[p] {
			all += v
		}
		conf := 0.0
		if all > 0 {
			conf = places[p][c] / all
		}
		out.Chars = append(out.Chars, gatehouse.CharRead{Char: c, Confidence: conf})
	}
	if agreeing == 0 {
		// No frame says the whole text: it is as sure as its weakest character.
		out.Confidence = 1
		for _, c := range out.Chars {
			out.Confidence = min(out.Confidence, c.Confidence*total/float64(len(kept)))
		}
	} else {
		mean := sum / float64(agreeing)
		out.Confidence = shares[text] * (1 - math.Pow(1-mean, math.Sqrt(float64(agreeing))))
	}
	others := slices.DeleteFunc(sortedKeys(shares), func(t string) bool { return t == text })
	slices.SortStableFunc(others, func(a, b string) int { return descending(shares[a], shares[b]) })
	for _, t := range others[:min(len(others), maxCandidates)] {
		out.Candidates = append(out.Candidates, gatehouse.PlateCandidate{Text: t, Confidence: min(shares[t], 1)})
	}
	return out
}

// Accepts reports whether a text, normalized or not, has the form of a plate of
// the region (one of Regions, or "" for any), with the region whose form it is and
// the class that the form tells ("" where it tells none).
func Accepts(text, region string) (of, class string, ok bool) {
	if region == "" {
		region = "any"
	}
	syn := syntaxes[region]
	if syn == nil || strings.ContainsRune(text, junk) {
		return "", "", false
	}
	var symbols []int16
	for _, r := range Normalize(text) {
		i, known := symbolIndex[r]
		if !known {
			return "", "", false
		}
		symbols = append(symbols, int16(i))
	}
	p, weight := syn.best(symbols)
	if p < 0 || math.IsInf(weight, -1) || syn.patterns[p].region == "" {
		return "", "", false
	}
	return syn.patterns[p].region, syn.patterns[p].class, true
}

func sortedKeys[K string | rune, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// alignment of a text to a reference: for each place of the reference the place in
// the text, or -1; and the edits that it takes.
type alignment struct {
	at    []int
	edits int
}

// align is the Levenshtein alignment of b to a.
func align(a, b []rune) alignment {
	n, m := len(a), len(b)
	cost := make([][]int, n+1)
	for i := range cost {
		cost[i] = make([]int, m+1)
		cost[i][0] = i
	}
	for j := range cost[0] {
		cost[0][j] = j
	}
	differ := func(i, j int) int {
		if a[i] == b[j] {
			return 0
		}
		return 1
	}
	for i := 1; i <= n; i++ {
		for j := 1; j <= m; j++ {
			cost[i][j] = min(cost[i-1][j-1]+differ(i-1, j-1), cost[i-1][j]+1, cost[i][j-1]+1)
		}
	}
	out := alignment{at: make([]int, n), edits: cost[n][m]}
	for i, j := n, m; i > 0; {
		switch {
		case j > 0 && cost[i][j] == cost[i-1][j-1]+differ(i-1, j-1):
			i, j = i-1, j-1
			out.at[i] = j
		case cost[i][j] == cost[i-1][j]+1:
			i--
			out.at[i] = -1
		default:
			j--
		}
	}
	return out
}
