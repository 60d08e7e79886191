package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/console"
	"gatehouse/console/consoletest"
)

// A person asks, the officer looks at what is held, erases, and answers.
func TestARequestFromNoteToAnswer(t *testing.T) {
	s, g := open(t)
	id := s.Enrol(gatehouse.PersonSubject, "Staff 7", "Mei Lin", gatehouse.Active)
	if _, body := g.get("/privacy/requests"); !strings.Contains(body, "Nobody has asked for anything yet") {
		t.Error("an empty list teaches nothing")
	}
	const words = "wants to know what is held, writes from mei@example.org"
	code, body := g.post("/privacy/requests", url.Values{"kind": {"erasure"}, "subject": {"Staff 7"}, "note": {words}})
	if code != http.StatusOK || !strings.Contains(body, "Staff 7") || strings.Contains(body, words) {
		t.Fatalf("noted: %d, and the words are shown unasked: %t", code, strings.Contains(body, words))
	}
	path := "/privacy/requests/" + s.Papers.Requests[0].ID.String()
	if code, body = g.post(path+"/read", nil); code != http.StatusForbidden || strings.Contains(body, words) {
		t.Errorf("read while the vault is sealed: %d", code)
	}
	s.Unseal()
	n := len(purposes(s))
	if code, body = g.post(path+"/read", nil); code != http.StatusOK || !strings.Contains(body, words) || len(purposes(s)) != n+1 {
		t.Errorf("read: %d, %d disclosures", code, len(purposes(s))-n)
	}

	held := url.Values{"subject": {"Staff 7"}, "reason": {"a request for access"}}
	if code, body = g.post("/privacy/held", held); code != http.StatusOK || !strings.Contains(body, "Mei Lin") || !strings.Contains(body, "ID-4711") || !strings.Contains(body, "folder 7") {
		t.Errorf("what is held: %d", code)
	}
	photo := "/privacy/held/" + id.String() + "/photos/0"
	if code, _ = g.get(photo); code != http.StatusOK || !strings.Contains(body, photo) {
		t.Errorf("the photo: %d", code)
	}
	if code, _ = signIn(t, s).get(photo); code != http.StatusNotFound {
		t.Errorf("the photo in another session: %d", code)
	}
	for missing, status := range map[string]int{"subject": http.StatusUnprocessableEntity, "reason": http.StatusUnprocessableEntity} {
		without := url.Values{"subject": held["subject"], "reason": held["reason"]}
		without.Del(missing)
		if code, body = g.post("/privacy/held", without); code != status || strings.Contains(body, "Mei Lin") {
			t.Errorf("without a %s: %d", missing, code)
		}
	}
	if code, _ = g.post("/privacy/held/file", held); code != http.StatusUnprocessableEntity {
		t.Errorf("a file for nobody: %d", code)
	}
	held.Set("to", "four words of a person")
	if code, body = g.post("/privacy/held/file", held); code != http.StatusOK || !strings.HasPrefix(body, "age-encryption.org/v1") {
		t.Errorf("the file: %d", code)
	}

	if code, _ = g.post("/privacy/erasures", url.Values{"subject": {"Nobody 1"}}); code != http.StatusUnprocessableEntity {
		t.Errorf("nobody of that label: %d", code)
	}
	if at, body := g.step("/privacy/erasures", url.Values{"subject": {"Staff 7"}}); !strings.HasSuffix(at, "/erase") || !strings.Contains(body, "Staff 7") {
		t.Errorf("whom to erase led to %s", at)
	}
	if code, _ = g.post(path+"/answer", url.Values{"outcome": {"refused"}}); code != http.StatusUnprocessableEntity || !s.Papers.Requests[0].Done.IsZero() {
		t.Errorf("refused without a word: %d", code)
	}
	if code, body = g.post(path+"/answer", url.Values{"outcome": {"granted"}, "text": {"erased"}}); code != http.StatusOK || s.Papers.Requests[0].Done.IsZero() || strings.Contains(body, "Close the request") {
		t.Errorf("answered: %d", code)
	}
}

func TestHoldsArePlacedExtendedAndLifted(t *testing.T) {
	s, g := open(t)
	day := time.Now().AddDate(0, 2, 0).Format(time.DateOnly)
	for _, f := range []url.Values{{}, {"day": {"2026-11-01"}, "reason": {"x"}}, {"day": {"2026-11-01"}, "until": {"soon"}, "reason": {"x"}}, {"until": {day}, "reason": {"x"}}, {"day": {"2026-11-01"}, "until": {day}}} {
		if code, _ := g.post("/privacy/holds", f); code != http.StatusUnprocessableEntity || len(s.Papers.Holds) > 0 {
			t.Errorf("%v: %d", f, code)
		}
	}
	if code, body := g.post("/privacy/holds", url.Values{"day": {"2026-11-01"}, "until": {day}, "reason": {"a court asked"}}); code != http.StatusOK || !strings.Contains(body, "2026-11-01") || strings.Contains(body, "a court asked") {
		t.Fatalf("placed: %d", code)
	}
	path := "/privacy/holds/" + s.Papers.Holds[0].ID.String()
	if got := s.Papers.Holds[0].Until.Format(time.DateTime); got != day+" 23:59:59" {
		t.Errorf("it ends at %s", got)
	}
	later := time.Now().AddDate(0, 5, 0).Format(time.DateOnly)
	if code, _ := g.post(path+"/extend", url.Values{"until": {later}}); code != http.StatusOK || s.Papers.Holds[0].Until.Format(time.DateOnly) != later {
		t.Errorf("extended: %d", code)
	}
	if code, _ := g.post(path+"/lift", nil); code != http.StatusOK || len(s.Papers.Holds) != 0 {
		t.Errorf("lifted: %d", code)
	}
}

func TestAConsentsState(t *testing.T) {
	now := time.Now()
	for want, c := range map[string]console.ConsentState{"given": {}, "lapsing": {Lapsing: true}, "withdrawn": {Consent: gatehouse.Consent{Withdrawn: now}, Lapsing: true}} {
		if got := c.State(); got != want {
			t.Errorf("%s: %s", want, got)
		}
	}
	s, g := open(t)
	s.Papers.Consents = []console.ConsentState{{Consent: gatehouse.Consent{Place: consoletest.Place, Subject: gatehouse.RandomID(), Purpose: gatehouse.FaceAtDoors, Given: now, How: "terminal"}, Label: "Staff 7"}}
	if code, body := g.post("/privacy/consents/"+s.Papers.Consents[0].Subject.String()+"/withdraw", nil); code != http.StatusOK || !strings.Contains(body, "Withdrawn") || s.Papers.Consents[0].Withdrawn.IsZero() {
		t.Errorf("withdrawn: %d", code)
	}
}

// While a run goes on, the page asks for how far it is, and somebody can stop it.
func TestALongRunShowsHowFarItIs(t *testing.T) {
	s, g := open(t)
	if code, body := g.post("/privacy/retention/run", nil); code != http.StatusOK || !strings.Contains(body, `hx-get="/privacy/retention/run"`) || !strings.Contains(body, "<progress") {
		t.Errorf("running: %d", code)
	}
	if code, body := g.get("/privacy/retention/run"); code != http.StatusOK || strings.Contains(body, "<html") || !strings.Contains(body, `action="/privacy/retention/stop"`) {
		t.Errorf("the part of the page: %d", code)
	}
	if code, _ := g.post("/privacy/retention/stop", nil); code != http.StatusOK || s.Papers.Running {
		t.Errorf("stopped: %d", code)
	}
	if _, body := g.get("/privacy/retention/run"); strings.Contains(body, "hx-get") || !strings.Contains(body, "812 items") {
		t.Errorf("after the end: %s", body)
	}
}

func TestAReleaseIsWrittenOnceApproved(t *testing.T) {
	s, g := open(t)
	r := gatehouse.Release{Request: gatehouse.ReleaseRequest{ID: gatehouse.NewID(time.Now()), At: time.Now(), Operator: "anna", Purpose: "authority"}, Expires: time.Now().Add(time.Hour)}
	s.Papers.Releases = []gatehouse.Release{r}
	path := "/privacy/releases/" + r.Request.ID.String() + "/file"
	if _, body := g.get("/privacy/releases"); !strings.Contains(body, "gatehouse release approve "+r.Request.ID.String()) || strings.Contains(body, path) {
		t.Error("one that waits offers its file, or does not say what to do")
	}
	if code, _ := g.post(path, nil); code != http.StatusUnprocessableEntity {
		t.Errorf("not approved: %d", code)
	}
	s.Papers.Releases[0].Approver = "bert"
	if code, body := g.post(path, nil); code != http.StatusOK || !strings.HasPrefix(body, "age-encryption.org/v1") {
		t.Errorf("approved: %d", code)
	}
}

// A file that takes long shows how far it is, can be stopped and begun anew, and waits for
// the session that asked for it, and for no other.
func TestALongReleaseShowsHowFarItIs(t *testing.T) {
	s, g := open(t)
	r := gatehouse.Release{Request: gatehouse.ReleaseRequest{ID: gatehouse.NewID(time.Now()), At: time.Now(), Operator: "anna", Purpose: "authority"}, Expires: time.Now().Add(time.Hour), Approver: "bert"}
	s.Papers.Releases, s.Papers.Slow = []gatehouse.Release{r}, make(chan struct{})
	path := "/privacy/releases/" + r.Request.ID.String() + "/file"
	if at, _ := g.step(path, nil); at != strings.TrimSuffix(path, "/file") {
		t.Fatalf("a slow one leads to %s", at)
	}
	if _, body := g.get(path); !strings.Contains(body, `max="2" value="1"`) || !strings.Contains(body, path+"/stop") || !strings.Contains(body, "every 1s") {
		t.Errorf("how far it is: %s", body)
	}
	if _, body := signIn(t, s).get(path); strings.Contains(body, "every 1s") {
		t.Error("another session sees it")
	}
	g.step(path+"/stop", nil)
	if _, body := g.get(path); !strings.Contains(body, "Stopped at") || strings.Contains(body, "every 1s") {
		t.Errorf("stopped: %s", body)
	}
	g.step(path, nil)
	close(s.Papers.Slow)
	body := ""
	for end := time.Now().Add(10 * time.Second); !strings.Contains(body, "Save the file") && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		_, body = g.get(path)
	}
	if _, other := signIn(t, s).get(path); strings.Contains(other, "Save the file") {
		t.Error("another session may save it")
	}
	if code, body := g.post(path, nil); code != http.StatusOK || !strings.HasPrefix(body, "age-encryption.org/v1") {
		t.Errorf("saved: %d", code)
	}
	if _, body := g.get(path); strings.Contains(body, "Save the file") {
		t.Error("it is kept after it was saved")
	}
}

// A letter about a request is sent where they gave an address and there is a mail server,
// and printed otherwise; the address is on no page and in no address of one.
func TestLettersAreSentOrPrinted(t *testing.T) {
	s, g := open(t)
	const address = "mei.lin@example.org"
	form := url.Values{"kind": {"access"}, "note": {"by mail"}, "email": {address}, "in": {"zh"}}
	code, body := g.post("/privacy/requests", form)
	if code != http.StatusOK || !strings.Contains(body, "could not be sent") || strings.Contains(body, address) {
		t.Errorf("without a mail server: %d", code)
	}
	path := "/privacy/requests/" + s.Papers.Requests[0].ID.String()
	if strings.Contains(body, `action="`+path+`/letter"`) || !strings.Contains(body, `href="`+path+`/letter"`) {
		t.Error("it can be sent without a mail server, or not be printed")
	}
	if code, body = g.get(path + "/letter?in=zh"); code != http.StatusOK || !strings.Contains(body, "您的请求已收到") || strings.Contains(body, address) {
		t.Errorf("the letter to print: %d", code)
	}
	s.Papers.Mail = true
	if code, body = g.post("/privacy/requests", form); code != http.StatusOK || !strings.Contains(body, "was taken by the mail server") || strings.Contains(body, address) || len(s.Papers.Posted) != 1 {
		t.Errorf("with one: %d, %v", code, s.Papers.Posted)
	}
	path = "/privacy/requests/" + s.Papers.Requests[0].ID.String()
	if code, body = g.post(path+"/letter", nil); code != http.StatusForbidden || !strings.Contains(body, "sealed") {
		t.Errorf("sent while sealed: %d", code)
	}
	s.Unseal()
	if code, body = g.post(path+"/letter", nil); code != http.StatusOK || len(s.Papers.Posted) != 2 || s.Papers.Posted[1] != address || strings.Contains(body, address) {
		t.Errorf("sent again: %d, %v", code, s.Papers.Posted)
	}
	form.Set("email", "mei")
	if code, body = g.post("/privacy/requests", form); code != http.StatusUnprocessableEntity || !strings.Contains(body, "no address that mail can be sent to") {
		t.Errorf("no address: %d", code)
	}
}
