// Package archtest holds the house's import rules as tests that say why.
package archtest

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// pkg is the part of `go list -json` that counts here.
type pkg struct {
	ImportPath string
	Imports    []string
	Standard   bool
}

func packages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,Standard", "gatehouse/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 20 {
		t.Fatalf("go list found %d packages only: this test would say nothing", len(all))
	}
	return all
}

// within reports whether path is the package root or below it.
func within(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }

func inModule(path string) bool { return within(path, "gatehouse") }

// rule says what the packages below From may import of this module.
type rule struct {
	from string
	may  []string
	why  string
}

// Technology packages know the vocabulary and their own folder, never each other:
// each can be replaced without the others noticing.
func technology(folder string) rule {
	return rule{"gatehouse/" + folder, []string{"gatehouse", "gatehouse/internal", "gatehouse/" + folder},
		folder + " is one technology behind the root's ports; it must be replaceable alone"}
}

var rules = []rule{
	{"gatehouse/rules", []string{"gatehouse", "gatehouse/rules"}, "a decision is a pure function over the vocabulary's values"},
	{"gatehouse/flow", []string{"gatehouse", "gatehouse/rules", "gatehouse/flow/follow"}, "verbs name the ports they need and never import each other or a technology"},
	{"gatehouse/tariff", []string{"gatehouse", "gatehouse/rules/parking", "gatehouse/tariff"}, "a tariff's file and its picture: values in and out, for whoever has them"},
	{"gatehouse/internal", []string{"gatehouse", "gatehouse/internal"}, "what several technologies share knows none of them"},
	technology("ingest"), technology("vision"), technology("gallery"), technology("actuate"), technology("vault"), technology("auditlog"),
	technology("store"), technology("notify"), technology("feed"), technology("auth"), technology("listen"),
	technology("payroll"), technology("holidays"), technology("pay"),
	{"gatehouse/api", []string{"gatehouse", "gatehouse/internal", "gatehouse/flow", "gatehouse/auth", "gatehouse/feed", "gatehouse/api"}, "pages and routes reach technology through ports only"},
	{"gatehouse/console", []string{"gatehouse", "gatehouse/internal", "gatehouse/flow", "gatehouse/auth", "gatehouse/feed", "gatehouse/console"}, "pages and routes reach technology through ports only"},
	{"gatehouse/terminal", []string{"gatehouse", "gatehouse/internal", "gatehouse/auth", "gatehouse/terminal"}, "a tablet's page is the same for everybody: what it shows it asks for as a device, over the API"},
	{"gatehouse/parkingpages", []string{"gatehouse", "gatehouse/internal", "gatehouse/auth", "gatehouse/rules/parking", "gatehouse/parkingpages"}, "a driver's page knows no account, no vault and no lane: what is owed it asks of the books"},
	{"gatehouse/client", []string{"gatehouse", "gatehouse/api/wire", "gatehouse/client"}, "a client is for other people's programs: the words on the wire and nothing of the server"},
	{"gatehouse/cmd", []string{"gatehouse", "gatehouse/server", "gatehouse/client", "gatehouse/lab", "gatehouse/api", "gatehouse/vault", "gatehouse/vision/worker", "gatehouse/tariff", "gatehouse/rules/parking", "gatehouse/cmd"},
		"commands are thin: the wiring is in server, the measuring in lab; vault and vision/worker are named for their child processes only, a tariff's file needs no site"},
}

func TestImports(t *testing.T) {
	checked := 0
	for _, p := range packages(t) {
		for _, r := range rules {
			if !within(p.ImportPath, r.from) {
				continue
			}
			checked++
		imports:
			for _, i := range p.Imports {
				if !inModule(i) || i == p.ImportPath {
					continue
				}
				for _, ok := range r.may {
					if i == "gatehouse" && ok == "gatehouse" || ok != "gatehouse" && within(i, ok) {
						continue imports
					}
				}
				t.Errorf("%s imports %s: %s", p.ImportPath, i, r.why)
			}
		}
	}
	if checked < 15 {
		t.Errorf("only %d packages fell under a rule: the folders have moved", checked)
	}
}

// The vocabulary holds values and ports: the standard library only, and no I/O.
func TestTheRootIsPure(t *testing.T) {
	for _, p := range packages(t) {
		if p.ImportPath != "gatehouse" {
			continue
		}
		for _, i := range p.Imports {
			if strings.Contains(i, ".") || inModule(i) || i == "os" || i == "net" || strings.HasPrefix(i, "net/") || strings.HasPrefix(i, "database/") {
				t.Errorf("the root imports %s: it is the vocabulary, for everybody to share", i)
			}
		}
		return
	}
	t.Error("the root package was not found")
}

// Rules are pure: nothing that knows the time of day, the disk or the network.
func TestRulesKnowNoClockAndNoIO(t *testing.T) {
	clock := regexp.MustCompile(`time\.(Now|Since|Until|After|Sleep|NewTimer|NewTicker)\b`)
	seen := 0
	err := filepath.WalkDir("../../rules", func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		seen++
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if m := clock.Find(src); m != nil {
			t.Errorf("%s calls %s: a rule gets its time as a value", path, m)
		}
		return nil
	})
	if err != nil || seen == 0 {
		t.Fatalf("read %d files: %v", seen, err)
	}
	for _, p := range packages(t) {
		if within(p.ImportPath, "gatehouse/rules") {
			for _, i := range p.Imports {
				switch i {
				case "os", "net", "net/http", "io", "context", "database/sql", "log/slog", "math/rand", "math/rand/v2":
					t.Errorf("%s imports %s: a decision has no clock, no I/O and no context", p.ImportPath, i)
				}
			}
		}
	}
}

// Native code lives in the vision child: one package imports the binding.
func TestOnePackageImportsTheRuntime(t *testing.T) {
	found := false
	for _, p := range packages(t) {
		for _, i := range p.Imports {
			if strings.Contains(i, "onnxruntime_go") {
				found = true
				if p.ImportPath != "gatehouse/vision/ort" {
					t.Errorf("%s imports the ONNX Runtime binding: native code must stay in one place", p.ImportPath)
				}
			}
		}
	}
	if !found {
		t.Error("nobody imports the ONNX Runtime binding: this test looks for the wrong name")
	}
}

// Passphrases that are quick to open are quick to guess: only tests make any.
func TestOnlyTestsMakeQuickPassphrases(t *testing.T) {
	out, err := exec.Command("git", "-C", "../..", "grep", "-l", "QuickForTests()", "--", "*.go").Output()
	if err != nil {
		t.Skip("not a git checkout")
	}
	tests := 0
	for _, name := range strings.Fields(string(out)) {
		switch {
		case strings.HasSuffix(name, "_test.go"):
			tests++
		case name != "vault/custody/passphrase.go":
			t.Errorf("%s makes passphrases that are quick to guess", name)
		}
	}
	if tests == 0 {
		t.Error("no test makes any: this one looks for the wrong name")
	}
}

// Nothing that is committed names a path of the machine it was written on.
func TestNoMachinePaths(t *testing.T) {
	out, err := exec.Command("git", "-C", "../..", "ls-files", "-z").Output()
	if err != nil {
		t.Skip("not a git checkout")
	}
	local := regexp.MustCompile(`(^|[^.\w])/(root|home/\w+|work/main)/`)
	for _, name := range strings.Split(strings.TrimRight(string(out), "\x00"), "\x00") {
		f, err := os.Open(filepath.Join("../..", name))
		if err != nil {
			continue
		}
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		for n := 1; lines.Scan(); n++ {
			if local.Match(lines.Bytes()) && !strings.Contains(name, "archtest") {
				t.Errorf("%s:%d names a path of one machine", name, n)
			}
		}
		f.Close()
	}
}
