package console

import (
	"net/http"

	"gatehouse"
)

// formIn takes a form of at most most bytes. It fails with form.malformed, also where
// what was sent is no form: an empty one would take away what its fields say.
func formIn(w http.ResponseWriter, r *http.Request, most int64) error {
	r.Body = http.MaxBytesReader(w, r.Body, most)
	if err := r.ParseForm(); err != nil || r.PostForm == nil || len(r.PostForm) == 0 && r.ContentLength != 0 {
		return gatehouse.Errorf("form.malformed", "fill it in on its page and send it again", "the form cannot be read, or is too long")
	}
	return nil
}
