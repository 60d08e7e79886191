package auth

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse"
)

func TestAdminSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run", "admin.sock")
	l, err := ListenAdmin(path)
	if err != nil {
		t.Fatal(err)
	}
	for p, want := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): 0o700} {
		if i, err := os.Stat(p); err != nil || i.Mode().Perm() != want {
			t.Errorf("%s: mode %v, want %v (%v)", filepath.Base(p), i.Mode().Perm(), want, err)
		}
	}
	if _, err := ListenAdmin(path); gatehouse.ErrorCode(err) != "admin.in_use" {
		t.Errorf("a second server: %v", err)
	}
	l.Close()

	// A socket whose server died is replaced; another file is left alone.
	if err := os.WriteFile(path, []byte("notes"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ListenAdmin(path); gatehouse.ErrorCode(err) != "admin.socket" {
		t.Errorf("over a plain file: %v", err)
	}
	if b, _ := os.ReadFile(path); string(b) != "notes" {
		t.Error("a plain file was removed")
	}
	if _, err := ListenAdmin(filepath.Join(t.TempDir(), strings.Repeat("x", 200))); gatehouse.ErrorCode(err) != "admin.path_too_long" {
		t.Errorf("a long path: %v", err)
	}
}

func TestADeadServersSocketIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "admin.sock")
	l, err := ListenAdmin(path)
	if err != nil {
		t.Fatal(err)
	}
	l.(interface{ SetUnlinkOnClose(bool) }).SetUnlinkOnClose(false)
	l.Close()
	if l, err = ListenAdmin(path); err != nil {
		t.Fatal(err)
	}
	l.Close()
}
