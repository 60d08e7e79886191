package console

import (
	"bytes"
	"net/url"
	"testing"
)

// field decodes what a browser sends as package url does.
func FuzzField(f *testing.F) {
	for _, s := range []string{"correct horse", "a&b=c%+", "口令 ✓", "", "100%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		form := url.Values{"minutes": {"15"}, "passphrase": {s}, "x-passphrase": {"no"}}.Encode()
		if got := field([]byte(form), "passphrase"); string(got) != s {
			t.Errorf("%q became %q", s, got)
		}
		_ = field([]byte(s), "passphrase") // anything may come
	})
}

func TestFieldRefusesWhatIsMalformed(t *testing.T) {
	for _, form := range []string{"passphrase=%", "passphrase=%4", "passphrase=%zz", "minutes=15", "", "xpassphrase=1"} {
		if got := field([]byte(form), "passphrase"); got != nil {
			t.Errorf("%q gave %q", form, got)
		}
	}
	whole := []byte("passphrase=%61b&minutes=5")
	if got := field(whole, "passphrase"); !bytes.Equal(got, []byte("ab")) || &got[0] != &whole[len("passphrase=")] {
		t.Error("a copy was made")
	}
}
