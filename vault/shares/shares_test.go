package shares

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"image/png"
	"slices"
	"strings"
	"testing"

	"gatehouse"

	"pgregory.net/rapid"
)

const name = "0123456789abcdef"

func split(t testing.TB, threshold, n int) ([32]byte, []Share) {
	t.Helper()
	var key [32]byte
	_, _ = rand.Read(key[:])
	all, err := Split(key, name, threshold, n)
	if err != nil {
		t.Fatal(err)
	}
	return key, all
}

func wantCode(t testing.TB, err error, code string) {
	t.Helper()
	if gatehouse.ErrorCode(err) != code {
		t.Errorf("error %v, want the code %s", err, code)
	}
}

// Any m of n give the key, in any order, through their words; the key may be anything.
func TestAnyOfThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key"))
		threshold := rapid.IntRange(MinThreshold, 6).Draw(t, "threshold")
		n := rapid.IntRange(threshold, MaxShares).Draw(t, "n")
		all, err := Split(key, name, threshold, n)
		if err != nil {
			t.Fatal(err)
		}
		some := rapid.Permutation(all).Draw(t, "order")[:rapid.IntRange(threshold, n).Draw(t, "given")]
		for i, s := range some {
			read, err := Parse(s.Text())
			if err != nil || read != s {
				t.Fatalf("share %d reads back as %+v, %v", i, read, err)
			}
			if read, err := Parse(strings.ToUpper(strings.Join(s.Words(), " "))); err != nil || read != s {
				t.Fatalf("the QR code's words: %v", err)
			}
		}
		if got, err := Combine(some); err != nil || got != key {
			t.Fatalf("%d of %d: %x, %v", len(some), n, got, err)
		}
	})
}

func TestExtremeKeys(t *testing.T) {
	for _, b := range []byte{0, 0xff} {
		key := [32]byte(bytes.Repeat([]byte{b}, 32))
		all, err := Split(key, name, 2, 2)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Combine(all); err != nil || got != key {
			t.Errorf("%x, %v", got, err)
		}
	}
}

func TestWhatDoesNotCombine(t *testing.T) {
	key, all := split(t, 3, 5)
	_, other := split(t, 3, 5) // the same key's name, another split
	var foreignKey [32]byte
	foreign, err := Split(foreignKey, "fedcba9876543210", 3, 5)
	if err != nil {
		t.Fatal(err)
	}
	for want, given := range map[string][]Share{
		"shares.none":      nil,
		"shares.too_few":   all[:2],
		"shares.duplicate": {all[0], all[1], all[1]},
		"shares.mixed":     {all[0], all[1], other[2]},
		"shares.other_key": {all[0], all[1], foreign[2]},
	} {
		got, err := Combine(given)
		wantCode(t, err, want)
		if got != [32]byte{} {
			t.Errorf("%s: a key came out", want)
		}
	}
	// A share whose value was altered, with a check that fits, gives no key or another one.
	altered := slices.Clone(all)
	altered[1].value[40] ^= 1
	if got, err := Combine(altered[:3]); err == nil && got == key {
		t.Error("an altered share gives the key")
	}
	for _, c := range [][2]int{{1, 5}, {4, 3}, {2, 17}, {0, 0}} {
		if _, err := Split(key, name, c[0], c[1]); gatehouse.ErrorCode(err) != "shares.threshold" {
			t.Errorf("%d of %d: %v", c[0], c[1], err)
		}
	}
}

// Fewer than needed say nothing: two shares fit every other key as well as the true one.
func TestTooFewSayNothing(t *testing.T) {
	_, all := split(t, 3, 5)
	seen := map[[valueSize]byte]bool{}
	for range 20 {
		_, again := split(t, 3, 5)
		for _, s := range again {
			seen[s.value] = true
		}
	}
	if len(seen) != 100 || seen[all[0].value] {
		t.Errorf("shares repeat: %d different values of 100", len(seen))
	}
}

func TestMistyped(t *testing.T) {
	_, all := split(t, 2, 3)
	words := all[0].Words()
	if len(words) != WordCount || WordCount != 50 {
		t.Fatalf("%d words", len(words))
	}
	say := func(change func(w []string) []string) error {
		_, err := Parse(strings.Join(change(slices.Clone(words)), " "))
		return err
	}
	err := say(func(w []string) []string { w[16] = "abandom"; return w })
	wantCode(t, err, "shares.word")
	if !strings.Contains(err.Error(), "word 17 ") {
		t.Error(err)
	}
	for _, i := range []int{0, 23, 49} {
		err = say(func(w []string) []string {
			if w[i] = "zoo"; words[i] == "zoo" {
				w[i] = "zone"
			}
			return w
		})
		wantCode(t, err, "shares.word")
		if want := fmt.Sprintf("shares.word: word %d must be another word (compare it with the paper)", i+1); err.Error() != want {
			t.Errorf("%q, want %q", err, want) // the word itself is in no error
		}
	}
	i := 5
	for words[i] == words[i+1] {
		i++
	}
	wantCode(t, say(func(w []string) []string { w[i], w[i+1] = w[i+1], w[i]; return w }), "shares.order")
	wantCode(t, say(func(w []string) []string { return w[:49] }), "shares.length")
	wantCode(t, say(func(w []string) []string { return append(w, "zoo") }), "shares.length")
	wantCode(t, say(func(w []string) []string { slices.Reverse(w); return w }), "shares.damaged")
	_, err = Parse(strings.Repeat("zoo ", 8000))
	wantCode(t, err, "shares.length")
	_, err = Parse("")
	wantCode(t, err, "shares.length")
}

func FuzzParse(f *testing.F) {
	_, all := split(f, 2, 3)
	f.Add(all[0].Text())
	f.Add("# nothing\n1 abandon")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			if gatehouse.ErrorCode(err) == "" {
				t.Errorf("an error without a code: %v", err)
			}
			return
		}
		if again, err := Parse(s.Text()); err != nil || again != s {
			t.Errorf("what was read is not written as it was: %v", err)
		}
	})
}

func TestQRCode(t *testing.T) {
	_, all := split(t, 2, 3)
	b, err := all[0].PNG()
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil || img.Bounds().Dx() < 60*modulePixels || img.Bounds().Dx() > 120*modulePixels {
		t.Errorf("%v, %v", img.Bounds(), err)
	}
	text, err := all[0].Terminal()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if side := img.Bounds().Dx() / modulePixels; len([]rune(lines[0])) != side || len(lines) != (side+1)/2 {
		t.Errorf("%d×%d characters for %d modules", len([]rune(lines[0])), len(lines), side)
	}
}
