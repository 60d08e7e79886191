package console_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/console/consoletest"
	"gatehouse/flow/enroll"
)

// somebody is enrolled with a card, a photo and both consents.
func somebody(t *testing.T, s *consoletest.Site, label string) gatehouse.SubjectID {
	t.Helper()
	id, err := s.Enroller.Person(t.Context(), enroll.Person{Label: label, Record: gatehouse.PersonRecord{Name: "Mei Lin", NationalID: "110105199004030021", Phone: "+86 10 5550"}, Card: gatehouse.Secret("card " + label),
		Photos: [][]byte{consoletest.Photo(3, "")}, Consent: enroll.Agreement{Given: true, Attendance: true, How: "reference", Notice: "en"}, Grants: []gatehouse.Grant{{Gate: "*", Schedule: "always"}}})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func rowsOf(body string) (labels []string) {
	for _, m := range regexp.MustCompile(`<th scope="row"><a href="/people/[0-9a-f]{32}">([^<]*)</a>`).FindAllStringSubmatch(body, -1) {
		labels = append(labels, m[1])
	}
	return labels
}

func TestTheListIsFilteredSortedAndPaged(t *testing.T) {
	s, g := open(t)
	if _, body := g.get("/people"); !strings.Contains(body, "Nobody is enrolled yet") || !strings.Contains(body, "/people/import") {
		t.Error("the empty list teaches nothing")
	}
	for _, label := range []string{"Staff 10", "Staff 9", "=HYPERLINK(1)", "staff 2"} {
		s.Enrol(gatehouse.PersonSubject, label, "Somebody", gatehouse.Active)
	}
	s.Enrol(gatehouse.VehicleSubject, "Van 1", "LS15EBC", gatehouse.SuspendedStatus)
	if _, body := g.get("/people"); strings.Join(rowsOf(body), "|") != "=HYPERLINK(1)|staff 2|Staff 9|Staff 10|Van 1" {
		t.Errorf("by label: %q", rowsOf(body))
	}
	for name, c := range map[string]struct {
		form url.Values
		want string
	}{
		"a text":       {url.Values{"label": {"STAFF"}}, "staff 2|Staff 9|Staff 10"},
		"turned round": {url.Values{"sort": {"-label"}, "kind": {"person"}}, "Staff 10|Staff 9|staff 2|=HYPERLINK(1)"},
		"vehicles":     {url.Values{"kind": {"vehicle"}}, "Van 1"},
		"suspended":    {url.Values{"status": {"suspended"}}, "Van 1"},
		"without face": {url.Values{"face": {"no"}}, ""},
		"nonsense":     {url.Values{"sort": {"x"}, "kind": {"y"}}, "=HYPERLINK(1)|staff 2|Staff 9|Staff 10|Van 1"},
	} {
		at, body := g.step("/people/filter", c.form)
		if at != "/people" || strings.Join(rowsOf(body), "|") != c.want {
			t.Errorf("%s: %s, %q", name, at, rowsOf(body))
		}
	}
	if code, _ := g.post("/people/filter", url.Values{"label": {strings.Repeat("x", 300)}}); code != http.StatusBadRequest {
		t.Errorf("an endless filter: %d", code)
	}
	// Another session has a list of its own.
	g.step("/people/filter", url.Values{"label": {"van"}})
	if _, body := signIn(t, s).get("/people"); len(rowsOf(body)) != 5 {
		t.Errorf("another session sees %q", rowsOf(body))
	}
	// The export is what is shown, and no formula.
	g.step("/people/filter", url.Values{"kind": {"person"}, "sort": {"label"}})
	w, err := g.http.Get(g.base + "/people/export")
	if err != nil || !strings.HasPrefix(w.Header.Get("Content-Disposition"), "attachment") {
		t.Fatalf("%v, %v", err, w.Header)
	}
	b, _ := io.ReadAll(w.Body)
	table, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(b), "\xEF\xBB\xBF"))).ReadAll()
	if err != nil || len(table) != 5 || table[1][1] != "'=HYPERLINK(1)" || table[2][4] != "*:office-hours" || strings.Contains(string(b), "Somebody") {
		t.Errorf("%v, %q", err, table)
	}
	// Pages: all of them, each once.
	g.step("/people/filter", nil)
	for range 70 {
		s.Enrol(gatehouse.PersonSubject, "More "+gatehouse.RandomID().String()[:6], "X", gatehouse.Active)
	}
	seen, path := map[string]bool{}, "/people"
	for path != "" {
		_, body := g.get(path)
		for _, l := range rowsOf(body) {
			if seen[l] {
				t.Errorf("%s is there twice", l)
			}
			seen[l] = true
		}
		path = ""
		if m := regexp.MustCompile(`rel="next" href="([^"]+)"`).FindStringSubmatch(body); m != nil {
			path = m[1]
		}
	}
	if len(seen) != 75 {
		t.Errorf("%d of 75 were shown", len(seen))
	}
}

func TestAPersonsPage(t *testing.T) {
	s, g := open(t)
	id := somebody(t, s, "Staff 7")
	page := "/people/" + id.String()
	s.Arrive(face(id), gatehouse.Detail{})
	s.Arrive(face(gatehouse.RandomID()), gatehouse.Detail{})
	code, body := g.get(page)
	if code != http.StatusOK || strings.Contains(body, "Mei Lin") || strings.Count(body, "/passages/") != 1 || !strings.Contains(body, "Unseal the vault") {
		t.Errorf("sealed: %d, %d passages", code, strings.Count(body, "/passages/"))
	}
	if at, _ := g.step(page+"/suspend", nil); at != page {
		t.Errorf("suspending led to %s", at)
	}
	if b, _ := s.Working.Badge(id); b.Status != gatehouse.SuspendedStatus {
		t.Error("they are not suspended")
	}
	if _, body := g.step(page+"/reinstate", nil); !strings.Contains(body, "Suspend<") {
		t.Error("they are not let in again")
	}
	g.step(page+"/access", url.Values{"label": {"Staff 8"}, "gate": {"front-door"}, "schedule-front-door": {"nights"}, "first": {"2026-01-02"}})
	if b, _ := s.Working.Badge(id); b.Label != "Staff 8" || len(b.Grants) != 1 || b.Grants[0].Schedule != "nights" || b.ValidFrom.Format(time.DateOnly) != "2026-01-02" {
		t.Errorf("the badge is %+v", b)
	}
	if _, body := g.step(page+"/access", url.Values{"label": {""}}); said(body) == "" {
		t.Error("no label is taken")
	}
	// Cards are exchanged, never shown.
	if _, body := g.step(page+"/credential", url.Values{"kind": {"card"}, "secret": {"card-4712"}}); strings.Contains(body, "card-4712") {
		t.Error("the card number is shown")
	}
	if got, _ := s.Working.ByCredential(gatehouse.CardItem, "card-4712"); got != id {
		t.Error("the new card does not lead to them")
	}
	if _, ok := s.Working.ByCredential(gatehouse.CardItem, "card Staff 7"); ok {
		t.Error("the old card still does")
	}
	for name, form := range map[string]url.Values{"nothing": {"kind": {"card"}}, "no kind": {"kind": {"template"}, "secret": {"x"}}, "an easy PIN": {"kind": {"pin"}, "secret": {"111111"}}} {
		if _, body := g.step(page+"/credential", form); said(body) == "" {
			t.Errorf("%s is taken", name)
		}
	}
	g.step(page+"/credential", url.Values{"kind": {"card"}, "remove": {"1"}})
	if len(s.Working.Kinds(id)) != 0 {
		t.Errorf("they have %v", s.Working.Kinds(id))
	}
	// Withdrawn: the description is gone, the purposes are apart.
	g.step(page+"/consent", url.Values{"purpose": {"face_at_attendance"}})
	if s.TemplatesOf(id) != 1 {
		t.Error("the door's description went with the attendance")
	}
	_, body = g.step(page+"/consent", url.Values{"purpose": {"face_at_doors"}})
	if s.TemplatesOf(id) != 0 || strings.Contains(body, "/consent\"") {
		t.Errorf("%d templates, and it can be withdrawn again", s.TemplatesOf(id))
	}
	if _, body := g.step(page+"/consent", url.Values{"purpose": {"marketing"}}); !strings.Contains(said(body), "no such consent") {
		t.Errorf("another purpose: %q", said(body))
	}
	if code, _ := g.get("/people/" + gatehouse.RandomID().String()); code != http.StatusNotFound {
		t.Errorf("nobody's page: %d", code)
	}
}

func TestOtherPhotos(t *testing.T) {
	s, g := open(t)
	id := somebody(t, s, "Staff 7")
	at, _ := g.step("/people/"+id.String()+"/face", nil)
	base, ok := strings.CutSuffix(at, "/photos") // they agreed before
	if !ok {
		t.Fatalf("it led to %s", at)
	}
	for _, n := range []int{4, 5} { // somebody whom nobody knows; and another
		if _, _, body := g.upload(base+"/photos", "photo", nil, consoletest.Photo(n, "")); n == 5 && !strings.Contains(body, "somebody else") {
			t.Error("photos of two people are taken")
		}
	}
	if at, body := g.step(base+"/review", nil); at != "/people/"+id.String() || !strings.Contains(body, "exchanged") {
		t.Errorf("it led to %s", at)
	}
	if s.TemplatesOf(id) != 1 || len(s.Subjects()) != 1 || len(s.ConsentsOf(id)) != 2 {
		t.Errorf("%d templates, %d people, %d consents", s.TemplatesOf(id), len(s.Subjects()), len(s.ConsentsOf(id)))
	}
	// Without a consent in force they are asked first, and what they say is recorded.
	if err := s.Enroller.WithdrawConsent(t.Context(), id, gatehouse.FaceAtDoors); err != nil {
		t.Fatal(err)
	}
	if at, _ = g.step("/people/"+id.String()+"/face", nil); !strings.HasSuffix(at, "/consent") {
		t.Fatalf("without a consent it led to %s", at)
	}
	base = strings.TrimSuffix(at, "/consent")
	g.step(at, consented)
	g.upload(base+"/photos", "photo", nil, consoletest.Photo(4, ""))
	g.step(base+"/review", nil)
	if s.TemplatesOf(id) != 1 || len(s.ConsentsOf(id)) != 3 {
		t.Errorf("%d templates, %d consents", s.TemplatesOf(id), len(s.ConsentsOf(id)))
	}
	van := s.Enrol(gatehouse.VehicleSubject, "Van", "LS1", gatehouse.Active)
	if code, _ := g.post("/people/"+van.String()+"/face", nil); code != http.StatusNotFound {
		t.Errorf("a van's face: %d", code)
	}
}

// Opening a record needs a reason and the vault, is written first, leaves the ID number
// shut unless it was asked for, and is no address.
func TestARecordIsOpenedAndCorrected(t *testing.T) {
	s, g := open(t)
	id := somebody(t, s, "Staff 7")
	page := "/people/" + id.String()
	if code, body := g.post(page+"/record", url.Values{"reason": {"her phone"}}); code != http.StatusForbidden || said(body) == "" {
		t.Errorf("sealed: %d", code)
	}
	s.Unseal()
	before := len(purposes(s))
	if code, body := g.post(page+"/record", url.Values{"reason": {"  "}}); code != http.StatusUnprocessableEntity || !strings.Contains(said(body), "why") {
		t.Errorf("without a reason: %d", code)
	}
	d, _ := s.Disclosures(context.Background(), gatehouse.ID{}, 100)
	for _, x := range d[:len(d)-before] {
		if x.Reason != "" || x.ReasonSealed {
			t.Error("it was opened all the same")
		}
	}
	code, body := g.post(page+"/record", url.Values{"reason": {"her phone"}})
	if code != http.StatusOK || !strings.Contains(body, `value="Mei Lin"`) || !strings.Contains(body, `value="&#43;86 10 5550"`) || strings.Contains(body, "110105199004030021") {
		t.Fatalf("%d\n%s", code, body)
	}
	at, _ := g.step(page+"/correct", url.Values{"name": {"Mei Lin-Berg"}, "phone": {"+49"}, "national_id": {"smuggled"}})
	if at != page {
		t.Errorf("correcting led to %s", at)
	}
	code, body = g.post(page+"/record", url.Values{"reason": {"a tax form"}, "numbered": {"1"}})
	if code != http.StatusOK || !strings.Contains(body, `value="Mei Lin-Berg"`) || !strings.Contains(body, `value="110105199004030021"`) {
		t.Errorf("the ID number did not stay: %d", code)
	}
	g.step(page+"/correct", url.Values{"name": {"Mei Lin-Berg"}, "numbered": {"1"}, "national_id": {"X-1"}})
	if _, body = g.post(page+"/record", url.Values{"reason": {"a tax form"}, "numbered": {"1"}}); !strings.Contains(body, `value="X-1"`) {
		t.Error("the ID number was not corrected")
	}
	if code, body = g.post(page+"/correct", url.Values{"name": {"Mei"}, "birth_date": {"2999-01-01"}}); code != http.StatusUnprocessableEntity || !strings.Contains(body, `value="Mei"`) {
		t.Errorf("a birth date of the future: %d", code)
	}
	// Who looked is on the page of whoever may see it.
	if _, body = g.get(page); strings.Count(body, "national_id") < 2 || !strings.Contains(body, "Who looked") {
		t.Error("the page does not say who looked")
	}
	// Photos, for a reason, for a while.
	if code, _ := g.get(page + "/photos/0"); code != http.StatusNotFound {
		t.Errorf("a photo that nobody opened: %d", code)
	}
	at, _ = g.step(page+"/photos", url.Values{"reason": {"a complaint"}})
	if code, _ := g.get(page + "/photos/0"); at != page || code != http.StatusOK {
		t.Errorf("an opened photo: %s, %d", at, code)
	}
	if code, _ := signIn(t, s).get(page + "/photos/0"); code != http.StatusNotFound {
		t.Errorf("another session's: %d", code)
	}
	for range 10 { // 300 units do not last for ever
		code, body = g.post(page+"/record", url.Values{"reason": {"a tax form"}, "numbered": {"1"}})
	}
	if code != http.StatusTooManyRequests || !strings.Contains(said(body), "budget") {
		t.Errorf("beyond the budget: %d", code)
	}
	van, err := s.Enroller.Vehicle(t.Context(), enroll.Vehicle{Label: "Van 1", Record: gatehouse.VehicleRecord{Plate: "LS15EBC"}})
	if err != nil {
		t.Fatal(err)
	}
	if at, _ = g.step("/people/"+van.String()+"/correct", url.Values{"plate": {"LS16 EBC"}}); at != "/people/"+van.String() {
		t.Errorf("correcting a plate led to %s", at)
	}
	if _, ok := s.Working.ByPlate("LS15EBC"); ok {
		t.Error("the old plate still opens")
	}
}

// A stranger's capture is erased on the same page, by the begin of its id.
func TestErasingAStrangersCapture(t *testing.T) {
	s, g := open(t)
	p := s.Arrive(gatehouse.Passage{Gate: "front-door", Direction: gatehouse.In, Kind: gatehouse.FaceReading, Subject: gatehouse.RandomID(), Decision: gatehouse.Decision{Reason: gatehouse.Unknown}}, gatehouse.Detail{})
	id := p.Subject.String()
	page := "/people/" + id + "/erase"
	if _, body := g.get("/passages/" + p.ID.String()); !strings.Contains(body, `href="`+page+`"`) {
		t.Error("its passage does not lead there")
	}
	if at, _ := g.step("/privacy/erasures", url.Values{"subject": {id}}); at != page {
		t.Errorf("its id leads to %s", at)
	}
	if code, _ := g.get("/people/" + gatehouse.RandomID().String() + "/erase"); code != http.StatusNotFound {
		t.Errorf("nobody's id: %d", code)
	}
	if code, body := g.post("/privacy/erasures", url.Values{"subject": {gatehouse.RandomID().String()}}); code != http.StatusUnprocessableEntity {
		t.Errorf("nobody's id in the form: %d %.100s", code, body)
	}
	if code, _ := g.post(page, url.Values{"reason": {"asked"}, "label": {id[:7]}}); code != http.StatusUnprocessableEntity {
		t.Errorf("without its label: %d", code)
	}
	if at, _ := g.step(page, url.Values{"reason": {"asked"}, "label": {id[:8]}}); !strings.HasPrefix(at, "/privacy/erasures/") {
		t.Errorf("it led to %s", at)
	}
	if code, _ := g.get(page); code != http.StatusNotFound {
		t.Errorf("afterwards its page is there: %d", code)
	}
}

func TestErasing(t *testing.T) {
	s, g := open(t)
	id := somebody(t, s, "Staff 7")
	page := "/people/" + id.String() + "/erase"
	if _, body := g.get(page); !strings.Contains(body, "Staff 7") || !strings.Contains(body, "cannot") && !strings.Contains(body, "Every copy") {
		t.Error("the page does not say what happens")
	}
	for name, form := range map[string]url.Values{"no label": {"reason": {"asked"}}, "another label": {"reason": {"asked"}, "label": {"staff 7"}}, "no reason": {"label": {"Staff 7"}}} {
		if code, body := g.post(page, form); code != http.StatusUnprocessableEntity || said(body) == "" || len(s.Subjects()) != 1 {
			t.Errorf("%s: %d", name, code)
		}
	}
	// One that takes long shows that it goes on, and is finished without the browser.
	s.Erasing = make(chan struct{})
	at, body := g.step(page, url.Values{"reason": {"she asked"}, "label": {"Staff 7"}})
	if !strings.HasPrefix(at, "/erasures/") || !strings.Contains(body, "<progress") {
		t.Fatalf("it led to %s", at)
	}
	if again, _ := g.step(page, url.Values{"reason": {"she asked"}, "label": {"Staff 7"}}); again != at {
		t.Errorf("a second click began another one: %s", again)
	}
	ask := func() *http.Response {
		q, _ := http.NewRequest(http.MethodGet, g.base+at, nil)
		q.Header.Set("HX-Request", "true")
		w, err := g.http.Do(q)
		if err != nil {
			t.Fatal(err)
		}
		w.Body.Close()
		return w
	}
	if w := ask(); w.StatusCode != http.StatusOK || w.Header.Get("HX-Redirect") != "" {
		t.Errorf("while it runs the script is told %d", w.StatusCode)
	}
	// Another session sees how far it is, in the list too, and cannot stop it.
	other := signIn(t, s)
	if code, body := other.get(at); code != http.StatusOK || !strings.Contains(body, "Another erasure comes first") || strings.Contains(body, at+"/stop") {
		t.Errorf("another session's erasure: %d", code)
	}
	if _, body := other.get("/privacy/erasures"); !strings.Contains(body, `href="`+at+`"`) {
		t.Error("the list does not show what is under way")
	}
	if code, _ := other.post(at+"/stop", nil); code != http.StatusNotFound {
		t.Errorf("another session stops it: %d", code)
	}
	// Until it begins it is stopped: nothing was erased, and it can be asked for again.
	if !strings.Contains(body, at+"/stop") {
		t.Error("it cannot be stopped")
	}
	if led, body := g.step(at+"/stop", nil); led != at || !strings.Contains(body, "Nothing was erased") || len(s.Subjects()) != 1 {
		t.Errorf("stopped, it led to %s", led)
	}
	if at, _ = g.step(page, url.Values{"reason": {"she asked"}, "label": {"Staff 7"}}); !strings.HasPrefix(at, "/erasures/") {
		t.Fatalf("asked for again, it led to %s", at)
	}
	days := time.Now().UTC().AddDate(0, 0, 33).Format(time.DateOnly)
	close(s.Erasing)
	for len(s.Subjects()) > 0 {
		time.Sleep(time.Millisecond)
	}
	_, body = g.get(at)
	if next := time.Now().UTC().AddDate(0, 0, 33).Format(time.DateOnly); !strings.Contains(body, "Final at") || !strings.Contains(body, days) && !strings.Contains(body, next) { // midnight may have passed
		t.Errorf("the certificate does not say when it is final:\n%s", body)
	}
	link := regexp.MustCompile(`href="(/privacy/erasures/[0-9a-f]{32}/certificate)"`).FindStringSubmatch(body)
	w, err := g.http.Get(g.base + link[1])
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Certificate gatehouse.ErasureCertificate `json:"certificate"`
		Proof       json.RawMessage              `json:"proof"`
	}
	if err := json.NewDecoder(w.Body).Decode(&doc); err != nil || doc.Certificate.Subject != id || len(doc.Proof) == 0 || !strings.Contains(w.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("the document: %+v, %v", doc, err)
	}
	if code, _ := g.get("/people/" + id.String()); code != http.StatusNotFound {
		t.Errorf("their page is still there: %d", code)
	}
	if code, _ := g.get("/erasures/" + gatehouse.RandomID().String()); code != http.StatusNotFound {
		t.Errorf("no erasure: %d", code)
	}
}

func TestATableIsImported(t *testing.T) {
	s, g := open(t)
	_, at, body := g.upload("/people/import", "file", url.Values{"kind": {"person"}, "gate": {"front-door"}}, []byte("label,name,pin\nB-1,Ana,111111\nB-2,Ben,\nB-2,Cy,\n"))
	if !strings.HasPrefix(at, "/imports/") || !strings.Contains(body, "too easy") && !strings.Contains(body, "6 to 12 digits") || !strings.Contains(body, "(row 3)") || strings.Contains(body, "/start") || len(s.Subjects()) != 0 {
		t.Fatalf("it led to %s\n%s", at, body)
	}
	if code, csv := g.get(at + "/problems"); code != http.StatusOK || !strings.Contains(csv, "2,pin,") || !strings.Contains(csv, "4,label,") {
		t.Errorf("the list of problems: %d, %s", code, csv)
	}
	if code, body := g.post(at+"/start", nil); code != http.StatusUnprocessableEntity || said(body) == "" || len(s.Subjects()) != 0 {
		t.Errorf("run all the same: %d", code)
	}
	if code, _ := signIn(t, s).get(at); code != http.StatusNotFound {
		t.Errorf("another session's import: %d", code)
	}
	good := []byte("label,name,last_day\nB-1,Ana,2030-12-31\nB-2,Ben,\n")
	run := func() string {
		_, at, body := g.upload("/people/import", "file", url.Values{"kind": {"person"}, "gate": {"front-door"}, "schedule-front-door": {"nights"}}, good)
		if strings.Contains(body, "/start") {
			g.step(at+"/start", nil)
		}
		for range 5000 {
			if _, body = g.get(at); !strings.Contains(body, "every 1s") {
				return body
			}
			time.Sleep(2 * time.Millisecond)
		}
		t.Fatal("it does not end")
		return ""
	}
	if body := run(); !strings.Contains(body, "Done") || len(s.Subjects()) != 2 {
		t.Errorf("%d are enrolled", len(s.Subjects()))
	}
	for _, b := range s.Working.Badges() {
		if len(b.Grants) != 1 || b.Grants[0] != (gatehouse.Grant{Gate: "front-door", Schedule: "nights"}) {
			t.Errorf("%s is granted %v", b.Label, b.Grants)
		}
	}
	if body := run(); !strings.Contains(body, "nothing to do") || len(s.Subjects()) != 2 {
		t.Errorf("the same file again: %d are enrolled", len(s.Subjects()))
	}
	for name, c := range map[string]struct {
		file []byte
		want string
	}{"nothing": {nil, "Choose a file"}, "a picture": {consoletest.Photo(1, ""), "encoding"}, "half a workbook": {[]byte("PK\x03\x04xxxx"), "no table"}} {
		if code, at, body := g.upload("/people/import", "file", nil, c.file); code != http.StatusUnprocessableEntity || at != "/people/import" || !strings.Contains(said(body), c.want) {
			t.Errorf("%s: %d, %q", name, code, said(body))
		}
	}
	_, at, _ = g.upload("/people/import", "file", url.Values{"kind": {"vehicle"}}, []byte("标签,车牌\n班车 1,沪A82K39\n"))
	g.step(at+"/start", nil)
	for range 5000 {
		if _, ok := s.Working.ByPlate("沪A82K39"); ok {
			break
		}
		time.Sleep(2 * time.Millisecond)
	}
	if _, ok := s.Working.ByPlate("沪A82K39"); !ok {
		t.Error("the vehicle is not enrolled")
	}
	if _, body := g.get("/people/import/template?kind=vehicle"); !strings.Contains(body, "label,plate,region") {
		t.Errorf("the template is %q", body)
	}
	if at, _ := g.step(at+"/drop", nil); at != "/people/import" {
		t.Errorf("dropping led to %s", at)
	}
}
