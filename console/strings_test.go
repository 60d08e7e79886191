package console

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"gatehouse"
	"gatehouse/flow/intake"
)

func asTexts[T ~string](list []T) (out []string) {
	for _, x := range list {
		out = append(out, string(x))
	}
	return out
}

// Every text that a template or a handler names must exist in both languages.
func TestEverythingIsTranslated(t *testing.T) {
	used := map[string]bool{}
	files, err := templateFiles.ReadDir("templates")
	if err != nil {
		t.Fatal(err)
	}
	constant := regexp.MustCompile(`\b(?:t|tf) "([^"]+)"`)
	built := regexp.MustCompile(`printf "([a-z]+)\.%s"`)
	prefixes := map[string]bool{}
	for _, f := range files {
		body, _ := templateFiles.ReadFile("templates/" + f.Name())
		for _, m := range constant.FindAllStringSubmatch(string(body), -1) {
			used[m[1]] = true
		}
		for _, m := range built.FindAllStringSubmatch(string(body), -1) {
			prefixes[m[1]] = true
		}
		checkBareText(t, f.Name(), string(body))
	}
	for prefix, values := range map[string][]string{
		"who": {"face", "plate", "card", "pin", "qr", "remote"}, "kind": {"face", "plate", "card", "pin", "qr", "remote", "person", "vehicle"},
		"direction": {"in", "out"}, "gate": {"open", "closed", "fault", "unknown"}, "camera": {"ok", "stalled", "down", "none"},
		"budget": {"operator", "role", "organization", "live"}, "window": {"hour", "day"},
		"step":    {"held", "failed", "unasked"},
		"outcome": {"none", "pending", "passed", "not_passed", "tailgated", "unconfirmed", "unreachable"}, "status": {"active", "suspended"},
		"change": {"put", "removed", "members-added", "members-removed"}, "part": {"group", "rule", "schedule", "holiday"}, "day": {"mon", "tue", "wed", "thu", "fri", "sat", "sun"},
		"device": {"camera", "reader", "terminal", "relay", "kiosk"}, "devstate": {"ok", "stalled", "down", "ended", "quiet"}, "shows": {"key", "token", "none", "revoked"},
		"erasestage": {"waits", "checks", "keys", "gates", "ids", "rewrites", "pictures", "certificate", "left"}, "stage": {"retention", "log", "files", "targets", "databases", "pictures", "objects"}, "filing": {"below", "near", "due"}, "consentstate": {"given", "lapsing", "withdrawn"}, "consentfor": {"face_at_doors", "face_at_attendance"},
		"request": {"access", "correction", "export", "erasure"}, "reqstate": {"open", "soon", "overdue", "done"}, "reqoutcome": {"granted", "refused"},
		"field":    {"birth_date", "gender", "number", "phone", "email", "address", "unit", "region", "class", "colour", "owner"},
		"bookkind": {"charge", "payment", "refund", "refund_failed", "dispute", "dispute_won", "dispute_lost", "write_off", "top_up", "spend", "give_back"}, "bookfinding": {"not_booked", "not_there", "other_money"},
		"bookreason": {"goodwill", "fault", "misread", "tariff", "overpaid", "unpayable", "disputed", "double_sale"},
		"keep":       {"passages", "frames", "strangers", "records", "metadata"}, "relstate": {"asked", "approved", "written", "expired"},
		"leaf":  asTexts(gatehouse.LeafKinds),
		"certs": {"none", "files", "acme", "local"}, "custody": {"key_file", "key_file_on_the_same_disk", "systemd_credential", "pkcs11", "tpm", "unknown"}, "slot": {"passphrase", "file", "pkcs11", "tpm"},
		"secretfor": {"mail", "webhook", "oidc", "storage", "other"}, "from": {"default", "file", "environment", "console", "program"},
		"section": {"site", "tls", "sign_in", "vault", "vision", "ring", "strangers", "disclosure", "alarms", "retention", "backup", "audit", "api", "terminal", "attendance", "paying", "law"},
		"verdict": {"ok", "warn", "fail", "skipped"}, "doctor": {"configuration", "permissions", "exposure", "time", "disk", "keys", "cameras", "versions", "limits", "parking", "attendance"},
		"chart": {"passages", "latency", "lag", "fps", "queues", "disk", "memory", "vault"}, "series": {"granted", "denied", "latency", "lag", "fps", "waiting", "audit", "free", "heap", "unsealed"},
		"state": {"invited", "enabled", "disabled"}, "sort": rollSorts, "done": {"enrolled", "photos", "saved"}, "consent": {"face_at_doors", "face_at_attendance"},
		"withdraw": {"face_at_doors", "face_at_attendance"}, "how": {"terminal", "reference"}, "noticein": {"en", "zh"}, "class": {"car", "truck", "bus", "motorbike"},
		"enrolstep": personSteps, "enrolask": personSteps, "importstate": {"checked", "running", "stopped", "done"},
		"column": append(intake.Columns(gatehouse.PersonSubject), intake.Columns(gatehouse.VehicleSubject)...),
		"relask": {"name", "national_id", "record", "photos", "detail", "evidence"}, "limit": budgetScopes, "canary": {"person", "vehicle", "token"}, "relfield": {"name", "national_id", "record", "detail", "picture"},
		"alarmkind": asTexts(gatehouse.AlarmKinds), "rules": {"groups", "rules", "schedules", "holidays"}, "hook": {"passage", "outcome", "test"}, "delivery": {"waiting", "delivered", "failed"},
		"right": {"pass", "reservation", "quota", "denied", "validation", "order"}, "passkind": {"season", "uses", "exit", "value"}, "heldright": {"pass", "reservation", "denied", "order", "account", "account_vehicle"}, "gives": {"time", "percent", "money", "full"},
		"staystate": {"inside", "open", "waiting", "ambiguous", "left", "lost", "withdrawn"}, "exitstate": {"paired", "ambiguous", "unpaired", "reversed", "dismissed"},
		"staywhy":  {"new", "exit_missed", "plate_twice", "opened_remotely", "same_text", "ticket", "as_typed", "one_lookalike", "one_missing", "readers_choice", "two_apart", "two_stays", "looks_other", "ticket_of_other", "double_dip", "no_entry", "no_plate", "unknown_ticket", "other_vehicle", "paid", "card", "attached", "attached_free", "overdue", "reversed", "tailgated", "ended_by_hand"},
		"dayclass": {"work", "rest", "holiday"}, "punchway": {"in", "out"}, "punchfrom": asTexts(gatehouse.PunchSources), "punchuse": {"superseded", "voided", "duplicate"},
		"entrykind": {"worked", "pause", "uncounted", "credited", "leave"}, "correctkind": {"add", "move", "void", "dispute"}, "timestate": {"requested", "approved", "refused", "withdrawn"},
		"periodstate": {"open", "closed", "locked"}, "shiftkind": {"fixed", "flexible", "open"}, "exception": asTexts(gatehouse.ExceptionKinds), "timerule": asTexts(gatehouse.TimeRules),
		"countreason": asTexts(gatehouse.CountReasons), "tariffchoice": {"run", "cut", "down", "up", "half_up", "half_even", "instead", "at_least", "added", "stay", "day", "24h", "any_24h"},
		"by": {"passkey", "totp", "oidc", "link", "invite"},
	} {
		if !prefixes[prefix] {
			t.Errorf("no template uses %s.*: the test is out of step", prefix)
		}
		delete(prefixes, prefix)
		for _, v := range values {
			used[prefix+"."+v] = true
		}
	}
	for p := range prefixes {
		t.Errorf("a template builds %s.* and this test does not know the values", p)
	}
	for key := range texts {
		prefix, _, _ := strings.Cut(key, ".")
		if !used[key] && prefix != "code" && prefix != "purpose" && prefix != "asked" && prefix != "entry" && prefix != "tariffform" && !strings.Contains(sources(t), `"`+key+`"`) {
			t.Errorf("nothing uses %q", key)
		}
	}
	for key := range used {
		if _, ok := texts[key]; !ok {
			t.Errorf("%q is not in the table", key)
		}
	}
	for key, s := range texts {
		if s[0] == "" || s[1] == "" {
			t.Errorf("%q lacks a language", key)
		}
		if key != "lang.other" && key != "say.one" {
			if !hasHan(s[1]) && s[1] != "PIN" {
				t.Errorf("%q is not translated: %q", key, s[1])
			}
			if hasHan(s[0]) {
				t.Errorf("%q is not English: %q", key, s[0])
			}
		}
		if strings.Count(s[0], "%") != strings.Count(s[1], "%") {
			t.Errorf("%q has other placeholders in Chinese", key)
		}
	}
	for _, r := range gatehouse.Reasons {
		if !hasHan(r.Sentence("zh")) || hasHan(r.Sentence("en")) || r.Sentence("en") == string(r) {
			t.Errorf("the reason %s has no sentence in both languages", r)
		}
	}
}

// sources is the package's own code, without the table.
func sources(t *testing.T) string {
	t.Helper()
	names, _ := filepath.Glob("*.go")
	all := ""
	for _, name := range names {
		if strings.HasPrefix(name, "strings") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all += string(b)
	}
	return all
}

func hasHan(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) }) >= 0
}

// checkBareText fails where a template holds words of its own between its tags, or
// in an attribute that people read.
func checkBareText(t *testing.T, name, body string) {
	t.Helper()
	actions := regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	tags := regexp.MustCompile(`(?s)<[^>]*>`)
	code := regexp.MustCompile(`(?s)<code>.*?</code>`) // commands are the same in every language
	attribute := regexp.MustCompile(`(?:alt|title|aria-label|placeholder|data-label)="([^"]*)"`)
	plain := actions.ReplaceAllString(body, "")
	for _, m := range attribute.FindAllStringSubmatch(plain, -1) {
		if strings.IndexFunc(m[1], unicode.IsLetter) >= 0 {
			t.Errorf("%s: the attribute %q is not in the table", name, m[0])
		}
	}
	words := tags.ReplaceAllString(code.ReplaceAllString(plain, ""), " ")
	for _, w := range strings.Fields(words) {
		if strings.IndexFunc(w, unicode.IsLetter) >= 0 && w != "Gatehouse" {
			t.Errorf("%s: the word %q is not in the table", name, w)
		}
	}
}

func TestTheScriptsHoldNoWords(t *testing.T) {
	for _, name := range []string{"live.js", "plan.js", "passkey.js", "enrol.js", "stream.js", "chart.js"} {
		body, err := staticFiles.ReadFile("static/" + name)
		if n := strings.Count(string(body), "\n"); n >= 150 || err != nil {
			t.Errorf("%s has %d lines, %v", name, n, err)
		}
		for _, bad := range []string{"eval(", "new Function", "document.write", "textContent = \"", "http:", "https:"} {
			if strings.Contains(string(body), bad) {
				t.Errorf("%s holds %q", name, bad)
			}
		}
	}
	files, _ := templateFiles.ReadDir("templates")
	for _, f := range files {
		b, _ := templateFiles.ReadFile("templates/" + f.Name())
		for _, bad := range []string{"style=", "<style", "onclick", "onload", "javascript:", "http://", "https://"} {
			if strings.Contains(string(b), bad) {
				t.Errorf("%s holds %q, which the policy forbids", f.Name(), bad)
			}
		}
	}
}
