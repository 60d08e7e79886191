package console_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"gatehouse"
)

// A token is made with its scopes, gates and end, shown once, and refused after it was
// revoked.
func TestTokensAreMadeShownOnceAndRevoked(t *testing.T) {
	s, g := open(t)
	if _, body := g.get("/tokens"); !strings.Contains(body, "No program may ask yet") || strings.Contains(body, `value="accounts"`) {
		t.Error("an empty list teaches nothing, or offers what no token may be given")
	}
	code, body := g.post("/tokens", url.Values{"name": {"payroll"}, "scope": {"see-passages", "see-people"}, "gate": {"front-door"}, "days": {"30"}})
	text := regexp.MustCompile(`ghat_[\w-]{43}`).FindString(body)
	if code != http.StatusOK || text == "" {
		t.Fatalf("a token: %d", code)
	}
	if _, err := s.Tokens.VerifyToken(t.Context(), gatehouse.Secret(text)); err != nil {
		t.Error(err)
	}
	if _, body = g.get("/tokens"); strings.Contains(body, text) || !strings.Contains(body, "payroll") || !strings.Contains(body, "see-people") || !strings.Contains(body, "Front door") {
		t.Error("the list shows the token again, or not what it may do")
	}
	if _, file := g.get("/tokens?format=csv"); strings.Contains(file, "ghat_") || !strings.Contains(file, "payroll,see-passages see-people,front-door,") {
		t.Errorf("the file says %s", file)
	}
	for what, form := range map[string]url.Values{
		"twice": {"name": {"payroll"}, "scope": {"see-passages"}, "days": {"30"}}, "for ever": {"name": {"other"}, "scope": {"see-passages"}, "days": {"100000000000000"}}, "for no time": {"name": {"other"}, "scope": {"see-passages"}, "days": {"x"}},
		"without a scope": {"name": {"other"}, "days": {"30"}}, "to manage accounts": {"name": {"other"}, "scope": {"accounts"}, "days": {"30"}}, "at no gate": {"name": {"other"}, "scope": {"see-passages"}, "gate": {"attic"}, "days": {"30"}},
	} {
		if code, body := g.post("/tokens", form); code != http.StatusUnprocessableEntity || !strings.Contains(body, `role="alert"`) || strings.Contains(body, "ghat_") {
			t.Errorf("%s: %d", what, code)
		}
	}
	id := s.Tokens.List()[0].ID.String()
	if code, _ = g.post("/tokens/"+id+"/revoke", nil); code != http.StatusOK || len(s.Tokens.List()) != 0 {
		t.Errorf("revoking: %d", code)
	}
	if _, err := s.Tokens.VerifyToken(t.Context(), gatehouse.Secret(text)); gatehouse.ErrorCode(err) != "token.refused" {
		t.Errorf("a revoked token: %v", err)
	}
	if code, _ = g.post("/tokens/"+id+"/revoke", nil); code != http.StatusNotFound {
		t.Errorf("revoking what is not there: %d", code)
	}
	if code, _ := byRole(t, s, gatehouse.SiteManager).get("/tokens"); code != http.StatusForbidden {
		t.Errorf("a site manager: %d", code)
	}
}

// A webhook is added where its address leads outside, its secret shown once, its messages
// listed with what became of each, and sent again one by one.
func TestWebhooksAreAddedWatchedAndPaused(t *testing.T) {
	s, g := open(t)
	add := url.Values{"name": {"payroll"}, "url": {"https://hooks.example/gatehouse"}, "kind": {"passage"}, "gate": {"front-door"}}
	for _, inside := range []string{"https://127.0.0.1/", "https://192.168.0.7/x", "https://[::1]/", "https://localhost/"} {
		add.Set("url", inside)
		code, body := g.post("/webhooks", add)
		if code != http.StatusUnprocessableEntity || !strings.Contains(body, "leads to this machine or a private network") || !strings.Contains(body, `value="`+inside+`"`) {
			t.Errorf("%s: %d", inside, code)
		}
	}
	add.Set("url", "https://hooks.example/gatehouse")
	add.Set("local", "true") // which no form here can say
	code, body := g.post("/webhooks", add)
	secret := regexp.MustCompile(`whsec_[A-Za-z0-9+/]{43}=`).FindString(strings.ReplaceAll(body, "&#43;", "+"))
	if code != http.StatusOK || secret == "" || s.Webhooks.List()[0].Local {
		t.Fatalf("a webhook: %d, %d there", code, len(s.Webhooks.List()))
	}
	hook := s.Webhooks.List()[0]
	page := "/webhooks/" + hook.ID.String()
	if code, _ := g.post(page+"/test", nil); code != http.StatusOK {
		t.Errorf("a test: %d", code)
	}
	now := hook.Made
	failed := gatehouse.Delivery{ID: gatehouse.NewID(now), Webhook: hook.ID, Kind: gatehouse.PassageHook, Passage: gatehouse.NewID(now), At: now, State: gatehouse.DeliveryFailed, Attempts: 9, Tried: now, Answer: 503, Code: "webhook.refused"}
	arrived := failed
	arrived.ID, arrived.State, arrived.Answer, arrived.Code, arrived.Attempts = gatehouse.NewID(now), gatehouse.DeliveryDone, 204, "", 1
	_ = s.Deliveries.AddDeliveries(t.Context(), hook.Place, 0, []gatehouse.Delivery{failed, arrived})
	_, body = g.get(page)
	if strings.Contains(body, "whsec_") || !strings.Contains(body, "The receiver refused it. (503)") || !strings.Contains(body, "Arrived") || !strings.Contains(body, "Waits") {
		t.Error("the log shows the secret, or not what became of the messages")
	}
	if code, _ = g.post(page+"/messages/"+arrived.ID.String()+"/replay", nil); code != http.StatusOK {
		t.Errorf("sending one again: %d", code)
	}
	states := func() (all string) {
		list, _ := s.Webhooks.Deliveries(t.Context(), "payroll", gatehouse.ID{}, 10)
		for _, d := range list {
			if d.Kind != gatehouse.TestHook {
				all += string(d.State) + " "
			}
		}
		return all
	}
	if got := states(); strings.Count(got, "waiting") != 1 || strings.Count(got, "failed") != 1 {
		t.Errorf("the messages are %s", got)
	}
	if code, _ = g.post(page+"/messages/"+gatehouse.RandomID().String()+"/replay", nil); code != http.StatusNotFound {
		t.Errorf("a message that is not there: %d", code)
	}
	if g.post(page+"/replay", nil); strings.Count(states(), "waiting") != 2 {
		t.Errorf("all that failed: %s", states())
	}
	if _, body = g.post(page+"/pause", nil); !strings.Contains(body, "paused") || s.Webhooks.List()[0].Told(gatehouse.PassageHook, "front-door") {
		t.Error("a paused webhook is told of what happens")
	}
	if g.post(page+"/resume", nil); !s.Webhooks.List()[0].Told(gatehouse.PassageHook, "front-door") {
		t.Error("one that goes on is told of nothing")
	}
	if code, _ = g.post(page+"/remove", nil); code != http.StatusOK || len(s.Webhooks.List()) != 0 {
		t.Errorf("removing: %d", code)
	}
	if got := strings.Join(s.Leaves.Of(gatehouse.AccountLeafKind), " "); !strings.Contains(got, "webhook-added webhook-paused webhook-resumed webhook-removed") {
		t.Errorf("the log says %s", got)
	}
	for _, path := range []string{page, "/webhooks/nonsense"} {
		if code, _ := g.get(path); code != http.StatusNotFound {
			t.Errorf("%s: %d", path, code)
		}
	}
}
