package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"gatehouse"
)

func TestSettingsAreShownAndChanged(t *testing.T) {
	s, _ := open(t)
	g := byRole(t, s, gatehouse.Administrator)
	code, body := g.get("/settings")
	if code != http.StatusOK || !strings.Contains(body, "retention.passage_days") || strings.Contains(body, `name="name" value="listen"`) || !strings.Contains(body, "not set") {
		t.Errorf("the page: %d", code)
	}
	if code, body = g.post("/settings", url.Values{"name": {"retention.passage_days"}, "value": {"30"}}); code != http.StatusOK || s.Options[5].Value != "30" || !strings.Contains(body, "changed here") {
		t.Errorf("changed: %d", code)
	}
	if code, _ = g.post("/settings", url.Values{"name": {"retention.passage_days"}, "value": {"30"}, "reset": {"yes"}}); code != http.StatusOK || s.Options[5].From != "file" {
		t.Errorf("taken away: %d, %s", code, s.Options[5].From)
	}
	for _, f := range []url.Values{{"name": {"listen"}, "value": {"x"}}, {"name": {"retention.passage_days"}, "value": {"9999"}}, {"name": {"retention.passage_days"}}, {}} {
		if code, body = g.post("/settings", f); code != http.StatusUnprocessableEntity && code != http.StatusBadRequest || !strings.Contains(body, `role="alert"`) {
			t.Errorf("%v: %d", f, code)
		}
	}
	for _, role := range []gatehouse.Role{gatehouse.SiteManager, gatehouse.PrivacyOfficer, gatehouse.Auditor} {
		if code, _ := byRole(t, s, role).get("/settings"); code != http.StatusForbidden {
			t.Errorf("%s: %d", role, code)
		}
	}
	if code, body = g.post("/settings/backup", nil); code != http.StatusOK || !strings.Contains(body, `hx-get="/settings/backup"`) || !strings.Contains(body, `max="2400" value="812"`) {
		t.Errorf("backing up: %d", code)
	}
	if code, _ = g.post("/settings/backup/stop", nil); code != http.StatusOK || s.BackingUp {
		t.Errorf("stopped: %d", code)
	}
}
