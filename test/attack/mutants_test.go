package attack

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mutant is the product without one of its guards, and the test that must notice.
type mutant struct {
	name  string
	edits []edit
	pkg   string // of the test
	test  string
	slow  bool // the test waits for the server's own limits
}

type edit struct{ file, guard, without string }

const here = "./test/attack"

var mutants = []mutant{
	{"a session is not asked for", []edit{{"auth/routes.go", "s, ok := a.SessionOf(r)\n\t\tif !ok {", "s, ok := a.SessionOf(r)\n\t\tif !ok && r.Method == \"\" {"}}, here, "TestNothingToShow", false},
	{"a device's token is not looked at", []edit{{"auth/routes.go", "d, err := a.device(r)\n\t\tif err == nil {", "d, err := a.device(r)\n\t\tif true {"}}, here, "TestNothingToShow", false},
	{"roles are not asked", []edit{{"auth/routes.go", "case !may || p == SettingUp:", "case p == SettingUp:"}}, here, "TestALowerRole", false},
	{"another site's page is taken", []edit{{"auth/routes.go", "ours.Handler(unserved(routes, mux, refuse))", "mux"}}, here, "TestAnotherSitesPage", false},
	{"cookies go along from elsewhere", []edit{{"auth/session.go", "SameSite: http.SameSiteStrictMode", "SameSite: http.SameSiteNoneMode"}}, here, "TestAnotherSitesPage", false},
	{"any name is answered", []edit{{"auth/headers.go", "if !slices.Contains(a.o.Hosts, strings.ToLower(r.Host)) {", "if !slices.Contains(a.o.Hosts, strings.ToLower(r.Host)) && r.Host == \"\" {"}}, here, "TestHeadersAreTheServers", false},
	{"a form leads anywhere", []edit{{"console/signin.go", "func localPath(path string) string {", "func localPath(path string) string {\n\tif path != \"\" {\n\t\treturn path\n\t}"}}, here, "TestHeadersAreTheServers", false},
	{"pages do not escape", []edit{{"console/render.go", `"html/template"`, `"text/template"`}, {"console/console.go", `"html/template"`, `"text/template"`}}, here, "TestMarkupStaysText", false},
	{"unknown fields are taken", []edit{{"api/decode.go", "d.DisallowUnknownFields()", ""}}, here, "TestFieldsThatNobodyAskedFor", false},
	{"bodies have a far too high limit", []edit{{"api/body.go", "r.Body = http.MaxBytesReader(w, r.Body, limit)", ""}, {"api/body.go", "from: http.MaxBytesReader(w, r.Body, limit)", "from: http.MaxBytesReader(w, r.Body, 128<<20)"}}, here, "TestOversizedRequests", false},
	{"headers have no limit", []edit{{"listen/listen.go", "MaxHeaderBytes: maxHeader", "MaxHeaderBytes: 64 << 20"}}, here, "TestOversizedRequests", false},
	{"a chosen session is taken over", []edit{{"auth/session.go", "\ta.End(r)\n\ts := &Session{", "\ts := &Session{"}, {"auth/session.go", "who: account, revision: account.Revision}\n\tcookie := NewToken()", "who: account, revision: account.Revision}\n\tcookie := NewToken()\n\tif c, err := r.Cookie(CookieName); err == nil {\n\t\tcookie = c.Value\n\t}"}}, here, "TestAChosenSession", false},
	{"a challenge is taken twice", []edit{{"auth/pending.go", "\tdelete(a.pending.open, sum)\n", ""}}, "./auth", "TestChallengesAreTakenOnce", false},
	{"a camera may be this machine", []edit{{"server/pages_devices.go", "if a.IP.IsLoopback() || a.IP.IsUnspecified()", "if false && a.IP.IsUnspecified()"}, {"server/pages_devices.go", "slices.ContainsFunc(own, func", "len(own) < 0 && slices.ContainsFunc(own, func"}}, here, "TestNothingAsksInside", false},
	{"a webhook may be this machine", []edit{{"notify/guard.go", "if err != nil || !local && !Public(at.Addr()) {", "if err != nil || !local && !at.IsValid() {"}, {"flow/webhooks/address.go", "ok = local || w.Public(at)", "ok = at.IsValid()"}}, here, "TestNothingAsksInside", false},
	{"a webhook's name may lead inside", []edit{{"notify/guard.go", "if err != nil || !local && !Public(at.Addr()) {", "if err != nil || !local && !at.IsValid() {"}}, "./notify", "TestAWebhookStaysOutside", false},
	{"roles of another site count", []edit{{"account.go", "return a.Org == at.Org && (as.Site == \"\" || as.Site == at.Site)", "return true"}}, "./test/e2e", "TestTenantsNeverSeeEachOther", false},
	{"slow headers are waited for", []edit{{"listen/listen.go", "ReadHeaderTimeout: headerWithin, ReadTimeout: requestWithin", "ReadHeaderTimeout: idleFor, ReadTimeout: idleFor"}}, here, "TestSlowRequests", true},
}

// Every guard is needed: without it, its test fails. The product is built without it by an
// overlay, so that nothing is changed on disk.
func TestEveryGuardIsNeeded(t *testing.T) {
	if os.Getenv("GATEHOUSE_MUTANTS") == "" {
		t.Skip("builds and attacks the product once for each guard: set GATEHOUSE_MUTANTS=1 (`make attack`)")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			replace := map[string]string{}
			for i, e := range m.edits {
				file := filepath.Join(root, e.file)
				from := file
				if changed, ok := replace[file]; ok {
					from = changed
				}
				source, err := os.ReadFile(from)
				if err != nil {
					t.Fatal(err)
				}
				if strings.Count(string(source), e.guard) != 1 {
					t.Fatalf("%s has the guard %d times", e.file, strings.Count(string(source), e.guard))
				}
				to := filepath.Join(t.TempDir(), strings.ReplaceAll(e.file, "/", "_"))
				if err := os.WriteFile(to, []byte(strings.Replace(string(source), e.guard, e.without, 1)), 0o600); err != nil {
					t.Fatal(err, i)
				}
				replace[file] = to
			}
			overlay, err := json.Marshal(map[string]any{"Replace": replace})
			if err != nil {
				t.Fatal(err)
			}
			list := filepath.Join(t.TempDir(), "overlay.json")
			if err := os.WriteFile(list, overlay, 0o600); err != nil {
				t.Fatal(err)
			}
			command := exec.CommandContext(t.Context(), "go", "test", "-tags", "pkcs11", "-overlay", list, "-vet=off", "-count=1", "-run", "^"+m.test+"$", m.pkg)
			command.Dir = root
			if m.slow {
				command.Env = append(os.Environ(), "GATEHOUSE_ATTACK_SLOW=1")
			}
			out, err := command.CombinedOutput()
			switch {
			case err == nil:
				t.Errorf("%s passes without the guard", m.test)
			case !strings.Contains(string(out), "--- FAIL: "+m.test):
				t.Errorf("%s was not run: %s", m.test, out)
			}
		})
	}
}
