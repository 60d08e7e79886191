package console

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"net/http"

	"gatehouse"
)

// maxPassphrase bounds what opens the vault, in bytes.
const maxPassphrase = 1024

// secretForm is a form (application/x-www-form-urlencoded) with a passphrase in it. That is
// never written, shown again or logged; here it is in one buffer, which is wiped.
type secretForm struct {
	buffer []byte
	parts  [][]byte // of the buffer
}

// readSecretForm reads a form of less than most bytes. It fails with form.malformed; what it
// returns is to be wiped all the same.
func readSecretForm(w http.ResponseWriter, r *http.Request, most int) (f secretForm, err error) {
	f.buffer = make([]byte, most)
	n, err := io.ReadFull(http.MaxBytesReader(w, r.Body, int64(most)-1), f.buffer)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) { // which is the form's end
		return f, gatehouse.Errorf("form.malformed", "fill it in on its page and send it again", "the form cannot be read, or is too long")
	}
	f.parts = bytes.Split(f.buffer[:n], []byte("&"))
	return f, nil
}

func (f secretForm) wipe() { clear(f.buffer) }

// take decodes a field where it lies, and can be called once for each. It returns nil where
// the field is not there or malformed.
func (f secretForm) take(name string) []byte {
	for _, part := range f.parts {
		if value, ok := bytes.CutPrefix(part, []byte(name+"=")); ok {
			return unescape(value)
		}
	}
	return nil
}

// text is take for a field that is no secret.
func (f secretForm) text(name string) string { return string(f.take(name)) }

// unescape decodes a value in its own place, which package url would do in copies that
// nobody can wipe; nil where it is malformed.
func unescape(value []byte) []byte {
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
