package server

import (
	"bytes"
	"context"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/client"
	"gatehouse/internal/child/childtest"
	"gatehouse/lab/demo/scene"
	"gatehouse/vault"
	"gatehouse/vault/budget"
	"gatehouse/vault/custody"
	"gatehouse/vision/imaging"
	"gatehouse/vision/models"
	"gatehouse/vision/worker"
)

// The test binary is the child processes too, as gatehouse is.
func TestMain(m *testing.M) {
	custody.QuickForTests() // in the processes that it starts, too
	childtest.Main(m, map[string]func(context.Context) error{"__vault": vault.RunChildWith(Payroll()), "__vision": worker.RunChild, siteChild: runSite, parkingChild: runParking, erasingChild: runErasing, backupChild: runBackups, machineChild: runMachine, rotatingChild: runRotating, servingChild: runServing})
}

const passphrase = "correct horse battery staple"

// testConfig is a door where a face alone is enough, so that tests see one thing at a time.
func testConfig(t *testing.T) Config {
	t.Helper()
	if _, err := os.Stat(filepath.Join(models.Dir(), "models")); err != nil {
		t.Skip("no models here: run `make assets`")
	}
	c := DefaultConfig()
	c.Data, c.GateKey, c.Listen, c.LogLevel = filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "gate.key"), "localhost:0", "error"
	door := DefaultGate()
	door.ID, door.SecondFactor, door.Liveness = "front-door", false, false
	door.Actuator.Kind = "simulated"
	c.Gates, c.Devices = []GateConfig{door}, nil
	return c
}

func open(t *testing.T, c Config) *Server {
	t.Helper()
	s, err := Open(t.Context(), c, Options{NewPassphrase: []byte(passphrase), Stderr: testLog{t}, LocalSession: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(context.Background()) })
	return s
}

type testLog struct{ t *testing.T }

func (l testLog) Write(b []byte) (int, error) {
	if l.t.Context().Err() == nil {
		l.t.Logf("server: %s", bytes.TrimSpace(b))
	}
	return len(b), nil
}

// actor returns an enrolment photo and the frames of an arrival of one portrait.
func actor(t *testing.T, n int) (photo []byte, frames [][]byte) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(models.Dir(), "portraits", "*.jpg"))
	slices.Sort(files)
	raw, err := os.ReadFile(files[n])
	if err != nil {
		t.Fatal(err)
	}
	portrait, err := imaging.Decode(raw, imaging.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(uint64(n), 1))
	return scene.Enrolment(portrait, r), scene.Person(portrait, scene.RandomLook(r), 4, r)
}

func enrol(t *testing.T, s *Server, label, name string, photo []byte) gatehouse.SubjectID {
	t.Helper()
	r := wire.EnrollPersonRequest{Label: label, Record: gatehouse.PersonRecord{Name: name, NationalID: "ID-4711-" + label}, ConsentGiven: true, ConsentHow: "reference",
		ConsentRef: "form 1", Card: "card " + label, Grants: []gatehouse.Grant{{Gate: "*", Schedule: "always"}}}
	if photo != nil {
		r.Photos = [][]byte{photo}
	}
	answer, err := s.Admin().EnrollPerson(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return answer.Subject
}

// unlimited lifts the budgets for tests that are not about them.
func unlimited(t *testing.T, s *Server) {
	t.Helper()
	most := budget.Limit{Hour: budget.MaxLimit, Day: budget.MaxLimit}
	if err := s.vault.SetLimits(t.Context(), "test", gatehouse.Passphrase([]byte(passphrase)), budget.Limits{Operator: most, Role: most, Organization: most, Live: most}, false); err != nil {
		t.Fatal(err)
	}
}

func addDevice(t *testing.T, s *Server, id gatehouse.DeviceID) (token string) {
	t.Helper()
	answer, err := s.Admin().AddDevice(t.Context(), wire.DeviceAddRequest{ID: id, Kind: gatehouse.Terminal, Gate: "front-door"})
	if err != nil {
		t.Fatal(err)
	}
	return answer.Token
}

// walk posts the frames of one arrival and returns the passages.
func walk(t *testing.T, s *Server, device gatehouse.DeviceID, frames [][]byte) (all []gatehouse.Passage) {
	t.Helper()
	for _, f := range frames {
		got, err := s.Post(t.Context(), gatehouse.Capture{Device: device, Kind: gatehouse.FrameCapture, Received: time.Now(), Image: gatehouse.Image{Format: gatehouse.JPEG, Bytes: f}})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, got...)
	}
	return all
}

func card(t *testing.T, s *Server, device gatehouse.DeviceID, number gatehouse.Secret) gatehouse.Passage {
	t.Helper()
	got, err := s.Post(t.Context(), gatehouse.Capture{Device: device, Kind: gatehouse.CardCapture, Received: time.Now(), Secret: number})
	if err != nil || len(got) != 1 {
		t.Fatalf("%d passages, %v", len(got), err)
	}
	return got[0]
}

func TestRestartKeepsEverybodyAndNeedsNoPerson(t *testing.T) {
	c := testConfig(t)
	photo, frames := actor(t, 9)
	s := open(t, c)
	ana := enrol(t, s, "B-1", "Ana", photo)
	addDevice(t, s, "cam")
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = open(t, c)
	got := walk(t, s, "cam", frames)
	if len(got) != 1 || !got[0].Decision.Grant || got[0].Subject != ana {
		t.Fatalf("after a restart: %+v", got)
	}
	// Nobody unsealed the vault: a name is not to be had, a label is.
	lent, err := s.lend.Live(t.Context(), "console", got)
	if err != nil || lent[got[0].ID].Text != "B-1" || lent[got[0].ID].Opened {
		t.Errorf("while sealed: %+v, %v", lent, err)
	}
	if err := s.Unseal(t.Context(), []byte("wrong "+passphrase)); gatehouse.ErrorCode(err) != "vault.passphrase" {
		t.Errorf("a wrong passphrase: %v", err)
	}
	if err := s.Unseal(t.Context(), []byte(passphrase)); err != nil {
		t.Fatal(err)
	}
	before, err := s.vault.Disclosures(t.Context(), gatehouse.ID{}, 100)
	if err != nil || len(before) == 0 || before[0].Purpose != "unseal" || before[0].Operator != "site/start" {
		t.Errorf("the unsealing is not in the disclosure log: %+v, %v", before, err)
	}
	if lent, err = s.lend.Live(t.Context(), "console", got); err != nil || lent[got[0].ID].Text != "Ana" || !lent[got[0].ID].Opened {
		t.Errorf("while unsealed: %+v, %v", lent, err)
	}
	after, err := s.vault.Disclosures(t.Context(), gatehouse.ID{}, 100)
	if err != nil || len(after) != len(before) || after[1].Operator != "site/console" || len(after[1].Items) != len(before[1].Items)+1 {
		t.Errorf("the live window's disclosure was %+v and is %+v, %v", before[1], after[1], err)
	}
	stored, err := s.store.Passage(t.Context(), s.Place(), got[0].ID)
	if err != nil || len(stored.Evidence) == 0 {
		t.Fatalf("evidence %+v, %v", stored.Evidence, err)
	}
	pictures, err := s.lend.Evidence(t.Context(), "console", stored, "a test")
	if err != nil || len(pictures) != len(stored.Evidence) || !bytes.HasPrefix(pictures[0], []byte{0xff, 0xd8}) {
		t.Errorf("%d pictures, %v", len(pictures), err)
	}
}

func TestVisionProcessKilledInTheMiddle(t *testing.T) {
	s := open(t, testConfig(t))
	photo, frames := actor(t, 9)
	enrol(t, s, "B-1", "Ana", photo)
	addDevice(t, s, "cam")
	pid := s.eyes.Status().PID
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if p := card(t, s, "cam", "card B-1"); !p.Decision.Grant {
		t.Errorf("the card did not open while vision was down: %+v", p.Decision)
	}
	wait, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for s.eyes.Status().PID == pid && wait.Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	if err := s.eyes.Wait(wait); err != nil {
		t.Fatal("vision did not come back:", err)
	}
	time.Sleep(6 * time.Second) // the card's holder would count as repeated before
	if got := walk(t, s, "cam", frames); len(got) != 1 || !got[0].Decision.Grant {
		t.Errorf("after vision came back: %+v", got)
	}
	if s.eyes.Status().Restarts != 1 {
		t.Errorf("%d restarts", s.eyes.Status().Restarts)
	}
}

func TestWithdrawnConsentAndSuspension(t *testing.T) {
	c := testConfig(t)
	c.Gates[0].RepeatWithin = 0
	s := open(t, c)
	photo, frames := actor(t, 9)
	ana := enrol(t, s, "B-1", "Ana", photo)
	addDevice(t, s, "cam")
	if err := s.Admin().SetStatus(t.Context(), ana, gatehouse.SuspendedStatus); err != nil {
		t.Fatal(err)
	}
	if p := card(t, s, "cam", "card B-1"); p.Decision.Reason != gatehouse.Suspended {
		t.Errorf("suspended: %+v", p.Decision)
	}
	if err := s.Admin().SetStatus(t.Context(), ana, gatehouse.Active); err != nil {
		t.Fatal(err)
	}
	if err := s.enroll.WithdrawConsent(t.Context(), ana, gatehouse.FaceAtDoors); err != nil {
		t.Fatal(err)
	}
	if s.gallery.Size(s.Place()) != 0 {
		t.Error("the template outlived the consent")
	}
	if p := card(t, s, "cam", "card B-1"); !p.Decision.Grant {
		t.Errorf("the card: %+v", p.Decision)
	}
	walk(t, s, "cam", frames)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = open(t, c)
	if b, _ := s.working.Badge(ana); b.FaceConsent || s.gallery.Size(s.Place()) != 0 {
		t.Error("the consent came back with a restart")
	}
}

func TestOpenRefuses(t *testing.T) {
	c := testConfig(t)
	if _, err := Open(t.Context(), c, Options{Stderr: testLog{t}}); gatehouse.ErrorCode(err) != "keys.missing" {
		t.Errorf("a first start without a passphrase: %v", err)
	}
	s := open(t, c)
	if _, err := Open(t.Context(), c, Options{Stderr: testLog{t}}); gatehouse.ErrorCode(err) != "store.locked" {
		t.Errorf("two servers on one data directory: %v", err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(path string) error
		code   string
	}{
		"no gate key":           {os.Remove, "gatekey.missing"},
		"another gate key":      {func(p string) error { return os.WriteFile(p, bytes.Repeat([]byte{7}, 32), 0o600) }, "gatekey"},
		"a key others can read": {func(p string) error { return os.Chmod(p, 0o644) }, "gatekey.permissions"},
	} {
		t.Run(name, func(t *testing.T) {
			conf := testConfig(t)
			s := open(t, conf)
			s.Close(t.Context())
			if err := c.change(conf.GateKey); err != nil {
				t.Fatal(err)
			}
			_, err := Open(t.Context(), conf, Options{Stderr: testLog{t}})
			if !strings.HasPrefix(gatehouse.ErrorCode(err), c.code) {
				t.Errorf("got %v, want %s", err, c.code)
			}
		})
	}
	inside := testConfig(t)
	inside.GateKey = filepath.Join(inside.Data, "gate.key")
	if _, err := Open(t.Context(), inside, Options{NewPassphrase: []byte(passphrase), Stderr: testLog{t}, LocalSession: true}); gatehouse.ErrorCode(err) != "gatekey.inside" {
		t.Errorf("a gate key inside the data directory: %v", err)
	}
}

// run serves on a free port and returns the console's link.
func run(t *testing.T, s *Server) (link string) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	ready, done := make(chan string, 1), make(chan error, 1)
	go func() { done <- s.Run(ctx, func(l string) { ready <- l }) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	select {
	case link = <-ready:
	case err := <-done:
		done <- nil
		t.Fatal(err)
	}
	return link
}

func TestDevicesOverHTTP(t *testing.T) {
	s := open(t, testConfig(t))
	link := run(t, s)
	base := link[:strings.Index(link, "/enter/")]
	admin := client.OverSocket(SocketPath(s.config))
	photo, frames := actor(t, 9)
	if _, err := admin.EnrollPerson(t.Context(), wire.EnrollPersonRequest{Label: "B-1", Photos: [][]byte{photo}, ConsentGiven: true, ConsentHow: "reference", ConsentRef: "1",
		Grants: []gatehouse.Grant{{Gate: "front-door", Schedule: "office-hours"}, {Gate: "front-door", Schedule: "always"}}}); err != nil {
		t.Fatal(err)
	}
	added, err := admin.AddDevice(t.Context(), wire.DeviceAddRequest{ID: "tablet", Kind: gatehouse.Terminal, Gate: "front-door"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.AsDevice(base, "wrong").PostFrame(t.Context(), "tablet", "image/jpeg", frames[0]); gatehouse.ErrorCode(err) != "device.refused" {
		t.Errorf("a wrong token: %v", err)
	}
	device := client.AsDevice(base, added.Token)
	var decided []wire.DevicePassage
	for _, f := range frames {
		answer, err := device.PostFrame(t.Context(), "tablet", "image/jpeg", f)
		if err != nil {
			t.Fatal(err)
		}
		decided = append(decided, answer.Passages...)
	}
	if len(decided) != 1 || decided[0].Decision != "granted" || decided[0].Sentence == "" {
		t.Errorf("decided %+v", decided)
	}
	for name, body := range map[string][]byte{"nothing": {}, "text": []byte("hello"), "a truncated picture": frames[0][:len(frames[0])/2], "a GIF": []byte("GIF89a......")} {
		_, err := device.PostFrame(t.Context(), "tablet", "image/jpeg", body)
		if code := gatehouse.ErrorCode(err); !strings.HasPrefix(code, "image.") && code != "request.malformed" {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The console is for sessions: without one there is nothing to see.
	for path, want := range map[string]int{"/": 401, "/people": 401, "/api/v1/passages": 401, "/healthz": 200} {
		resp, err := http.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("GET %s without a session: %d", path, resp.StatusCode)
		}
	}
}
