package shares

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strings"

	"gatehouse"

	"github.com/tyler-smith/go-bip39/wordlists"
)

// A share's 68 bytes are 50 words of 11 bits, the last 6 bits of which are zero. The
// list is BIP 39's English one; the check is this package's own.
const (
	wordBits  = 11
	WordCount = (shareSize*8 + wordBits - 1) / wordBits
)

var wordIndex = func() map[string]int {
	index := make(map[string]int, len(wordlists.English))
	for i, w := range wordlists.English {
		index[w] = i
	}
	return index
}()

// checksum is the first 40 bits of the SHA-256: enough to find one mistyped word by
// trying all others (fix), with one wrong answer in ten million.
func checksum(b []byte) uint64 {
	d := sha256.Sum256(b)
	return binary.BigEndian.Uint64(d[:8]) >> 24
}

// Words are the share in the order in which they must be typed.
func (s Share) Words() []string {
	b := s.bytes()
	words := make([]string, WordCount)
	for i := range words {
		words[i] = wordlists.English[bitsAt(b, i)]
	}
	return words
}

// bitsAt is the i-th group of 11 bits; behind the end there are zeros.
func bitsAt(b []byte, i int) int {
	v := 0
	for bit := i * wordBits; bit < (i+1)*wordBits; bit++ {
		v <<= 1
		if bit/8 < len(b) && b[bit/8]&(0x80>>(bit%8)) != 0 {
			v |= 1
		}
	}
	return v
}

// fromIndexes puts words' bits together; false where the bits behind the end are not zero.
func fromIndexes(words []int) ([]byte, bool) {
	b := make([]byte, (WordCount*wordBits+7)/8)
	for i, w := range words {
		for j := range wordBits {
			if w&(1<<(wordBits-1-j)) != 0 {
				bit := i*wordBits + j
				b[bit/8] |= 0x80 >> (bit % 8)
			}
		}
	}
	for _, rest := range b[shareSize:] {
		if rest != 0 {
			return nil, false
		}
	}
	return b[:shareSize], true
}

// Text is the share as it is printed and written into a file: lines beginning with #
// are for people, the others hold the numbered words.
func (s Share) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Gatehouse: share %d of %d. Any %d of them open the vault; fewer say nothing.\n", s.Index, s.Of, s.Threshold)
	fmt.Fprintf(&b, "# Vault key %s, set %s. Keep it apart from the others, and on paper.\n", s.KeyName(), s.SetName())
	for i, w := range s.Words() {
		between := "  "
		if i%10 == 0 {
			between = "\n"
		}
		fmt.Fprintf(&b, "%s%2d %s", between, i+1, w)
	}
	b.WriteString("\n")
	return b.String()
}

// maxText bounds what is looked at.
const maxText = 16 << 10

// Parse reads a share from its words: as Text writes them, as a QR code holds them, or
// as somebody typed them (numbers, lines that begin with # and capitals do not matter).
// A mistyped word is named by its number, never by what it is. Errors: shares.word (no
// word of the list, or one that must be another), shares.order (two words are
// exchanged), shares.length, shares.damaged.
func Parse(text string) (Share, error) {
	if len(text) > maxText {
		return Share{}, gatehouse.Errorf("shares.length", "give one share at a time", "this is too long for a share")
	}
	var words []int
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		for _, w := range strings.FieldsFunc(strings.ToLower(line), func(r rune) bool { return r < 'a' || r > 'z' }) {
			i, ok := wordIndex[w]
			if !ok {
				return Share{}, gatehouse.Errorf("shares.word", "compare it with the paper", "word %d is not in the list of words", len(words)+1)
			}
			words = append(words, i)
		}
	}
	if len(words) != WordCount {
		return Share{}, gatehouse.Errorf("shares.length", "type all of them, in their order", "a share has %d words, these are %d", WordCount, len(words))
	}
	if s, ok := try(words); ok {
		return s, nil
	}
	return Share{}, diagnose(words)
}

func try(words []int) (Share, bool) {
	b, ok := fromIndexes(words)
	if !ok {
		return Share{}, false
	}
	return parse(b)
}

// diagnose says which word is wrong, if one other word, or exchanging two, makes it right.
func diagnose(words []int) error {
	for i := range words {
		was := words[i]
		for w := range wordlists.English {
			words[i] = w
			if _, ok := try(words); ok {
				return gatehouse.Errorf("shares.word", "compare it with the paper", "word %d must be another word", i+1)
			}
		}
		words[i] = was
	}
	for i := range words {
		for j := range i {
			words[i], words[j] = words[j], words[i]
			_, ok := try(words)
			words[i], words[j] = words[j], words[i]
			if ok {
				return gatehouse.Errorf("shares.order", "compare their order with the paper", "words %d and %d are exchanged", j+1, i+1)
			}
		}
	}
	return gatehouse.Errorf("shares.damaged", "compare all words with the paper", "these words are no share: more than one of them is wrong")
}
