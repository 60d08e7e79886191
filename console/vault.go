package console

import (
	"net/http"
	"strconv"
	"time"

	"gatehouse"
)

// maxUnseal bounds the form, in bytes: a passphrase of 1,024, every byte of it escaped.
const maxUnseal = 4096

// unseal takes the passphrase from the form in the bar.
func (c *Console) unseal(w http.ResponseWriter, r *http.Request) {
	form, err := readSecretForm(w, r, maxUnseal)
	defer form.wipe()
	minutes, notNumber := strconv.Atoi(form.text("minutes"))
	passphrase := form.take("passphrase")
	if err != nil || len(passphrase) == 0 || len(passphrase) > maxPassphrase || notNumber != nil || minutes < 1 || minutes > 24*60 {
		c.fail(w, r, gatehouse.Errorf("form.malformed", "give the passphrase and a time of 1 to 1440 minutes", "the form was not filled in"))
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
