package console

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func readForm(t *testing.T, s string) (secretForm, error) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/", io.NopCloser(strings.NewReader(s)))
	return readSecretForm(httptest.NewRecorder(), r, 4096)
}

// A form is decoded as package url decodes what a browser sends, and no value is taken for
// another field.
func FuzzSecretForm(f *testing.F) {
	for _, s := range []string{"correct horse", "a&b=c%+", "x&passphrase=y", "口令 ✓", "", "100%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 300 {
			return
		}
		form, err := readForm(t, url.Values{"minutes": {"15"}, "note": {s}, "passphrase": {s}, "x-passphrase": {"no"}}.Encode())
		if err != nil || form.text("note") != s || string(form.take("passphrase")) != s || form.text("minutes") != "15" {
			t.Errorf("%q became something else: %v", s, err)
		}
		if form, err = readForm(t, s); err == nil {
			_ = form.take("passphrase") // anything may come
		}
	})
}

func TestSecretFormsRefuseWhatIsMalformed(t *testing.T) {
	for _, s := range []string{"passphrase=%", "passphrase=%4", "passphrase=%zz", "minutes=15", "xpassphrase=1"} {
		if form, err := readForm(t, s); err != nil || form.take("passphrase") != nil {
			t.Errorf("%q gave a passphrase, %v", s, err)
		}
	}
	for _, s := range []string{"", strings.Repeat("x", 4096)} {
		if _, err := readForm(t, s); err == nil {
			t.Errorf("a form of %d bytes is taken", len(s))
		}
	}
	form, _ := readForm(t, "passphrase=%61b&minutes=5")
	secret := form.take("passphrase")
	if !bytes.Equal(secret, []byte("ab")) || &secret[0] != &form.buffer[len("passphrase=")] {
		t.Error("a copy was made")
	}
	if form.wipe(); !bytes.Equal(secret, []byte{0, 0}) {
		t.Error("the passphrase is still there")
	}
}
