package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/console/consoletest"
	"gatehouse/flow/enroll"

	"github.com/chromedp/chromedp"
)

// led posts a form from the page, as the browser's session, and says where it led.
func led(t *testing.T, ctx context.Context, path string, form url.Values, files ...[]byte) string {
	t.Helper()
	script := fmt.Sprintf(`(() => { const body = new URLSearchParams(%q); return fetch(%q, {method: "POST", body}).then(r => new URL(r.url).pathname); })()`, form.Encode(), path)
	if len(files) > 0 {
		bytes, _ := json.Marshal(files) // as base64
		script = fmt.Sprintf(`(() => { const body = new FormData(); for (const [k, v] of new URLSearchParams(%q)) body.append(k, v);
			for (const f of %s) body.append(%q, new Blob([Uint8Array.from(atob(f), c => c.charCodeAt(0))]), "x"); return fetch(%q, {method: "POST", body}).then(r => new URL(r.url).pathname); })()`,
			form.Encode(), bytes, map[bool]string{true: "photo", false: "file"}[strings.Contains(path, "enrolments")], path)
	}
	at, err := chromedp.Run(ctx, chromedp.Evaluate[string](script, chromedp.EvalAwaitPromise))
	must(t, err)
	return at
}

// faceOf is a photo on which the eyes of a site in memory see person n; it looks like one
// where portraits were fetched.
func faceOf(n int, flaw string) []byte {
	return append(portrait(n).JPEG, []byte("\nface:"+string(rune('a'+n))+":"+flaw)...)
}

// enrolments brings the site's pages about people into every state, as the session of the
// tab, and names them.
func enrolments(t *testing.T, ctx context.Context, s *consoletest.Site) map[string]string {
	t.Helper()
	person, err := s.Enroller.Person(t.Context(), enroll.Person{Label: "Staff 300", Record: gatehouse.PersonRecord{Name: "Noor Haddad", Unit: "Research", Phone: "+49 30 5550 100"}, Card: "0042", Photos: [][]byte{faceOf(9, ""), faceOf(9, "")},
		Consent: enroll.Agreement{Given: true, Attendance: true, How: "reference", Notice: "en"}, Grants: []gatehouse.Grant{{Gate: "front-door", Schedule: "office-hours"}}})
	must(t, err)
	gone, err := s.Enroller.Person(t.Context(), enroll.Person{Label: "Staff 301", Later: true})
	must(t, err)
	vehicle, err := s.Enroller.Vehicle(t.Context(), enroll.Vehicle{Label: "Van 9", Record: gatehouse.VehicleRecord{Plate: "LS19EBC"}, Grants: []gatehouse.Grant{{Gate: "*", Schedule: "always"}}})
	must(t, err)
	for range 3 {
		s.Arrive(passage(gatehouse.FaceReading, "front-door", person, gatehouse.Granted), gatehouse.Detail{})
	}
	at := led(t, ctx, "/people/new", url.Values{"label": {"Staff 302"}, "name": {"Ida Novák"}, "unit": {"Facilities"}, "birth_date": {"1991-05-06"}})
	draft := strings.TrimSuffix(at, "/consent")
	led(t, ctx, draft+"/consent", url.Values{"doors": {"1"}, "notice": {"en"}, "how": {"reference"}, "reference": {"folder 3"}})
	led(t, ctx, draft+"/photos", nil, faceOf(3, ""), append(faceOf(3, ""), '.'), faceOf(3, "dark"), faceOf(9, ""))
	led(t, ctx, draft+"/cards", url.Values{"card": {"0815"}, "qr": {"1"}})
	led(t, ctx, draft+"/access", url.Values{"gate": {"front-door"}, "schedule-front-door": {"office-hours"}, "last": {"2030-12-31"}})
	erased := led(t, ctx, "/people/"+gone.String()+"/erase", url.Values{"reason": {"left"}, "label": {"Staff 301"}})
	bad := led(t, ctx, "/people/import", url.Values{"kind": {"person"}}, []byte("label,name,birth_date,gates\nStaff 400,Ana Silva,1990-04-03,front-door\nStaff 401,Ben Ode,3/4/1990,\nStaff 401,Cy Rao,1988-01-02,back-door\n"))
	good := led(t, ctx, "/people/import", url.Values{"kind": {"person"}}, []byte("label,name,birth_date,gates\nStaff 500,Ana Silva,1990-04-03,front-door\nStaff 501,Ben Ode,1990-04-03,\n"))
	done := led(t, ctx, "/people/import", url.Values{"kind": {"vehicle"}}, []byte("label,plate\nVan 20,XY99ZZZ\n"))
	led(t, ctx, done+"/start", nil)
	van := led(t, ctx, "/vehicles/new", url.Values{"label": {"Van 21"}, "plate": {"XY98ZZZ"}})
	pages := map[string]string{"person": "/people/" + person.String(), "vehicle": "/people/" + vehicle.String(), "people-new": "/people/new", "vehicles-new": "/vehicles/new", "vehicle-access": van,
		"erase": "/people/" + person.String() + "/erase", "erasure": erased, "import": "/people/import", "import-bad": bad, "import-good": good, "import-done": done}
	for _, step := range []string{"consent", "photos", "cards", "access", "review"} {
		pages["enrol-"+step] = draft + "/" + step
	}
	return pages
}
