package attack

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/auth"
)

// shown is what somebody may show who has no business here.
var shown = map[string]try{
	"nothing":                   {},
	"an invented session":       {cookie: &http.Cookie{Name: auth.CookieName, Value: auth.NewToken()}},
	"an empty session":          {cookie: &http.Cookie{Name: auth.CookieName}},
	"an invented device token":  {token: auth.NewToken()},
	"a password nobody has":     {header: map[string]string{"Authorization": "Basic YWRtaW46YWRtaW4="}},
	"an address nearby":         {header: map[string]string{"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1", "Forwarded": "for=127.0.0.1"}},
	"another method, they say":  {header: map[string]string{"X-HTTP-Method-Override": "GET", "X-Original-URL": "/static/console.css", "X-Rewrite-URL": "/healthz"}},
	"a user that a proxy names": {header: map[string]string{"X-Remote-User": "admin", "X-Forwarded-User": "admin", "X-Auth-Request-Email": "admin@example.org"}},
}

// Without a credential of its own, no route of a session or a device does anything.
func TestNothingToShow(t *testing.T) {
	w := newWorld(t, "x")
	tried := 0
	for _, r := range w.tcp() {
		if r.Policy == auth.Public || r.Policy == auth.Loopback {
			continue
		}
		method, path := w.path(r, "")
		for what, a := range shown {
			answer, _, err := w.do(method, path, a)
			tried++
			if err != nil {
				t.Errorf("%s with %s: %v", r.Pattern, what, err)
				continue
			}
			if code := answer.StatusCode; code != http.StatusUnauthorized && code != http.StatusTooManyRequests {
				t.Errorf("%s with %s: %d", r.Pattern, what, code)
			}
		}
	}
	if tried < 200 {
		t.Errorf("%d requests only", tried)
	}
}

// Whoever's roles do not allow it is refused, at every route and with every role, and a
// device's token opens no page.
func TestALowerRole(t *testing.T) {
	w := newWorld(t, "MARK")
	tried := 0
	for _, role := range gatehouse.PeopleRoles {
		cookie := w.account(t, role)
		for _, r := range w.tcp() {
			permission := r.Policy.Permission()
			if permission == "" || role.May(permission) {
				continue
			}
			method, path := w.path(r, "")
			answer, body, err := w.do(method, path, try{cookie: cookie})
			tried++
			if err != nil {
				t.Errorf("%s as %s: %v", r.Pattern, role, err)
				continue
			}
			toAnother := r.Pattern == "GET /{$}" && answer.StatusCode == http.StatusSeeOther // to the first page of their own
			if answer.StatusCode != http.StatusForbidden && !toAnother {
				t.Errorf("%s as %s: %d", r.Pattern, role, answer.StatusCode)
			}
			for _, of := range []string{"Door MARK", "Name MARK", "Account MARK"} {
				if strings.Contains(string(body), of) {
					t.Errorf("%s as %s shows what it must not: %s", r.Pattern, role, of)
				}
			}
		}
	}
	for _, r := range w.tcp() {
		if r.Policy.Permission() == "" {
			continue
		}
		method, path := w.path(r, "")
		answer, _, err := w.do(method, path, try{token: w.token})
		for err == nil && answer.StatusCode == http.StatusTooManyRequests { // there are more routes than wrong tokens at once
			time.Sleep(time.Second)
			answer, _, err = w.do(method, path, try{token: w.token})
		}
		tried++
		if err != nil || answer.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s with a device's token: %v, %v", r.Pattern, answer, err)
		}
	}
	if tried < 150 {
		t.Errorf("%d requests only", tried)
	}
}

// The ids of another tenant's site name nothing here, also for a session that may do
// everything: what is answered is what an invented id is answered.
func TestAnotherTenantsIDs(t *testing.T) {
	w, other := newWorld(t, "x"), newWorld(t, "NEIGHBOUR")
	tried := 0
	for _, r := range w.tcp() {
		if r.Policy.Permission() == "" || !strings.Contains(r.Pattern, "{id}") || strings.Contains(r.Pattern, "/gates/") {
			continue
		}
		// The device's and the gates' ids are the operators' words, the same at both.
		if strings.Contains(r.Pattern, "/devices/") {
			continue
		}
		method, mine := w.path(r, "")
		_, theirs := other.path(r, "")
		if mine == theirs {
			t.Errorf("%s: no id to try", r.Pattern)
			continue
		}
		form := func() try {
			return try{cookie: w.local, body: strings.NewReader("reason=because&purpose=audit"), kind: "application/x-www-form-urlencoded"}
		}
		answer, body, err := w.do(method, theirs, form())
		if err != nil {
			t.Fatal(err)
		}
		invented, _, err := w.do(method, strings.ReplaceAll(theirs, idOf(theirs), gatehouse.RandomID().String()), form())
		if err != nil {
			t.Fatal(err)
		}
		tried++
		if answer.StatusCode != invented.StatusCode || method == http.MethodGet && answer.StatusCode < 400 {
			t.Errorf("%s with another tenant's id: %d, with an invented one: %d", r.Pattern, answer.StatusCode, invented.StatusCode)
		}
		if strings.Contains(string(body), "NEIGHBOUR") {
			t.Errorf("%s shows another tenant's", r.Pattern)
		}
	}
	if tried < 8 {
		t.Errorf("%d routes only", tried)
	}
}

// idOf is the first part of a path that is an id.
func idOf(path string) string {
	for part := range strings.SplitSeq(path, "/") {
		if _, err := gatehouse.ParseID(part); err == nil {
			return part
		}
	}
	return ""
}
