package doctor

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/server"

	"golang.org/x/sys/unix"
)

// site is the files of an installation, enough for what is looked at without a server.
func site(t *testing.T, more string) (config string, dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, d := range []string{"data", "data/db", "data/vault", "keys"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	put(t, filepath.Join(dir, "keys/gate.key"), 0o600, make([]byte, 32))
	put(t, filepath.Join(dir, "data/db/site.db"), 0o600, []byte("x"))
	config = filepath.Join(dir, "gatehouse.yml")
	put(t, config, 0o600, []byte("data: data\ngate_key: keys/gate.key\ngates:\n  - {id: front-door}\n"+more))
	return config, dir
}

func put(t *testing.T, path string, mode os.FileMode, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, mode); err != nil {
		t.Fatal(err)
	}
}

func examine(t *testing.T, config string, only ...string) Report {
	t.Helper()
	return Run(t.Context(), Options{Path: config, Only: only})
}

func find(t *testing.T, r Report, area, name string) Check {
	t.Helper()
	for _, c := range r.Checks {
		if c.Area == area && c.Name == name {
			return c
		}
	}
	t.Fatalf("there is no check %s/%s among %+v", area, name, r.Checks)
	return Check{}
}

func want(t *testing.T, r Report, area, name string, v Verdict) {
	t.Helper()
	c := find(t, r, area, name)
	if c.Verdict != v {
		t.Errorf("%s/%s is %s (%s), want %s", area, name, c.Verdict, c.Reason, v)
	}
	if (v == Warn || v == Fail) && c.Do == "" {
		t.Errorf("%s/%s does not say what to do", area, name)
	}
}

func TestASoundSite(t *testing.T) {
	config, _ := site(t, "")
	r := examine(t, config)
	for _, c := range [][2]string{{"configuration", "file"}, {"permissions", "data"}, {"permissions", "data files"}, {"permissions", "gate key"}, {"permissions", "configuration"},
		{"time", "clock"}, {"disk", "writable"}, {"exposure", "certificate"}, {"keys", "gate key"}} {
		want(t, r, c[0], c[1], OK)
	}
	want(t, r, "keys", "witness", Skipped)
	b, err := json.Marshal(r)
	if err != nil || !strings.Contains(string(b), `"verdict":`) {
		t.Error(err)
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name, area, check string
		verdict           Verdict
		more              string
		do                func(t *testing.T, dir string)
	}{
		{"an open data directory", "permissions", "data", Fail, "", func(t *testing.T, dir string) { os.Chmod(filepath.Join(dir, "data"), 0o755) }},
		{"an open database", "permissions", "data files", Fail, "", func(t *testing.T, dir string) { os.Chmod(filepath.Join(dir, "data/db/site.db"), 0o644) }},
		{"an open gate key", "permissions", "gate key", Fail, "", func(t *testing.T, dir string) { os.Chmod(filepath.Join(dir, "keys/gate.key"), 0o640) }},
		{"no gate key", "keys", "gate key", Warn, "", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, "keys/gate.key")) }},
		{"a configuration that everybody changes", "permissions", "configuration", Fail, "", func(t *testing.T, dir string) { os.Chmod(filepath.Join(dir, "gatehouse.yml"), 0o666) }},
		{"a clock that went back", "time", "clock", Fail, "", func(t *testing.T, dir string) {
			os.Chtimes(filepath.Join(dir, "data/db/site.db"), time.Now(), time.Now().Add(time.Hour))
		}},
		{"data whose keys are gone", "configuration", "site", Fail, "", func(t *testing.T, dir string) {}},
		{"an unknown option", "configuration", "file", Fail, "sight: {}\n", func(t *testing.T, dir string) {}},
		{"a listener in clear", "configuration", "file", Fail, "listen: 0.0.0.0:80\n", func(t *testing.T, dir string) {}},
		{"a camera that is not there", "cameras", "camera cam", Fail, "devices:\n  - {id: cam, gate: front-door, source: nothing.mp4}\n", func(t *testing.T, dir string) {}},
		{"a certificate that ended", "exposure", "certificate", Fail, filesTLS, certificateUntil(-time.Hour)},
		{"a certificate that ends", "exposure", "certificate", Warn, filesTLS, certificateUntil(5 * 24 * time.Hour)},
		{"a certificate", "exposure", "certificate", OK, filesTLS, certificateUntil(90 * 24 * time.Hour)},
		{"an open TLS key", "permissions", "TLS key", Fail, filesTLS, func(t *testing.T, dir string) {
			certificateUntil(time.Hour)(t, dir)
			os.Chmod(filepath.Join(dir, "key.pem"), 0o644)
		}},
		{"no models", "versions", "models", Fail, "", func(t *testing.T, dir string) { t.Setenv("GATEHOUSE_ASSETS", dir) }},
		{"no ffmpeg", "versions", "ffmpeg", Warn, "", func(t *testing.T, dir string) { t.Setenv("PATH", dir) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			config, dir := site(t, c.more)
			c.do(t, dir)
			r := examine(t, config, c.area)
			want(t, r, c.area, c.check, c.verdict)
			if c.verdict == Fail && r.Verdict != Fail {
				t.Errorf("as a whole it is %s", r.Verdict)
			}
		})
	}
}

const filesTLS = "listen: 0.0.0.0:8443\ntls: {certificates: files, names: [gates.example], certificate: cert.pem, key: key.pem}\n"

func certificateUntil(left time.Duration) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(left)}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(dir, "cert.pem"), 0o600, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
		put(t, filepath.Join(dir, "key.pem"), 0o600, []byte("key"))
	}
}

// A small disk, full: where the system lets this test mount one.
func TestAFullDisk(t *testing.T) {
	config, dir := site(t, "")
	data := filepath.Join(dir, "data")
	if err := unix.Mount("tmpfs", data, "tmpfs", 0, "size=128m,mode=0700"); err != nil {
		t.Skip("no tmpfs can be mounted here")
	}
	defer unix.Unmount(data, unix.MNT_DETACH)
	os.MkdirAll(filepath.Join(data, "db"), 0o700)
	want(t, examine(t, config, "disk"), "disk", "space", Warn) // 128 MiB are little
	want(t, examine(t, config, "disk"), "disk", "gate key", OK)
	put(t, filepath.Join(data, "db/big"), 0o600, make([]byte, 100<<20))
	want(t, examine(t, config, "disk"), "disk", "space", Fail)
	if err := unix.Mount("", data, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err == nil {
		want(t, examine(t, config, "disk"), "disk", "writable", Fail)
	}
}

// running answers as a server would.
type running struct {
	status  wire.Status
	health  wire.Health
	parks   wire.CarParksResponse
	tariffs wire.TariffsResponse
	books   wire.BooksReport
	plans   wire.HoursPlans
	secrets wire.SecretsResponse
}

func (r running) CarParks(context.Context) (wire.CarParksResponse, error) { return r.parks, nil }
func (r running) Tariffs(context.Context) (wire.TariffsResponse, error)   { return r.tariffs, nil }
func (r running) BooksReport(context.Context, gatehouse.Date, gatehouse.Date) (wire.BooksReport, error) {
	return r.books, nil
}
func (r running) HoursPlans(context.Context) (wire.HoursPlans, error)   { return r.plans, nil }
func (r running) Secrets(context.Context) (wire.SecretsResponse, error) { return r.secrets, nil }
func (r running) Status(context.Context) (wire.Status, error)           { return r.status, nil }
func (r running) Health(context.Context) (wire.Health, error)           { return r.health, nil }

func TestWhatARunningServerSays(t *testing.T) {
	now := time.Now()
	sound := func() running {
		r := running{health: wire.Health{Running: true, Started: now.Add(-24 * time.Hour), Retained: now.Add(-time.Hour),
			Vault:   wire.VaultHealth{ProcessState: wire.ProcessState{Up: true, PID: os.Getpid()}, Memory: "locked", Slots: 2, Shares: true},
			Backup:  wire.BackupHealth{Configured: true, Reachable: true, Last: now.Add(-time.Hour), Verified: now.Add(-time.Hour)},
			Audit:   wire.AuditHealth{Witnesses: []wire.WitnessHealth{{Witness: 1, Reached: now}}},
			Cameras: []wire.CameraHealth{{Device: "cam", State: "ok", FPS: 5, LastFrame: now, LagMS: 80}}}}
		r.status = wire.Status{Version: server.Version, Custody: "tpm"}
		return r
	}
	look := func(r running, only ...string) Report {
		config, _ := site(t, "")
		return Run(t.Context(), Options{Path: config, Only: only, Live: func(context.Context, server.Config) (Live, error) { return r, nil }})
	}
	good := look(sound(), "keys", "cameras")
	for _, c := range good.Checks {
		if (c.Area == "keys" || c.Area == "cameras") && c.Verdict != OK {
			t.Errorf("%+v", c)
		}
	}
	for name, c := range map[string]struct {
		area, check string
		verdict     Verdict
		spoil       func(*running)
	}{
		"a canary":              {"keys", "vault", Fail, func(r *running) { r.health.Vault.Canary = true }},
		"no vault":              {"keys", "vault", Fail, func(r *running) { r.health.Vault.Up = false }},
		"one slot":              {"keys", "slots", Warn, func(r *running) { r.health.Vault.Slots = 1 }},
		"no shares":             {"keys", "shares", Warn, func(r *running) { r.health.Vault.Shares = false }},
		"a rotation":            {"keys", "rotation", Warn, func(r *running) { r.health.Vault.Retired = 1 }},
		"an old backup":         {"keys", "backup age", Fail, func(r *running) { r.health.Backup.Last = now.Add(-20 * 24 * time.Hour) }},
		"no backup":             {"keys", "backup age", Fail, func(r *running) { r.health.Backup.Last = time.Time{} }},
		"a target that is gone": {"keys", "backup age", Fail, func(r *running) { r.health.Backup.Reachable = false }},
		"an unchecked backup":   {"keys", "backup check", Warn, func(r *running) { r.health.Backup.Verified = time.Time{} }},
		"a silent witness":      {"keys", "witness", Fail, func(r *running) { r.health.Audit.Witnesses[0].Reached = now.Add(-time.Hour) }},
		"an erasure left":       {"keys", "unfinished", Warn, func(r *running) { r.health.Unfinished = 1 }},
		"a log that lags":       {"keys", "audit log", Fail, func(r *running) { r.health.Audit.Lag = 5000 }},
		"no retention":          {"keys", "retention", Fail, func(r *running) { r.health.Retained = time.Time{} }},
		"a camera that is down": {"cameras", "camera cam", Fail, func(r *running) { r.health.Cameras[0].State = "down" }},
		"a camera that is late": {"cameras", "camera cam", Warn, func(r *running) { r.health.Cameras[0].LagMS = 4000 }},
		"a silent camera":       {"cameras", "camera cam", Fail, func(r *running) { r.health.Cameras[0].LastFrame = now.Add(-time.Hour) }},
		"an open key file":      {"keys", "gate key", Warn, func(r *running) { r.status.Custody = "key file on the same disk" }},
		"another version":       {"versions", "server", Warn, func(r *running) { r.status.Version = "0.0.1" }},
		"open memory":           {"limits", "vault memory", Warn, func(r *running) { r.health.Vault.Memory = "not locked" }},
	} {
		t.Run(name, func(t *testing.T) {
			r := sound()
			c.spoil(&r)
			want(t, look(r, c.area), c.area, c.check, c.verdict)
		})
	}
}

func TestListeners(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	found, err := listening(os.Getpid())
	if err != nil || len(found) == 0 {
		t.Fatalf("%v, %v", found, err)
	}
	ok := false
	for _, a := range found {
		ok = ok || a.Port == l.Addr().(*net.TCPAddr).Port && a.IP.IsLoopback()
	}
	if !ok {
		t.Errorf("%v does not hold %v", found, l.Addr())
	}
	for text, want := range map[string]string{"0100007F:1F90": "127.0.0.1:8080", "00000000:01BB": "0.0.0.0:443", "00000000000000000000000001000000:0050": "[::1]:80"} {
		if a, ok := address(text); !ok || a.String() != want {
			t.Errorf("%s is %s", text, a.String())
		}
	}
	if _, ok := address("xyz"); ok {
		t.Error("nonsense is an address")
	}
}

func TestLimits(t *testing.T) {
	const text = "Limit                     Soft Limit           Hard Limit           Units     \nMax core file size        0                    unlimited            bytes     \nMax open files            1024                 20000                files     \nMax cpu time              unlimited            unlimited            seconds   \n"
	for name, want := range map[string]int{"Max core file size": 0, "Max open files": 1024, "Max cpu time": -1, "Max nonsense": -1} {
		if got := limit(text, name); got != want {
			t.Errorf("%s: %d", name, got)
		}
	}
}

// A process that dumps core and can be debugged is no vault.
func TestAnOpenProcess(t *testing.T) {
	child := exec.Command("sh", "-c", "ulimit -S -c unlimited 2>/dev/null; ulimit -c; exec sleep 60")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { child.Process.Kill(); child.Wait() }()
	var size string
	fmt.Fscan(out, &size)
	if size == "0" && os.Getuid() == 0 {
		t.Skip("core dumps are off for good here")
	}
	config, _ := site(t, "")
	r := running{health: wire.Health{Vault: wire.VaultHealth{ProcessState: wire.ProcessState{Up: true, PID: child.Process.Pid}, Memory: "locked"}}}
	report := Run(t.Context(), Options{Path: config, Only: []string{"limits"}, Live: func(context.Context, server.Config) (Live, error) { return r, nil }})
	want(t, report, "limits", "vault process", Fail)
}
