package auth

import "net/http"

// Enter is the route of the one-time link. Spent is called where the link does not
// work (any more).
func (a *Auth) Enter(spent http.HandlerFunc) Route {
	return Route{Pattern: "GET /enter/{token}", Policy: Public, Handler: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		if r.Method == http.MethodHead { // GET patterns match HEAD too; a link checker must not spend the link
			w.WriteHeader(http.StatusNoContent)
			return
		}
		cookie, ok := a.redeem(r.PathValue("token"))
		if !ok {
			spent(w, r)
			return
		}
		a.setCookie(w, r, cookie, int(a.o.Absolute.Seconds()))
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}}
}

// Leave signs out; done answers.
func (a *Auth) Leave(done http.HandlerFunc) Route {
	return Route{Pattern: "POST /leave", Policy: WithSession, Handler: func(w http.ResponseWriter, r *http.Request) {
		a.End(r)
		a.setCookie(w, r, "", -1)
		done(w, r)
	}}
}

func (a *Auth) setCookie(w http.ResponseWriter, r *http.Request, value string, maxAge int) {
	http.SetCookie(w, &http.Cookie{Name: CookieName, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode})
}
