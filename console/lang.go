package console

import (
	"net/http"

	"gatehouse/internal/language"
)

// langCookie remembers what ?lang= chose.
const langCookie = "gatehouse_lang"

// languageOf picks "en" or "zh": ?lang= first (and remembers it), then the cookie,
// then Accept-Language.
func languageOf(w http.ResponseWriter, r *http.Request) string {
	if l := r.URL.Query().Get("lang"); language.Known(l) {
		http.SetCookie(w, &http.Cookie{Name: langCookie, Value: l, Path: "/", MaxAge: 365 * 24 * 3600,
			HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteLaxMode})
		return l
	}
	if c, err := r.Cookie(langCookie); err == nil && language.Known(c.Value) {
		return c.Value
	}
	return language.Of(r.Header.Get("Accept-Language"))
}
