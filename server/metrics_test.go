package server

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/client"
)

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(b)
}

// Every label value of every metric is a word of the product, a gate, a device or a
// number, after people, cards and plates went through: nothing else may ever be one.
func TestMetricsSayNothingAboutAnybody(t *testing.T) {
	c := testConfig(t)
	lane := DefaultGate()
	lane.ID, lane.Kind = "entry-lane", "lane"
	c.Gates = append(c.Gates, lane)
	s := open(t, c)
	link := run(t, s)
	base := link[:strings.Index(link, "/enter/")]
	enrol(t, s, "B-1", "Ana", nil)
	admin := client.OverSocket(SocketPath(c))
	if _, err := admin.EnrollVehicle(t.Context(), wire.EnrollVehicleRequest{Label: "V-1", Record: gatehouse.VehicleRecord{Plate: "B AB 123"}, Grants: []gatehouse.Grant{{Gate: "*", Schedule: "always"}}}); err != nil {
		t.Fatal(err)
	}
	addDevice(t, s, "tablet")
	card(t, s, "tablet", "card B-1")
	card(t, s, "tablet", "card of somebody else")
	if _, err := admin.UnsealWith(t.Context(), gatehouse.Passphrase([]byte(passphrase)), time.Minute); err != nil {
		t.Fatal(err)
	}
	_, body := get(t, base+"/metrics")
	for _, want := range []string{`gatehouse_passages_total{gate="front-door",granted="true",reason="granted"} 1`, `gatehouse_passage_latency_seconds_count{kind="card"} `,
		`gatehouse_process_up{process="vault"} 1`, `gatehouse_process_up{process="vision"} `, "gatehouse_vault_unsealed ", "gatehouse_vault_canary 0", `gatehouse_budget_left_units{window="day"} `,
		"gatehouse_audit_lag_leaves ", "gatehouse_unfinished_verbs 0", `gatehouse_queue_depth{queue="alarms"} 0`, `gatehouse_queue_depth{queue="device_captures"} 0`,
		"process_open_fds ", "go_goroutines ", "gatehouse_start_timestamp_seconds "} {
		if !strings.Contains(body, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	known := []string{"front-door", "entry-lane", "tablet", "true", "false", "vault", "vision", "hour", "day", "alarms", "device_captures", "face", "plate", "card", "pin", "qr"}
	for _, r := range gatehouse.Reasons {
		known = append(known, string(r))
	}
	for _, o := range []gatehouse.Outcome{gatehouse.NoAction, gatehouse.Pending, gatehouse.Passed, gatehouse.NotPassed, gatehouse.Unconfirmed, gatehouse.Unreachable} {
		known = append(known, string(o))
	}
	plain := regexp.MustCompile(`^([0-9.e+-]+|\+Inf|go[0-9.]+.*)$`)
	labels := regexp.MustCompile(`([a-z_]+)="((?:[^"\\]|\\.)*)"`).FindAllStringSubmatch(body, -1)
	if len(labels) < 10 {
		t.Fatalf("only %d labels were found", len(labels))
	}
	for _, l := range labels {
		if !slices.Contains(known, l[2]) && !plain.MatchString(l[2]) {
			t.Errorf("a label says %s=%q", l[1], l[2])
		}
	}
	for line := range strings.Lines(body) {
		if name, ok := strings.CutPrefix(line, "# HELP "); ok {
			if _, help, ok := strings.Cut(strings.TrimSpace(name), " "); !ok || help == "" {
				t.Errorf("%s is not explained", name)
			}
		}
	}
	for _, personal := range []string{"Ana", "B-1", "4711", "AB123", "AB 123"} {
		if regexp.MustCompile(`(^|[^0-9A-Za-z.])` + personal + `([^0-9A-Za-z.]|$)`).MatchString(body) { // not in the middle of a figure
			t.Errorf("the metrics hold %q", personal)
		}
	}
}

func TestReadiness(t *testing.T) {
	c := testConfig(t)
	s := open(t, c)
	link := run(t, s)
	base := link[:strings.Index(link, "/enter/")]
	is := func() (status int, r wire.Readiness, body string) {
		status, body = get(t, base+"/readyz")
		_ = json.Unmarshal([]byte(body), &r)
		return status, r, body
	}
	if status, r, body := is(); status != 200 || r.Status != "ready" || r.Vault != "answers" {
		t.Fatalf("%d %s", status, body)
	}
	// Vision may be away, and that is said.
	for end := time.Now().Add(time.Minute); !s.hub.Faces() && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
	}
	syscall.Kill(s.eyes.Status().PID, syscall.SIGKILL)
	down := false
	for end := time.Now().Add(20 * time.Second); !down && time.Now().Before(end); time.Sleep(time.Millisecond) {
		status, r, body := is()
		if status != 200 {
			t.Fatalf("without vision: %d %s", status, body)
		}
		down = r.Vision == "down"
	}
	if !down {
		t.Error("that vision was away was not said")
	}
	// A data directory that takes nothing.
	if err := (&Server{config: Config{Data: c.Data + "/none"}}).writable(); gatehouse.ErrorCode(err) != "data.unwritable" {
		t.Errorf("a disk that takes nothing: %v", err)
	}
	if err := s.writable(); err != nil {
		t.Error(err)
	}
	if status, body := get(t, base+"/healthz"); status != 200 {
		t.Errorf("it lives: %d %s", status, body)
	}
	// A vault process that does not answer.
	vault := s.vault.Process().PID
	syscall.Kill(vault, syscall.SIGSTOP)
	status, _, body := is()
	for end := time.Now().Add(20 * time.Second); status != 503 && time.Now().Before(end); { // it stops in its own time
		status, _, body = is()
	}
	syscall.Kill(vault, syscall.SIGCONT)
	if status != 503 || !strings.Contains(body, "vault") {
		t.Errorf("a vault process that does not answer: %d %s", status, body)
	}
}
