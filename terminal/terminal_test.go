package terminal

import (
	"bytes"
	"io/fs"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"gatehouse"
)

func page(t *testing.T, o Options, path string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	New(o).page(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

// scripts are the page's own, without the vendored ones.
func scripts(t *testing.T) (all string) {
	t.Helper()
	names, err := fs.Glob(static, "static/*.js")
	if err != nil || len(names) < 8 {
		t.Fatalf("%d scripts, %v", len(names), err)
	}
	for _, name := range names {
		b, _ := static.ReadFile(name)
		all += string(b)
	}
	return all
}

// Every text exists in both languages and is used; every guidance and every answer has
// words, and a sign beside them.
func TestEverythingIsTranslated(t *testing.T) {
	code := source + scripts(t)
	for key, s := range texts {
		if s[0] == "" || s[1] == "" || strings.Count(s[0], "%s") != strings.Count(s[1], "%s") {
			t.Errorf("%q: %q", key, s)
		}
		if key != "lang.other" && key != "lang.change" && (!han(s[1]) || han(s[0])) {
			t.Errorf("%q is not translated: %q", key, s)
		}
		built := strings.HasPrefix(key, "guide.") || strings.HasPrefix(key, "answer.")
		if !built && !strings.Contains(code, `"`+key+`"`) {
			t.Errorf("nothing uses %q", key)
		}
	}
	for _, m := range regexp.MustCompile(`data-t(?:-label)?="([a-z._]+)"|\{\{t "([a-z._]+)"\}\}|(?:put|say|tell|guide)\([^)]*?"([a-z]+\.[a-z_.]+)"`).FindAllStringSubmatch(code, -1) {
		for _, key := range m[1:] {
			if _, ok := texts[key]; !ok && key != "" && !strings.HasSuffix(key, ".") {
				t.Errorf("%q is not in the table", key)
			}
		}
	}
	need := func(keys ...string) {
		for _, key := range keys {
			if _, ok := texts[key]; !ok {
				t.Errorf("%q is not in the table", key)
			}
		}
	}
	for _, g := range gatehouse.Guidances {
		need("guide." + string(g))
		sign(t, string(g))
	}
	for _, a := range gatehouse.Answers {
		need("answer."+string(a), "answer."+string(a)+".what")
		sign(t, string(a))
		if !regexp.MustCompile(`\b` + string(a) + `: "(granted|denied|more)"`).MatchString(code) {
			t.Errorf("the answer %s has no colour and sound", a)
		}
	}
}

func sign(t *testing.T, name string) {
	t.Helper()
	if !strings.Contains(source, `<symbol id="s-`+name+`"`) {
		t.Errorf("%s has no sign", name)
	}
}

func han(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

// What comes from the configuration is text, whatever it looks like.
func TestTheConfigurationIsText(t *testing.T) {
	evil := `</script><img src=x onerror=alert(1)>"&`
	body := page(t, Options{Site: evil, Notice: Notice{Controller: evil, Contact: evil, KeepsStrangers: true, StrangersPurpose: evil}}, "/terminal").Body.String()
	if strings.Contains(body, "<img") || strings.Count(body, "</script>") != 2 {
		t.Error("the configuration's text became markup")
	}
}

// The page has the camera, and nothing that it does not need.
func TestThePagesHeaders(t *testing.T) {
	w := page(t, Options{Site: "x", Language: "zh"}, "/terminal")
	csp := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"} {
		if !strings.Contains(csp, want) {
			t.Errorf("the policy lacks %s: %s", want, csp)
		}
	}
	for _, banned := range []string{"unsafe", "data:", "blob:", "*", "http"} {
		if strings.Contains(csp, banned) {
			t.Errorf("the policy has %s", banned)
		}
	}
	if p := w.Header().Get("Permissions-Policy"); !strings.Contains(p, "camera=(self)") || !strings.Contains(p, "microphone=()") {
		t.Errorf("permissions: %s", p)
	}
	if !strings.Contains(w.Body.String(), `<html lang="zh-CN"`) || w.Header().Get("Content-Language") != "zh-CN" {
		t.Error("the site's language is not the page's")
	}
	if b := page(t, Options{Site: "x", Language: "zh"}, "/terminal?lang=en").Body.String(); !strings.Contains(b, `<html lang="en"`) {
		t.Error("a tablet cannot have another language")
	}
	for _, banned := range []string{"onclick", "style=", "http://", "https://", "javascript:"} {
		if strings.Contains(source, banned) {
			t.Errorf("the page holds %s", banned)
		}
	}
}

// The notice says what the law asks for, in both languages and under every law.
func TestTheNotice(t *testing.T) {
	n := Notice{Controller: "Harbour Ltd", Contact: "privacy@example.org", PassageDays: 91, MetadataDays: 402, RecordDays: 703, RingMinutes: 8, StrangerDays: 2, StrangersPurpose: "vandalism"}
	for _, law := range Laws() {
		for _, lang := range []string{"en", "zh"} {
			for _, keeps := range []bool{false, true} {
				n.Law, n.KeepsStrangers = law, keeps
				var all strings.Builder
				for _, s := range n.Sections(lang) {
					if s.Heading == "" || len(s.Lines) == 0 {
						t.Errorf("%q, %s: an empty section %+v", law, lang, s)
					}
					all.WriteString(s.Heading + "\n" + strings.Join(s.Lines, "\n") + "\n")
				}
				text := all.String()
				wants := []string{"Harbour Ltd", "privacy@example.org", "91", "402", "703"}
				if keeps {
					wants = append(wants, " 2 ", "vandalism")
				} else {
					wants = append(wants, " 8 ")
				}
				if lang == "en" {
					wants = append(wants, "card, PIN or QR code", "withdraw your consent", "learn who looked")
				} else {
					wants = append(wants, "卡片、密码或二维码", "撤回同意")
				}
				for _, want := range wants {
					if !strings.Contains(text, want) {
						t.Errorf("%q, %s: %q is missing in\n%s", law, lang, want, text)
					}
				}
				if strings.Contains(text, "%!") {
					t.Errorf("%q, %s: a placeholder is wrong in\n%s", law, lang, text)
				}
			}
		}
	}
}

// Another page has another tag, by which an open tablet knows that it is outdated.
func TestTheTagFollowsThePage(t *testing.T) {
	a, again := New(Options{Site: "a"}), New(Options{Site: "a"})
	if a.Tag() != again.Tag() || a.Tag() == New(Options{Site: "b"}).Tag() || len(a.Tag()) != 16 {
		t.Errorf("tags: %s, %s", a.Tag(), again.Tag())
	}
}

// The reader of QR codes is the package's that package-lock.json pins, unaltered.
func TestCarriedScriptsAreThePinnedOnes(t *testing.T) {
	for _, name := range []string{"decode.js", "index.js", "LICENSE.qr"} {
		have, err := static.ReadFile("static/vendor/qr/" + name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := os.ReadFile(filepath.Join("..", "third_party", "web", "qr", name))
		if os.IsNotExist(err) {
			t.Skip("run `make assets` to compare them with their package")
		}
		if err != nil || !bytes.Equal(have, want) {
			t.Errorf("%s is not the package's (%v): copy it from third_party/web/qr", name, err)
		}
	}
}

// WCAG 2.2, 1.4.3 and 1.4.11, in light and dark.
func TestContrast(t *testing.T) {
	css, _ := static.ReadFile("static/terminal.css")
	light, dark, _ := strings.Cut(string(css), "prefers-color-scheme: dark")
	colours := map[string]float64{}
	for i, part := range []string{light, dark} { // dark keeps what it does not change
		for _, m := range regexp.MustCompile(`--([a-z-]+):\s*#([0-9a-f]{6})`).FindAllStringSubmatch(part, -1) {
			colours[m[1]] = luminance(m[2])
		}
		for _, pair := range []struct {
			fore, back string
			least      float64
		}{
			{"ink", "ground", 4.5}, {"ink", "surface", 4.5}, {"ink", "sunk", 4.5}, {"muted", "ground", 4.5}, {"muted", "surface", 4.5}, {"muted", "sunk", 4.5},
			{"accent", "surface", 4.5}, {"accent", "sunk", 4.5}, {"accent-ink", "accent", 4.5}, {"warn", "warn-ground", 4.5},
			{"on", "granted", 4.5}, {"on", "denied", 4.5}, {"on", "more", 4.5}, {"edge", "surface", 3}, {"edge", "ground", 3}, {"focus", "ground", 3}, {"focus", "surface", 3},
		} {
			a, b := colours[pair.fore], colours[pair.back]
			if got := (max(a, b) + .05) / (min(a, b) + .05); got < pair.least {
				t.Errorf("scheme %d: --%s on --%s is %.2f:1, less than %.1f:1", i, pair.fore, pair.back, got, pair.least)
			}
		}
	}
}

// luminance is the relative luminance of sRGB as WCAG 2.2 defines it.
func luminance(hex string) float64 {
	n, _ := strconv.ParseUint(hex, 16, 32)
	channel := func(v uint64) float64 {
		c := float64(v) / 255
		if c <= .04045 {
			return c / 12.92
		}
		return math.Pow((c+.055)/1.055, 2.4)
	}
	return .2126*channel(n>>16) + .7152*channel(n>>8&255) + .0722*channel(n&255)
}
