//go:build pkcs11

package custody

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/vault/custody/custodytest"
)

func tokenSource(t *testing.T) (string, bool) { return custodytest.Token(t), true }

// A module is code that runs beside the key: one that others than root may write is
// not loaded.
func TestOnlyRootsModulesAreLoaded(t *testing.T) {
	module := filepath.Join(t.TempDir(), "m.so")
	if err := os.WriteFile(module, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(module, 0o666); err != nil {
		t.Fatal(err)
	}
	unwrap := func(source string) error {
		w, err := New(gatehouse.Credential{Kind: gatehouse.PKCS11Credential, Source: source, Secret: []byte("1234")}, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, err = w.Unwrap(t.Context(), append([]byte{tokenVersion}, make([]byte, tokenSize-1)...), "p")
		return err
	}
	if err := unwrap(module + "?token=t"); gatehouse.ErrorCode(err) != "custody.source" {
		t.Errorf("a module that anybody may write: %v", err)
	}
	if err := unwrap("/usr/lib/none.so?token=t"); gatehouse.ErrorCode(err) != "custody.missing" {
		t.Errorf("no module: %v", err)
	}
}

// The token's key cannot be taken out of it.
func TestTheKeyStaysOnTheToken(t *testing.T) {
	source := custodytest.Token(t)
	w, err := New(gatehouse.Credential{Kind: gatehouse.PKCS11Credential, Source: source + "&key=k", Secret: []byte(custodytest.PIN)}, 0)
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := w.Wrap(t.Context(), [SecretSize]byte{1}, "p")
	if err != nil {
		t.Fatal(err)
	}
	// Another key of the same token does not open it, and is not made by trying.
	other, err := New(gatehouse.Credential{Kind: gatehouse.PKCS11Credential, Source: source + "&key=other", Secret: []byte(custodytest.PIN)}, 0)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := other.Unwrap(t.Context(), wrapped, "p"); gatehouse.ErrorCode(err) != "custody.missing" {
			t.Errorf("a key that is not there: %v", err)
		}
	}
	tool, err := exec.LookPath("pkcs11-tool")
	if err != nil {
		t.Skip("no pkcs11-tool here: the attributes are not looked at from outside")
	}
	module, _, _ := strings.Cut(source, "?")
	out, err := exec.Command(tool, "--module", module, "--token-label", "gatehouse", "--login", "--pin", custodytest.PIN, "--list-objects").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "never extractable") || !strings.Contains(string(out), "sensitive") {
		t.Errorf("%v: %s", err, out)
	}
}

// The link that a caller gave is followed once: what is loaded is what was looked at.
func TestModuleIsLoadedByItsOwnPath(t *testing.T) {
	source := custodytest.Token(t)
	module, _, _ := strings.Cut(source, "?")
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(module, link); err != nil {
		t.Fatal(err)
	}
	want, err := filepath.EvalSymlinks(module)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := trusted(link); err != nil || got != want {
		t.Errorf("%s leads to %s: %v", link, got, err)
	}
}
