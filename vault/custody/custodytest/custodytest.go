// Package custodytest runs the token and the TPM that tests wrap keys with: SoftHSM2
// and swtpm, as Debian has them.
package custodytest

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// PIN is the PIN of the token.
const PIN = "2468-user"

// modules are where distributions put SoftHSM2.
var modules = []string{"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so", "/usr/lib/pkcs11/libsofthsm2.so"}

// Token makes a token named gatehouse, for this process and its children, and returns
// its source without a key's name: "MODULE?token=gatehouse".
func Token(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	conf := filepath.Join(dir, "softhsm2.conf")
	if err := os.Mkdir(filepath.Join(dir, "tokens"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(conf, []byte("directories.tokendir = "+filepath.Join(dir, "tokens")+"\nobjectstore.backend = file\nlog.level = ERROR\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Setenv("SOFTHSM2_CONF", conf); err != nil { // t.Setenv does not take a testing.TB of a parallel test
		t.Fatal(err)
	}
	out, err := exec.Command("softhsm2-util", "--init-token", "--free", "--label", "gatehouse", "--pin", PIN, "--so-pin", "1357-officer").CombinedOutput()
	if err != nil {
		t.Fatalf("softhsm2-util: %v: %s", err, out)
	}
	for _, m := range modules {
		if _, err := os.Stat(m); err == nil {
			return m + "?token=gatehouse"
		}
	}
	t.Fatal("SoftHSM2's module is not where it is looked for")
	return ""
}

// TPM runs a TPM 2.0 until the test ends and returns its source, "unix:SOCKET".
func TPM(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tpm") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	cmd := exec.Command("swtpm", "socket", "--tpm2", "--tpmstate", "dir="+dir, "--server", "type=unixio,path="+socket,
		"--flags", "not-need-init,startup-clear")
	if err := cmd.Start(); err != nil {
		t.Fatalf("swtpm: %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = os.RemoveAll(dir)
	})
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(socket); err == nil {
			if c, err := net.Dial("unix", socket); err == nil {
				c.Close()
				return "unix:" + socket
			}
		}
	}
	t.Fatal("swtpm did not come up")
	return ""
}
