package vault

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"gatehouse/vault/custody/custodytest"
)

// gateSources are the sources that work here, each with the custody that it must say.
func gateSources(t *testing.T) map[string]Custody {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	must(t, os.WriteFile(filepath.Join(dir, "gate"), bytes.Repeat([]byte{7}, 32), 0o400))
	must(t, os.WriteFile(filepath.Join(dir, "auth"), []byte("auth\n"), 0o600))
	all := map[string]Custody{
		filepath.Join(t.TempDir(), "gate.key"):                     CustodySameDisk, // tests lie on one disk
		"credential:gate":                                          CustodyCredential,
		"tpm:" + custodytest.TPM(t) + "?auth-file=credential:auth": CustodyTPM,
	}
	if source, ok := tokenGateSource(t); ok {
		all[source] = CustodyPKCS11
	}
	return all
}

// What one source keeps, it gives again, and nobody else's key.
func TestGateSources(t *testing.T) {
	for source, want := range gateSources(t) {
		t.Run(string(want), func(t *testing.T) {
			data := t.TempDir()
			s := ParseGateSource(source)
			if s.IsFile() != (want == CustodySameDisk) {
				t.Error("whether it is a file")
			}
			if want != CustodyCredential {
				if there, err := s.Exists(data); there || err != nil {
					t.Errorf("before it is made: %v, %v", there, err)
				}
				_, err := OpenGateKey(data, source)
				wantCode(t, err, "gatekey.missing")
				must(t, CreateGateKey(data, source))
				wantCode(t, CreateGateKey(data, source), "gatekey.exists")
			} else {
				wantCode(t, CreateGateKey(data, source), "gatekey.credential")
			}
			if there, err := s.Exists(data); !there || err != nil {
				t.Errorf("after it was made: %v, %v", there, err)
			}
			g, err := OpenGateKey(data, source)
			must(t, err)
			if g.Custody() != want || g.Custody().Means() == "" {
				t.Errorf("custody %q", g.Custody())
			}
			key, err := g.FileKey("site.db")
			must(t, err)
			again, err := OpenGateKey(data, source)
			must(t, err)
			if got, err := again.FileKey("site.db"); err != nil || got != key {
				t.Errorf("after a restart it is another key: %v", err)
			}
			// The key itself is in no file of the data directory.
			must(t, filepath.WalkDir(data, func(path string, d os.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				b, err := os.ReadFile(path)
				if bytes.Contains(b, g.key[:]) {
					t.Errorf("%s holds the gate key", d.Name())
				}
				return err
			}))
		})
	}
}

func TestWrappedGateKeyIsBound(t *testing.T) {
	data, source := t.TempDir(), "tpm:"+custodytest.TPM(t)
	must(t, CreateGateKey(data, source))
	_, err := OpenGateKey(data, source)
	must(t, err)
	// Another machine's TPM does not open it.
	_, err = OpenGateKey(data, "tpm:"+custodytest.TPM(t))
	wantCode(t, err, "custody.damaged")
	_, err = OpenGateKey(data, source+"-none")
	wantCode(t, err, "custody.missing")
	_, err = OpenGateKey(data, "tpm:relative")
	wantCode(t, err, "custody.source")
	// Nor does a wrapped key of another purpose pass for it.
	w, err := ParseGateSource(source).wrapper()
	must(t, err)
	other, err := w.Wrap(t.Context(), [32]byte{1}, "vault/1")
	must(t, err)
	must(t, os.WriteFile(filepath.Join(data, WrappedGateKeyFile), other, 0o600))
	_, err = OpenGateKey(data, source)
	wantCode(t, err, "custody.damaged")
}

func TestCredentialMustLieOutside(t *testing.T) {
	data := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", data)
	must(t, os.WriteFile(filepath.Join(data, "gate"), bytes.Repeat([]byte{7}, 32), 0o400))
	_, err := OpenGateKey(data, "credential:gate")
	wantCode(t, err, "gatekey.inside")
	t.Setenv("CREDENTIALS_DIRECTORY", t.TempDir())
	_, err = OpenGateKey(data, "credential:gate")
	wantCode(t, err, "gatekey.missing")
}

func TestSameDisk(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	if !sameDisk(a, b) {
		t.Error("two directories of one file system are told apart")
	}
	if _, err := os.Stat("/proc/self/stat"); err == nil && sameDisk(a, "/proc/self/stat") {
		t.Error("the process file system passes for a disk's")
	}
	if sameDisk(a, filepath.Join(b, "none")) {
		t.Error("a file that is not there passes for one on the disk")
	}
}
