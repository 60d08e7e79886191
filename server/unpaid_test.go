package server

import (
	"encoding/csv"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/flow/passage"
)

// A vehicle was let out by an operator and owes its stay. The report, by which the site may ask
// for the money, has it once somebody has looked at a picture of each gate and says that it is
// one vehicle; not before, and not where they say that it is another.
func TestNobodyIsAskedForMoneyWithoutALook(t *testing.T) {
	c := carPark(t)
	c.Gates[1].Actuator.Kind = "simulated"
	s := open(t, c)
	s.stays.Books = newCash()
	link := run(t, s)
	if err := s.Unseal(t.Context(), []byte(passphrase)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.stays.PutTariff(t.Context(), []byte(hourly), "chief"); err != nil {
		t.Fatal(err)
	}
	_, frames := actor(t, 1)
	see := func(gate gatehouse.GateID, ago time.Duration) gatehouse.Passage {
		t.Helper()
		at := time.Now().Add(-ago)
		p, _, err := s.flow.Sight(t.Context(), gatehouse.Device{Place: s.Place(), ID: gatehouse.DeviceID("camera-" + string(gate)), Gate: gate},
			gatehouse.Sighting{Kind: gatehouse.PlateReading, First: at, Last: at, Frames: 5, Final: true, Plate: gatehouse.PlateRead{Text: "AB12CDE", Raw: "AB12CDE", Confidence: 0.995},
				Pictures: []gatehouse.Picture{{JPEG: frames[0]}}}, time.Now())
		if err != nil || p == nil {
			t.Fatalf("%v, %v", p, err)
		}
		return *p
	}
	in := see("entry", 90*time.Minute)
	eventually(t, "the stay is open", func() bool { return s.stayState(in.ID) == gatehouse.StayOpen })
	waited := see("exit", 0)
	if waited.Decision.Reason != gatehouse.PaymentOwed {
		t.Fatalf("%+v", waited.Decision)
	}
	eventually(t, "it waits", func() bool { return s.stayState(in.ID) == gatehouse.StayWaiting })
	out, err := s.flow.OpenRemotely(t.Context(), passage.Opening{Gate: "exit", Operator: "guard", Reason: "the queue is long"})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "it left", func() bool { return s.stayState(in.ID) == gatehouse.StayLeft })

	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser, base := &http.Client{Jar: jar}, link[:strings.Index(link, "/enter/")]
	do := func(resp *http.Response, err error) (int, string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	get := func(path string) (int, string) { return do(browser.Get(base + path)) }
	say := func(same string) (int, string) {
		return do(browser.PostForm(base+"/parking/unpaid/"+in.ID.String()+"?lang=en", url.Values{"same": {same}}))
	}
	report := func() (rows [][]string) {
		t.Helper()
		status, file := get("/parking/unpaid?format=csv&lang=en")
		if status != http.StatusOK {
			t.Fatalf("%d %s", status, file)
		}
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(file, "\ufeff"))).ReadAll()
		if err != nil || len(rows) == 0 {
			t.Fatalf("%v: %s", err, file)
		}
		return rows[1:]
	}
	if status, _ := do(browser.Get(link)); status != http.StatusOK {
		t.Fatal(status)
	}
	if status, page := get("/parking/unpaid?lang=en"); status != http.StatusOK || !strings.Contains(page, "nobody has looked") || !strings.Contains(page, "4.00 EUR") || len(report()) != 0 {
		t.Fatalf("before anybody looked: %d, %v %s", status, report(), page)
	}
	if status, page := say("yes"); status != http.StatusUnprocessableEntity || !strings.Contains(page, "First look at a picture of each gate") || len(report()) != 0 {
		t.Errorf("said without looking: %d %s", status, page)
	}
	look := func(id gatehouse.ID) {
		t.Helper()
		if status, _ := get("/passages/" + id.String()); status != http.StatusOK {
			t.Fatal(status)
		}
		if status, _ := get("/passages/" + id.String() + "/pictures/0"); status != http.StatusOK {
			t.Fatalf("a picture of %s: %d", id, status)
		}
	}
	look(in.ID)
	if status, _ := say("yes"); status != http.StatusUnprocessableEntity || len(report()) != 0 {
		t.Errorf("said after a look at one gate: %d", status)
	}
	look(waited.ID) // an operator's opening has no pictures: it is who waited
	if status, _ := say(""); status != http.StatusUnprocessableEntity || len(report()) != 0 {
		t.Errorf("said nothing: %d", status)
	}
	if status, _ := say("no"); status != http.StatusOK || len(report()) != 0 {
		t.Errorf("another vehicle: %d, the report has %v", status, report())
	}
	if status, _ := say("yes"); status != http.StatusOK {
		t.Errorf("one vehicle: %d", status)
	}
	if rows := report(); len(rows) != 1 || rows[0][0] != in.ID.String() || rows[0][4] != "4.00 EUR" || rows[0][5] == "" || strings.Contains(strings.Join(rows[0], " "), "AB12") {
		t.Errorf("the report has %v", rows)
	}
	api, err := s.Admin().Stays(t.Context(), wire.StaysQuery{State: gatehouse.UnpaidStays})
	if err != nil || len(api.Stays) != 1 || api.Stays[0].Look == nil || !api.Stays[0].Look.Same {
		t.Errorf("%+v, %v", api, err)
	}
	if status, _ := get("/parking/unpaid/" + out.ID.String()); status != http.StatusNotFound {
		t.Errorf("a stay that there is none of: %d", status)
	}
}
