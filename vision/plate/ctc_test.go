package plate

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// line of text as a perfect recognizer would see it: each character for two
// steps, with a blank between.
func spell(text string, sure float32) *emission {
	runes := []rune(text)
	steps := 3 * len(runes)
	e := &emission{blank: make([]float32, steps), sym: make([]float32, steps*len(symbolRunes)), raw: text, sure: 1}
	for i, r := range runes {
		for k := range 2 {
			e.at(3*i + k)[symbolIndex[r]] = sure
			e.blank[3*i+k] = 1 - sure
		}
		e.blank[3*i+2] = 1
	}
	return e
}

// also adds another character in the place of the i-th.
func (e *emission) also(i int, r rune, p float32) *emission {
	for k := range 2 {
		row := e.at(3*i + k)
		for c := range row {
			row[c] *= 1 - p
		}
		row[symbolIndex[r]] = p
	}
	return e
}

func indices(text string) (out []int16) {
	for _, r := range text {
		out = append(out, int16(symbolIndex[r]))
	}
	return out
}

func TestSearchObeysTheSyntax(t *testing.T) {
	tests := []struct {
		name, region string
		line         *emission
		want         string
	}{
		{"plain", "cn", spell("京A12345", 0.9), "京A12345"},
		{"repeated characters", "cn", spell("川A88888", 0.9), "川A88888"},
		{"I does not exist in China", "cn", spell("京AI2345", 0.9).also(2, '1', 0.1), "京A12345"},
		{"O only after the province", "cn", spell("粤OA9112", 0.9).also(1, '0', 0.6), "粤OA9112"},
		{"the fifth character of a Mercosur plate is a letter", "br", spell("ABC1023", 0.9).also(4, 'D', 0.3).also(3, 'I', 0.4), "ABC1023"},
		{"a digit cannot be where a letter must", "br", spell("A8C1D23", 0.9).also(1, 'B', 0.2), "ABC1D23"},
		{"new energy", "cn", spell("京AD12345", 0.9), "京AD12345"},
		{"an emblem between the groups", "us", spell("AB1~C2D", 0.9), "AB1C2D"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.line.search(syntaxes[tt.region], 3)
			if len(got) == 0 {
				t.Fatal("nothing found")
			}
			if s := string(toRunes(got[0].text)); s != tt.want {
				t.Errorf("best text has %q, want %q", s, tt.want)
			}
		})
	}
}

// A word that is spelt with letters only must not come out as a plate with 0 and 1.
func TestWordsAreNoPlates(t *testing.T) {
	for _, region := range []string{"eu", "us"} {
		for _, word := range []string{"OCTAVIA", "STORIT", "NOTICE", "CITROEN", "20140513", "3768750"} {
			got := spell(word, 0.9).search(syntaxes[region], 1)
			if len(got) > 0 && syntaxes[region].patterns[got[0].pattern].region != "" {
				t.Errorf("%s: %q reads as plate %q", region, word, string(toRunes(got[0].text)))
			}
		}
	}
}

// score must equal the sum over every path that spells the text, and the scores of
// all texts must add up to one: checked against enumeration.
func TestScoreSumsOverAllPaths(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const steps = 5
	alphabet := indices("A7K")
	for range 20 {
		e := &emission{blank: make([]float32, steps), sym: make([]float32, steps*len(symbolRunes))}
		for s := range steps {
			sum := float32(0)
			p := make([]float32, 4)
			for i := range p {
				p[i] = 0.01 + rng.Float32()
				sum += p[i]
			}
			e.blank[s] = p[3] / sum
			for i, c := range alphabet {
				e.at(s)[c] = p[i] / sum
			}
		}
		paths := map[string]float64{}
		var walk func(step int, text []int16, last int, p float64)
		walk = func(step int, text []int16, last int, p float64) {
			if step == steps {
				key := string(toRunes(text))
				paths[key] += p
				return
			}
			walk(step+1, text, -1, p*float64(e.blank[step]))
			for i, c := range alphabet {
				q := p * float64(e.at(step)[c])
				if i == last {
					walk(step+1, text, i, q)
				} else {
					walk(step+1, append(slices.Clone(text), c), i, q)
				}
			}
		}
		walk(0, nil, -1, 1)
		total := 0.0
		for text, want := range paths {
			got := math.Exp(e.score(indices(text), false))
			if math.Abs(got-want) > 1e-6+1e-4*want {
				t.Fatalf("score of %q is %v, the paths add up to %v", text, got, want)
			}
			total += got
		}
		if math.Abs(total-1) > 1e-3 {
			t.Errorf("all texts together have probability %v", total)
		}
	}
}

// The beam must find the best text that enumeration finds.
func TestSearchAgreesWithEnumeration(t *testing.T) {
	syn := compile(variant{}, []pattern{{shape: "ld", region: "eu"}, {shape: "ddl", region: "eu", weight: -0.5}})
	rng := rand.New(rand.NewPCG(3, 4))
	chars := "AB12"
	for range 50 {
		e := &emission{blank: make([]float32, 6), sym: make([]float32, 6*len(symbolRunes))}
		for s := range 6 {
			e.blank[s] = rng.Float32()
			for _, c := range indices(chars) {
				e.at(s)[c] = rng.Float32()
			}
		}
		best, score := "", math.Inf(-1)
		var all func(text string)
		all = func(text string) {
			if p, w := syn.best(indices(text)); p >= 0 {
				if s := e.score(indices(text), false) + w; s > score {
					best, score = text, s
				}
			}
			if len(text) < 3 {
				for _, c := range chars {
					all(text + string(c))
				}
			}
		}
		all("")
		got := e.search(syn, 1)
		if len(got) == 0 || string(toRunes(got[0].text)) != best || math.Abs(got[0].score-score) > 1e-6 {
			t.Fatalf("search found %v, enumeration %q with %v", got, best, score)
		}
	}
}

func TestTwoLinesReadAsOne(t *testing.T) {
	e := spell("粤B", 0.9).then(spell("B1234", 0.9)) // the same letter ends one line and begins the next
	got := e.search(syntaxes["cn"], 1)
	if len(got) == 0 || string(toRunes(got[0].text)) != "粤BB1234" {
		t.Errorf("the two lines do not read as one plate")
	}
}

// Several cuts of one line outvote the one that is wrong.
func TestJudgeWeighsCuts(t *testing.T) {
	c := &candidate{cuts: []*emission{spell("AB12CDE", 0.9), spell("AB12CDF", 0.8), spell("AB12CDE", 0.9)}}
	c.judge(syntaxes["eu"])
	if string(c.text()) != "AB12CDE" {
		t.Errorf("two of three cuts do not win")
	}
	if c.share <= 0.5 || c.share > 1 || c.likely <= 0 || c.likely > 1 {
		t.Errorf("share %v, likely %v", c.share, c.likely)
	}
	chars := c.chars(syntaxes["eu"])
	if len(chars) != 7 {
		t.Fatalf("%d characters", len(chars))
	}
	for i, ch := range chars[:6] {
		if ch.Confidence < chars[6].Confidence {
			t.Errorf("the disputed last character has confidence %v, number %d only %v", chars[6].Confidence, i, ch.Confidence)
		}
	}
}

// Whatever a recognizer says, the decoder must give texts that the syntax accepts,
// probabilities within bounds, and no panic.
func FuzzSearch(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 200, 100, 50, 25, 12, 6}, uint8(0))
	f.Add([]byte{255, 0, 255, 0, 255, 0}, uint8(3))
	f.Fuzz(func(t *testing.T, data []byte, region uint8) {
		regions := Regions()
		syn := syntaxes[regions[int(region)%len(regions)]]
		steps := min(len(data)/3, 60)
		e := &emission{blank: make([]float32, steps), sym: make([]float32, steps*len(symbolRunes))}
		for s := range steps {
			e.blank[s] = float32(data[3*s]) / 255
			e.at(s)[int(data[3*s+1])%len(symbolRunes)] = float32(data[3*s+2]) / 255
		}
		c := &candidate{cuts: []*emission{e}}
		c.judge(syn)
		for _, h := range c.texts {
			if p, _ := syn.best(h.text); p < 0 {
				t.Fatalf("the syntax does not accept what the search found")
			}
		}
		if conf := c.confidence(); conf < 0 || conf > 1 || math.IsNaN(conf) {
			t.Fatalf("confidence %v", conf)
		}
		if len(c.texts) > 0 {
			for _, ch := range c.chars(syn) {
				if ch.Confidence < 0 || ch.Confidence > 1 || math.IsNaN(ch.Confidence) {
					t.Fatalf("character confidence %v", ch.Confidence)
				}
			}
		}
	})
}
