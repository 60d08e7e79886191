package attack

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
)

// fieldNames are the names that fields of forms and of JSON objects have here, and those
// that an attacker hopes for.
var fieldNames = []string{"login", "name", "label", "reason", "purpose", "code", "passphrase", "duration", "q", "query", "plate", "text", "title", "note", "url", "email", "phone", "address", "unit",
	"number", "group", "groups", "schedule", "gate", "gates", "day", "from", "until", "message", "kind", "value", "id", "to", "next", "lang", "token", "subject", "fields"}

// wished are what an attacker adds so that it is taken over into what is stored.
var wished = map[string]string{"role": "administrator", "roles": "administrator", "permission": "accounts", "permissions": "accounts", "admin": "true", "is_admin": "1", "org": "other", "organization": "other",
	"site": "other", "place": "other", "status": "active", "state": "active", "disabled": "false", "budget": "100000", "units": "100000", "scope": "all", "scopes": "all", "revision": "1", "fresh": "true", "local": "true", "proved": "2100-01-01T00:00:00Z",
	"account": "", "session": "", "__proto__": "x", "constructor": "x"}

func everyField(value string) url.Values {
	f := url.Values{}
	for _, name := range fieldNames {
		f.Set(name, value)
	}
	return f
}

// ends reports whether a form ends what the other requests need: the session, the
// unsealed vault, the account.
func ends(pattern string) bool {
	for _, of := range []string{"POST /leave", "POST /vault/seal", "/end", "/remove", "/disable", "/revoke"} {
		if strings.HasSuffix(pattern, of) {
			return true
		}
	}
	return strings.HasPrefix(pattern, "DELETE ")
}

func (w *world) form(r auth.Route, fields url.Values) try {
	a := w.as(r)
	a.body, a.kind = strings.NewReader(fields.Encode()), "application/x-www-form-urlencoded"
	a.header = map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": w.base}
	return a
}

// What a request says beyond what its route takes changes nothing: JSON with a field that
// a route does not know is refused, and a form's is not looked at.
func TestFieldsThatNobodyAskedFor(t *testing.T) {
	w := newWorld(t, "x")
	cookie := w.account(t, gatehouse.Guard)
	before, err := w.server.Admin().Accounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	object := strings.Builder{}
	object.WriteString(`{"unheard_of":1`)
	fields := everyField("x")
	for name, value := range wished {
		fields.Set(name, value)
		object.WriteString(`,"` + name + `":"` + value + `"`)
	}
	object.WriteString("}")
	refused, tried := 0, 0
	for _, r := range w.tcp() {
		method, path := w.path(r, "")
		if method == http.MethodGet || ends(r.Pattern) {
			continue
		}
		tried++
		if strings.HasPrefix(path, "/api/") {
			a := w.as(r)
			a.body, a.kind, a.header = strings.NewReader(object.String()), "application/json", map[string]string{"Sec-Fetch-Site": "same-origin"}
			answer, body, err := w.do(method, path, a)
			if err != nil {
				t.Fatal(err)
			}
			if answer.StatusCode < 400 {
				t.Errorf("%s takes an object with fields that nobody knows: %d %s", r.Pattern, answer.StatusCode, body)
			}
			refused++
		}
		// A guard's own forms.
		f := w.form(r, fields)
		if r.Policy != auth.WithDevice {
			f.cookie = cookie
		}
		answer, _, err := w.do(method, path, f)
		if err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode >= 500 {
			t.Errorf("%s: %d", r.Pattern, answer.StatusCode)
		}
	}
	after, err := w.server.Admin().Accounts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if was, is := rolesOf(before.Accounts), rolesOf(after.Accounts); was != is {
		t.Errorf("the accounts' roles were %s, and are %s", was, is)
	}
	if tried < 20 || refused < 3 {
		t.Errorf("%d requests, %d to the API", tried, refused)
	}
}

func rolesOf(list []wire.Account) string {
	var b strings.Builder
	for _, a := range list {
		b.WriteString(a.Login + " " + string(a.State) + " " + strings.Join(a.Roles, ",") + "; ")
	}
	return b.String()
}
