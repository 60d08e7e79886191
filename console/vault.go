package console

import (
	"net/http"
	"strconv"
	"time"

	"gatehouse"
)

// unseal takes the passphrase from the form in the bar. It is never written, shown
// again or logged.
func (c *Console) unseal(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	passphrase := []byte(r.PostFormValue("passphrase"))
	minutes, err := strconv.Atoi(r.PostFormValue("minutes"))
	if len(passphrase) == 0 || len(passphrase) > 1024 || err != nil || minutes < 1 || minutes > 720 {
		c.fail(w, r, gatehouse.Errorf("form.malformed", "give the passphrase and a time of 1 to 720 minutes", "the form was not filled in"))
		return
	}
	if err := c.o.Vault.Unseal(r.Context(), who(r), passphrase, time.Duration(minutes)*time.Minute); err != nil {
		c.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (c *Console) seal(w http.ResponseWriter, r *http.Request) {
	if err := c.o.Vault.Seal(r.Context(), who(r)); err != nil {
		c.fail(w, r, err)
		return
	}
	c.vault.clear()
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
