package plate

import (
	"testing"

	"gatehouse"
)

func read(text string, conf float64) gatehouse.PlateRead {
	r := gatehouse.PlateRead{Text: text, Raw: text, Region: "eu", Confidence: conf}
	for _, c := range text {
		r.Chars = append(r.Chars, gatehouse.CharRead{Char: c, Confidence: 0.9})
	}
	return r
}

func TestVote(t *testing.T) {
	weak := read("AB12CDF", 0.9)
	weak.Chars[6].Confidence = 0.2
	tests := []struct {
		name  string
		reads []gatehouse.PlateRead
		want  string
	}{
		{"nothing", nil, ""},
		{"readings without text", []gatehouse.PlateRead{{Raw: "X"}}, ""},
		{"one", []gatehouse.PlateRead{read("AB12CDE", 0.7)}, "AB12CDE"},
		{"majority", []gatehouse.PlateRead{read("AB12CDE", 0.7), read("AB12CDF", 0.8), read("AB12CDE", 0.7)}, "AB12CDE"},
		{"one sure reading outweighs two faint ones", []gatehouse.PlateRead{read("AB12CDE", 0.2), read("AB12CDF", 0.9), read("AB12CDE", 0.2)}, "AB12CDF"},
		{"each place on its own: no frame is right alone",
			[]gatehouse.PlateRead{read("XB12CDE", 0.6), read("AB13CDE", 0.6), read("AB12CDF", 0.6)}, "AB12CDE"},
		{"a character that a frame doubts counts less", []gatehouse.PlateRead{weak, read("AB12CDE", 0.6)}, "AB12CDE"},
		{"frames that lost a character still vote on the others",
			[]gatehouse.PlateRead{read("AB12CDE", 0.6), read("B12CDF", 0.6), read("AB12CDF", 0.6)}, "AB12CDF"},
		{"a longer misreading does not win", []gatehouse.PlateRead{read("AB12CDE", 0.6), read("AAB12CDE", 0.6), read("AB12CDE", 0.6)}, "AB12CDE"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Vote(tt.reads)
			if got.Text != tt.want {
				t.Fatalf("Vote = %q, want %q", got.Text, tt.want)
			}
			if got.Text != "" && (got.Confidence <= 0 || got.Confidence > 1 || len(got.Chars) != len([]rune(got.Text))) {
				t.Errorf("confidence %v, %d characters", got.Confidence, len(got.Chars))
			}
			for i, c := range got.Chars {
				if c.Char != []rune(got.Text)[i] || c.Confidence < 0 || c.Confidence > 1 {
					t.Errorf("character %d is %+v", i, c)
				}
			}
			for _, c := range got.Candidates {
				if c.Text == got.Text {
					t.Errorf("the text is its own candidate")
				}
			}
		})
	}
}

// Agreement must raise the confidence and contradiction must lower it, or a gate
// could not be told to wait for a second frame.
func TestVoteConfidence(t *testing.T) {
	one := Vote([]gatehouse.PlateRead{read("AB12CDE", 0.6)}).Confidence
	three := Vote([]gatehouse.PlateRead{read("AB12CDE", 0.6), read("AB12CDE", 0.6), read("AB12CDE", 0.6)}).Confidence
	torn := Vote([]gatehouse.PlateRead{read("AB12CDE", 0.6), read("AB12CDF", 0.6)}).Confidence
	if !(three > one && one > torn) {
		t.Errorf("three agreeing %.2f, one %.2f, two that differ %.2f", three, one, torn)
	}
}

// A vote by places can make a text that is no plate: then a reading stands.
func TestVoteKeepsTheSyntax(t *testing.T) {
	cn := func(text string, conf float64) gatehouse.PlateRead {
		r := read(text, conf)
		r.Region = "cn"
		return r
	}
	got := Vote([]gatehouse.PlateRead{cn("京A12345", 0.6), cn("使012345", 0.6), cn("京A12345", 0.5)})
	if _, _, ok := Accepts(got.Text, "cn"); !ok {
		t.Errorf("%d characters that no Chinese plate has", len([]rune(got.Text)))
	}
}

func TestAccepts(t *testing.T) {
	tests := []struct {
		text, region string
		of, class    string
		ok           bool
	}{
		{"京A·12345", "cn", "cn", "", true},
		{"京a12345", "cn", "cn", "", true},
		{"京AD12345", "cn", "cn", "cn-new-energy", true},
		{"京A12345D", "any", "cn", "cn-new-energy", true},
		{"京A1234警", "cn", "cn", "cn-police", true},
		{"京A1234学", "cn", "cn", "cn-learner", true},
		{"京A1234挂", "cn", "cn", "cn-trailer", true},
		{"粤Z1234港", "cn", "cn", "cn-hk-macau", true},
		{"粤Z1234澳", "cn", "cn", "cn-hk-macau", true},
		{"沪A1234领", "cn", "cn", "cn-consulate", true},
		{"使123456", "cn", "cn", "cn-embassy", true},
		{"WJ1612345", "cn", "cn", "cn-armed-police", true},
		{"民航B0150", "cn", "cn", "cn-aviation", true},
		{"京A1234I", "cn", "", "", false}, // I is not used
		{"京A1234", "cn", "", "", false},
		{"A12345", "cn", "", "", false},
		{"LS15 EBC", "eu", "eu", "", true},
		{"RK-857 AI", "eu", "eu", "", true},
		{"1B7 0440", "eu", "eu", "", true},
		{"OCTAVIA", "eu", "", "", false},
		{"20140513", "us", "", "", false},
		{"7ABC123", "us", "us", "", true},
		{"NOTICE", "us", "", "", false},
		{"ABC1D23", "br", "br", "br-mercosur", true},
		{"ABC1234", "br", "br", "br-old", true},
		{"ABC12D3", "br", "", "", false},
		{"ABC-1234", "", "br", "br-old", true},
		{"AB12CDE", "nowhere", "", "", false},
		{"AB~2CDE", "eu", "", "", false},
		{"", "any", "", "", false},
	}
	for _, tt := range tests {
		of, class, ok := Accepts(tt.text, tt.region)
		if ok != tt.ok || ok && (of != tt.of || class != tt.class) {
			t.Errorf("Accepts(%q, %q) = %q, %q, %v; want %q, %q, %v", tt.text, tt.region, of, class, ok, tt.of, tt.class, tt.ok)
		}
	}
}
