// Package simulate makes up a car park's traffic: vehicles with their plates, what
// cameras read of them, and when they come and go. It measures what the rules make of it.
package simulate

import (
	"math/rand/v2"
	"slices"

	"gatehouse"
	"gatehouse/rules/parking/pairing"
)

// Misreads is how a camera errs.
type Misreads struct {
	Rate float64 // share of readings that are wrong, 0..1
	// Two is the share of the wrong readings with two wrong characters; the others have one.
	Two float64
	// Gap is the share of the wrong characters that are dropped or added; the others are
	// taken for a lookalike.
	Gap float64
	// Sure is the share of the wrong readings that are as sure as right ones, and name no
	// other text: nothing in them says that they are wrong.
	Sure float64
	// Named is the share of the other wrong readings that have the truth among their
	// candidates.
	Named float64
}

// Read returns what a camera reads of a plate.
func (m Misreads) Read(rng *rand.Rand, plate string) gatehouse.PlateRead {
	truth := []rune(plate)
	text := slices.Clone(truth)
	wrong := map[int]bool{}
	sure := true
	if rng.Float64() < m.Rate {
		n := 1
		if rng.Float64() < m.Two {
			n = 2
		}
		sure = rng.Float64() < m.Sure
		text, wrong = m.spoil(rng, text, n)
	}
	p := gatehouse.PlateRead{Text: string(text), Raw: string(text), Confidence: 1}
	for i, r := range text {
		c := rightConfidence(rng)
		if wrong[i] && !sure {
			c = wrongConfidence(rng)
		}
		p.Chars = append(p.Chars, gatehouse.CharRead{Char: r, Confidence: c})
		p.Confidence = min(p.Confidence, c)
	}
	if !sure && string(text) != plate && rng.Float64() < m.Named {
		p.Candidates = []gatehouse.PlateCandidate{{Text: plate, Confidence: 1 - p.Confidence}}
	}
	return p
}

// spoil makes n characters wrong, and says which.
func (m Misreads) spoil(rng *rand.Rand, text []rune, n int) ([]rune, map[int]bool) {
	wrong := map[int]bool{}
	for len(wrong) < n {
		if rng.Float64() < m.Gap {
			i := rng.IntN(len(text))
			shifted := map[int]bool{}
			if rng.IntN(2) == 0 && len(text) > 4 {
				text = slices.Delete(text, i, i+1)
				for at := range wrong {
					if at > i {
						at--
					}
					shifted[at] = true
				}
				i = min(i, len(text)-1)
			} else {
				text = slices.Insert(text, i, rune("0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"[rng.IntN(34)]))
				for at := range wrong {
					if at >= i {
						at++
					}
					shifted[at] = true
				}
			}
			n += len(shifted) - len(wrong) // two that fell together are one
			wrong = shifted
			wrong[i] = true
			continue
		}
		var can []int
		for i, r := range text {
			if !wrong[i] && len(pairing.Lookalikes(r)) > 0 {
				can = append(can, i)
			}
		}
		if len(can) == 0 {
			return text, wrong
		}
		i := can[rng.IntN(len(can))]
		like := pairing.Lookalikes(text[i])
		text[i] = like[rng.IntN(len(like))]
		wrong[i] = true
	}
	return text, wrong
}
