package console

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"gatehouse"
)

// maxUnseal bounds the form, in bytes: a passphrase of 1,024, every byte of it escaped.
const maxUnseal = 4096

// unseal takes the passphrase from the form in the bar. It is never written, shown
// again or logged; here it is in one buffer, which is wiped.
func (c *Console) unseal(w http.ResponseWriter, r *http.Request) {
	form := make([]byte, maxUnseal)
	defer clear(form)
	n, err := io.ReadFull(http.MaxBytesReader(w, r.Body, maxUnseal-1), form)
	if errors.Is(err, io.ErrUnexpectedEOF) { // the form's end
		err = nil
	}
	// The passphrase comes second: decoded it may look like another field.
	minutes, notNumber := strconv.Atoi(string(field(form[:n], "minutes")))
	passphrase := field(form[:n], "passphrase")
	if err != nil || len(passphrase) == 0 || len(passphrase) > 1024 || notNumber != nil || minutes < 1 || minutes > 24*60 {
		c.fail(w, r, gatehouse.Errorf("form.malformed", "give the passphrase and a time of 1 to 1440 minutes", "the form was not filled in"))
		return
	}
	if err := c.o.Vault.Unseal(r.Context(), who(r), passphrase, time.Duration(minutes)*time.Minute); err != nil {
		c.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// field finds a field of a form (application/x-www-form-urlencoded) and decodes it where
// it lies, which package url would do in copies that nobody can wipe. It returns nil where
// the field is not there or malformed.
func field(form []byte, name string) []byte {
	for part := range bytes.SplitSeq(form, []byte("&")) {
		value, ok := bytes.CutPrefix(part, []byte(name+"="))
		if !ok {
			continue
		}
		n := 0
		for i := 0; i < len(value); i, n = i+1, n+1 {
			switch value[i] {
			case '+':
				value[n] = ' '
			case '%':
				if i+2 >= len(value) {
					return nil
				}
				if _, err := hex.Decode(value[n:n+1], value[i+1:i+3]); err != nil {
					return nil
				}
				i += 2
			default:
				value[n] = value[i]
			}
		}
		return value[:n]
	}
	return nil
}

func (c *Console) seal(w http.ResponseWriter, r *http.Request) {
	if err := c.o.Vault.Seal(r.Context(), who(r)); err != nil {
		c.fail(w, r, err)
		return
	}
	c.vault.clear()
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
