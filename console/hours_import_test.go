package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// A file of punches is checked before it is imported; what is wrong is said by row and column, in
// the page's language, and a form that lacks something says what.
func TestImportOfPunches(t *testing.T) {
	_, g := open(t)
	if code, body := g.get("/hours/import"); code != http.StatusOK || !strings.Contains(body, "31.12.2026 17:05") || strings.Contains(body, "2006-01-02 15:04<") {
		t.Fatalf("%d %s", code, body)
	}
	good, bad := []byte("person,at,direction\nB-1,2026-01-05 08:00,in\nB-2,2026-01-05 08:01,in\n"), []byte("person,at,direction\nB-1,2026-01-05 08:00,in\nB-99,2026-01-05 08:01,in\n")
	form := func(change url.Values) url.Values {
		f := url.Values{"layout": {"2006-01-02 15:04"}, "person": {"person"}, "at": {"at"}, "direction": {"direction"}, "do": {"check"}}
		for k, v := range change {
			f[k] = v
		}
		return f
	}
	for name, one := range map[string]struct {
		file   []byte
		fields url.Values
		status int
		says   string
	}{
		"checked":            {good, form(nil), http.StatusOK, "Nothing was written yet"},
		"imported":           {good, form(url.Values{"do": {"import"}}), http.StatusOK, "Added: 2. They were there already: 0."},
		"a wrong row":        {bad, form(url.Values{"do": {"import"}}), http.StatusUnprocessableEntity, "there is nobody with this number"},
		"no file":            {nil, form(nil), http.StatusUnprocessableEntity, "Choose a file."},
		"no layout":          {good, form(url.Values{"layout": {""}}), http.StatusUnprocessableEntity, "choose how the file writes times"},
		"an invented layout": {good, form(url.Values{"layout": {"Jan"}}), http.StatusUnprocessableEntity, "choose how the file writes times"},
		"a typed layout":     {good, form(url.Values{"layout": {""}, "other": {"2006-01-02 15.04"}}), http.StatusOK, "Nothing was written yet"},
		"an unknown column":  {good, form(url.Values{"person": {"<b>who</b>"}}), http.StatusUnprocessableEntity, "&lt;b&gt;who"},
	} {
		code, at, body := g.upload("/hours/import", "file", one.fields, one.file)
		if code != one.status || at != "/hours/import" || !strings.Contains(body, one.says) || strings.Contains(body, "<b>who") {
			t.Errorf("%s: %d %s does not say %q: %s", name, code, at, one.says, body[strings.Index(body, "id=\"report\""):])
		}
	}
	if _, _, body := g.upload("/hours/import?lang=zh", "file", form(nil), bad); !strings.Contains(body, "没有此编号的人员") {
		t.Error("in Chinese nothing says what is wrong with the row")
	}
	if code, _ := g.post("/hours/import", form(nil)); code != http.StatusUnprocessableEntity {
		t.Errorf("a form without parts: %d", code)
	}
}
