package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/console/consoletest"
)

// Limits are shown with what is used, and changed with the vault's passphrase: what is left
// empty stays.
func TestBudgetsAreShownAndSetWithThePassphrase(t *testing.T) {
	s, g := open(t)
	_, body := g.get("/privacy/budgets")
	for _, want := range []string{"200 of 300 used", "3800 of 6000 used", "manager-1", "gatehouse.yml lowers it; 300 and 2000 are set"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	form := url.Values{"operator-hour": {"500"}, "live-day": {" 900 "}, "role-hour": {""}, "passphrase": {"wrong one"}}
	if code, body := g.post("/privacy/budgets", form); code != http.StatusForbidden || !strings.Contains(body, "not the vault") || strings.Contains(body, "wrong one") || s.Controls.Limits["operator"].Hour != 300 {
		t.Errorf("a wrong passphrase: %d", code)
	}
	form.Set("passphrase", consoletest.Passphrase)
	if code, body := g.post("/privacy/budgets", form); code != http.StatusOK || !strings.Contains(body, "200 of 500 used") || s.Controls.Limits["live"].Day != 900 || s.Controls.Limits["role"].Hour != 600 {
		t.Errorf("the limits are %v, %d", s.Controls.Limits, code)
	}
	for _, bad := range []string{"0", "-1", "1e9", "100000001", "x"} {
		form.Set("operator-hour", bad)
		if code, _ := g.post("/privacy/budgets", form); code != http.StatusUnprocessableEntity || s.Controls.Limits["operator"].Hour != 500 {
			t.Errorf("%q an hour: %d", bad, code)
		}
	}
	if code, _ := g.post("/privacy/budgets", url.Values{"operator-hour": {"500"}}); code != http.StatusBadRequest {
		t.Errorf("without a passphrase: %d", code)
	}
	s.Controls.Elsewhere = true
	if _, body := g.get("/privacy/budgets"); strings.Contains(body, `name="passphrase" required maxlength="1024" autocomplete="off"></label>
  <button`) || !strings.Contains(body, "gatehouse vault budget set") {
		t.Error("the passphrase is asked for where the vault is elsewhere")
	}
}

// Spares are enrolled, planted with the passphrase, listed with it alone; lifting is a
// command of two operators, and no form.
func TestCanariesArePlantedAndLifted(t *testing.T) {
	s, g := open(t)
	before := len(s.Working.Badges())
	code, body := g.post("/privacy/canaries/spare", url.Values{"kind": {"person"}, "count": {"3"}})
	if code != http.StatusOK || len(s.Working.Badges()) != before+3 || strings.Count(body, "B-4711") != 3 {
		t.Fatalf("spares: %d, %d there", code, len(s.Working.Badges()))
	}
	for _, bad := range []url.Values{{"kind": {"person"}, "count": {"21"}}, {"kind": {"door"}, "count": {"1"}}, {"kind": {"person"}}} {
		if code, _ := g.post("/privacy/canaries/spare", bad); code != http.StatusUnprocessableEntity && code != http.StatusBadRequest {
			t.Errorf("%v: %d", bad, code)
		}
	}
	id := s.Working.FindBadges("B-4711", 1)[0].Subject.String()
	plant := url.Values{"what": {"subjects"}, "subjects": {id + "\r\n"}, "note": {"staff & co"}, "passphrase": {consoletest.Passphrase}}
	if code, body = g.post("/privacy/canaries", plant); code != http.StatusOK || len(s.Controls.Planted) != 1 || s.Controls.Planted[0].Note != "staff & co" || strings.Contains(body, id) {
		t.Errorf("planting: %d, %v", code, s.Controls.Planted)
	}
	for what, form := range map[string]url.Values{"nobody": {"what": {"subjects"}, "passphrase": {consoletest.Passphrase}}, "no id": {"what": {"subjects"}, "subjects": {"x"}, "passphrase": {consoletest.Passphrase}},
		"a stranger": {"what": {"subjects"}, "subjects": {gatehouse.RandomID().String()}, "passphrase": {consoletest.Passphrase}}, "a wrong passphrase": {"what": {"token"}, "passphrase": {"no"}}, "no passphrase": {"what": {"token"}}} {
		if code, body := g.post("/privacy/canaries", form); code < 400 || code >= 500 || !strings.Contains(body, `role="alert"`) || len(s.Controls.Planted) != 1 {
			t.Errorf("%s: %d", what, code)
		}
	}
	if _, body = g.post("/privacy/canaries", url.Values{"what": {"token"}, "note": {"old laptop"}, "passphrase": {consoletest.Passphrase}}); !strings.Contains(body, "canary-token-of-a-test") {
		t.Error("a token is not shown")
	}
	if _, body = g.get("/privacy/canaries"); strings.Contains(body, "old laptop") || strings.Contains(body, "canary-token") || strings.Contains(body, id) {
		t.Error("who looks without the passphrase sees what is planted")
	}
	if _, body = g.post("/privacy/canaries/list", url.Values{"passphrase": {consoletest.Passphrase}}); !strings.Contains(body, "old laptop") || !strings.Contains(body, id) {
		t.Error("who shows the passphrase does not")
	}
	s.Trip()
	if _, body = g.get("/privacy/canaries"); !strings.Contains(body, "1 / 2") || !strings.Contains(body, "gatehouse canary lift --as NAME") || strings.Contains(body, "/lift") {
		t.Error("the page of a shut vault")
	}
	s.Controls.Operators = []string{"anna"}
	if _, body = g.get("/privacy/canaries"); !strings.Contains(body, "too few") {
		t.Error("too few operators are no worry")
	}
	if code, _ := byRole(t, s, gatehouse.Administrator).get("/privacy/canaries"); code != http.StatusForbidden {
		t.Errorf("an administrator: %d", code)
	}
}

// A release's page says how much of what is asked for, by whom and for whom, while the vault
// is unsealed; to agree is a command.
func TestOneRelease(t *testing.T) {
	s, g := open(t)
	r := gatehouse.Release{Request: gatehouse.ReleaseRequest{ID: gatehouse.RandomID(), At: time.Now(), Operator: "anna", Purpose: "authority", Reason: "court order 12", Recipients: []string{"age1xyz"}}, Count: 12, Expires: time.Now().AddDate(0, 0, 7)}
	s.Papers.Releases = []gatehouse.Release{r}
	page := "/privacy/releases/" + r.Request.ID.String()
	if _, body := g.get("/privacy/releases"); !strings.Contains(body, `href="`+page+`"`) {
		t.Error("the list does not lead to it")
	}
	_, body := g.get(page)
	if !strings.Contains(body, "gatehouse release approve "+r.Request.ID.String()+" --as NAME") || !strings.Contains(body, "anna") || strings.Contains(body, "court order") || strings.Contains(body, "10 × name") {
		t.Error("the page of a sealed vault")
	}
	s.Unseal()
	if _, body = g.get(page); !strings.Contains(body, "10 × name or plate") || !strings.Contains(body, "age1xyz") {
		t.Error("what is asked for is missing")
	}
	s.Papers.Releases[0].Approver = "bert"
	if _, body = g.get(page); !strings.Contains(body, `action="`+page+`/file"`) || strings.Contains(body, "release approve") {
		t.Error("an approved one cannot be written")
	}
	if code, _ := g.get("/privacy/releases/" + gatehouse.RandomID().String()); code != http.StatusNotFound {
		t.Errorf("one that is not there: %d", code)
	}
}

// Whoever may ask for a release gets the command that asks, with what they named: nothing is
// opened for it, no word of it can be another one's to a shell, and there is no reason in it.
func TestAReleaseIsPrepared(t *testing.T) {
	s, _ := open(t)
	g := byRole(t, s, gatehouse.SiteManager)
	var ids []string
	for range 12 {
		ids = append(ids, s.Enrol(gatehouse.PersonSubject, "Staff", "Mei Lin", gatehouse.Active).String())
	}
	const key = "age1qqqqqqqqqqqqqqqqqqqq"
	ask := url.Values{"ids": {ids[0]}, "field": {"name", "record"}, "purpose": {"authority"}, "recipients": {key}}
	code, body := g.post("/privacy/releases/plan", ask)
	for _, want := range []string{"gatehouse release request --as NAME --reason - --purpose authority", "--field name", "--field record", "--recipient " + key, "--subject " + ids[0], "Values: 2"} {
		if code != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%d, and the command lacks %q", code, want)
		}
	}
	if strings.Contains(body, "Mei Lin") {
		t.Error("a name was opened for it")
	}
	ask.Set("ids", strings.Join(ids, "\r\n"))
	if _, body = g.post("/privacy/releases/plan", ask); !strings.Contains(body, "--subjects-file FILE") || strings.Contains(body, "--subject "+ids[0]) || !strings.Contains(body, ids[11]) {
		t.Error("many ids stand in the command")
	}
	for field, bad := range map[string]string{"purpose": "a; rm -rf", "recipients": "age1$(id)", "ids": gatehouse.RandomID().String(), "field": ""} {
		form := url.Values{}
		for k, v := range ask {
			form[k] = v
		}
		if form.Set(field, bad); bad == "" {
			form.Del(field)
		}
		if code, body := g.post("/privacy/releases/plan", form); code != http.StatusUnprocessableEntity || strings.Contains(body, "--purpose") {
			t.Errorf("%s %q: %d", field, bad, code)
		}
	}
}
