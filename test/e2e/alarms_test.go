package e2e

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/auth"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// The live list shows what was asked for and nothing else, also of what comes later; the
// counts go on counting all.
func TestTheLiveListIsFiltered(t *testing.T) {
	s := site(t)
	id := s.Enrol(gatehouse.PersonSubject, "Staff 104", "Amara Okafor", gatehouse.Active)
	arrive := func(kind gatehouse.ReadingKind, gate gatehouse.GateID, reason gatehouse.Reason) {
		s.Arrive(passage(kind, gate, id, reason), gatehouse.Detail{})
	}
	arrive(gatehouse.CardReading, "front-door", gatehouse.Granted)
	arrive(gatehouse.CardReading, "front-door", gatehouse.Suspended)
	arrive(gatehouse.PlateReading, "car-park", gatehouse.NotHere)
	ctx, c := tab(t)
	must(t, chromedp.Do(ctx, enter(t, s), chromedp.Navigate("http://localhost:"+port(s)+"/?lang=en")))
	until(t, ctx, "document.querySelectorAll('#rows .row').length == 3")
	ask[bool](t, ctx, "document.querySelector('select[name=only]').value = 'denied', document.querySelector('select[name=gate]').value = 'front-door', true")
	must(t, chromedp.Do(ctx, chromedp.Focus(chromedp.CSS(".filters button")), chromedp.KeyEvent(kb.Enter)))
	until(t, ctx, "location.search.includes('only=denied') && document.querySelectorAll('#rows .row').length == 1 && document.getElementById('pulse').classList.contains('is-on')")
	arrive(gatehouse.CardReading, "front-door", gatehouse.Granted)
	arrive(gatehouse.PlateReading, "car-park", gatehouse.NotHere)
	arrive(gatehouse.CardReading, "front-door", gatehouse.Expired)
	until(t, ctx, "document.querySelectorAll('#rows .row').length == 2 && document.querySelector('#counts dd').textContent == '6'")
	if rows := ask[string](t, ctx, "document.getElementById('rows').innerText"); strings.Contains(rows, "Granted") || strings.Contains(rows, "Car park") {
		t.Errorf("the list shows what was left out: %s", rows)
	}
	// A page that comes back asks for the same.
	s.Server.CloseClientConnections()
	arrive(gatehouse.CardReading, "front-door", gatehouse.Granted)
	arrive(gatehouse.CardReading, "front-door", gatehouse.Suspended)
	until(t, ctx, "document.querySelectorAll('#rows .row').length == 3")
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("a[href^='/live/wall']"))))
	until(t, ctx, "location.pathname == '/live/wall' && document.querySelectorAll('#rows .row').length == 3 && getComputedStyle(document.querySelector('.side')).display == 'none'")
	arrive(gatehouse.CardReading, "front-door", gatehouse.Suspended)
	until(t, ctx, "document.querySelectorAll('#rows .row').length == 4")
	if all := c.all(); strings.Count(all, "ERR_") != strings.Count(all, "error") {
		t.Errorf("the browser complained:\n%s", all)
	}
}

// An alarm comes to every open page by itself, and stays until somebody acknowledges it.
func TestAlarmsStayUntilAcknowledged(t *testing.T) {
	s := site(t)
	ctx, c := tab(t)
	must(t, chromedp.Do(ctx, enter(t, s), chromedp.Navigate("http://localhost:"+port(s)+"/?lang=en")))
	until(t, ctx, "document.getElementById('pulse').classList.contains('is-on')")
	s.Raise(gatehouse.Alarm{Kind: gatehouse.GateAlarm, Gate: "front-door"})
	until(t, ctx, "document.getElementById('alarms').innerText.includes('Front door was told to open and could not be reached')")
	s.Raise(gatehouse.Alarm{Kind: gatehouse.TestAlarm})
	until(t, ctx, "document.getElementById('alarms').innerText.includes('looked at: 2')")
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("#alarms a"))))
	until(t, ctx, "location.pathname == '/alarms' && document.querySelectorAll('form[action$=acknowledge]').length == 2")
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("form[action$=acknowledge] button"))))
	until(t, ctx, "document.querySelectorAll('form[action$=acknowledge]').length == 1 && document.body.innerText.includes('Acknowledged by')")
	must(t, chromedp.Do(ctx, chromedp.Navigate("http://localhost:"+port(s)+"/")))
	until(t, ctx, "document.getElementById('alarms').innerText.includes('looked at: 1')")
	quiet(t, c)
}

// A guard sees and acknowledges the alarms of their own gates, and no others.
func TestAlarmsOfOnesOwnGates(t *testing.T) {
	s := site(t)
	mine := s.Raise(gatehouse.Alarm{Kind: gatehouse.GateAlarm, Gate: "front-door"})
	other := s.Raise(gatehouse.Alarm{Kind: gatehouse.GateAlarm, Gate: "car-park"})
	budget := s.Raise(gatehouse.Alarm{Kind: gatehouse.BudgetAlarm, Operator: "op-77", Scope: "role.hour"})
	guard := s.Account("guard-7", gatehouse.Assignment{Role: gatehouse.Guard, Gates: []gatehouse.GateID{"front-door"}})
	cookie := signedIn(t, s, guard)
	tcp := s.Auth.Handler(auth.TCP, s.Console.Routes(), s.Console.Refuse)
	call := func(method, path string) (int, string) {
		q := httptest.NewRequest(method, path, nil)
		q.Host, q.RemoteAddr = "localhost:"+port(s), "127.0.0.1:9"
		q.AddCookie(cookie)
		w := httptest.NewRecorder()
		tcp.ServeHTTP(w, q)
		return w.Code, w.Body.String()
	}
	code, body := call(http.MethodGet, "/alarms")
	if code != http.StatusOK || !strings.Contains(body, "Front door") || strings.Contains(body, "Car park") || strings.Contains(body, "op-77") {
		t.Errorf("%d: %s", code, body)
	}
	for _, a := range []gatehouse.Alarm{other, budget} {
		if code, _ := call(http.MethodPost, "/alarms/"+a.ID.String()+"/acknowledge"); code != http.StatusNotFound {
			t.Errorf("%s: %d", a.Kind, code)
		}
	}
	if code, _ := call(http.MethodPost, "/alarms/"+mine.ID.String()+"/acknowledge"); code != http.StatusSeeOther {
		t.Errorf("one's own: %d", code)
	}
	open, _ := s.Alarms(t.Context(), gatehouse.AlarmQuery{Open: true, Limit: 9})
	if len(open) != 2 {
		t.Errorf("%d are open", len(open))
	}
}
