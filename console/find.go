package console

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// What a list is searched for may be a name at some sites, where badge labels are names: it
// does not belong into an address, which browsers keep and proxies log. So it is sent as a form,
// and the address of what was found has it sealed under a key that this process alone has.

// hidden begins a search text that is sealed.
const hidden = "~"

var findKey = newFindKey()

func newFindKey() cipher.AEAD {
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err)
	}
	gcm, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return gcm
}

// hide seals a search text for an address.
func hide(text string) string {
	return hidden + base64.RawURLEncoding.EncodeToString(findKey.Seal(nil, nil, []byte(text), nil))
}

// unhide reads what hide wrote; "" for what another process did: the list is whole then. A text
// that was typed into the address is what it is.
func unhide(text string) string {
	sealed, ok := strings.CutPrefix(text, hidden)
	if !ok {
		return text
	}
	raw, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return ""
	}
	plain, err := findKey.Open(nil, nil, raw, nil)
	if err != nil {
		return ""
	}
	return string(plain)
}

// findable is the path of a list, and findField the name of a filter.
var (
	findable  = regexp.MustCompile(`^/[a-z][A-Za-z0-9/_.-]{0,120}$`)
	findField = regexp.MustCompile(`^[a-z_-]{1,30}$`)
)

// maxFind bounds the form, in bytes.
const maxFind = 4 << 10

// findIn leads to a list that is filtered by what the form says.
func (c *Console) findIn(w http.ResponseWriter, r *http.Request) {
	if err := formIn(w, r, maxFind); err != nil {
		c.fail(w, r, err)
		return
	}
	to := r.PostForm.Get("to")
	if !findable.MatchString(to) {
		to = "/"
	}
	v := url.Values{}
	for name := range r.PostForm {
		if one := r.PostForm.Get(name); name != "to" && one != "" && len(one) <= maxQuery && findField.MatchString(name) {
			v.Set(name, one)
		}
	}
	if text := strings.TrimSpace(v.Get("q")); text != "" {
		v.Set("q", hide(text))
	}
	http.Redirect(w, r, to+"?"+v.Encode(), http.StatusSeeOther)
}
