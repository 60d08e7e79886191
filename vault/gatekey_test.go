package vault

import (
	"bytes"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"gatehouse"
)

func TestGateKeyFile(t *testing.T) {
	data, keys := t.TempDir(), t.TempDir()
	file := filepath.Join(keys, "gate.key")
	_, err := OpenGateKey(data, file)
	wantCode(t, err, "gatekey.missing")
	must(t, CreateGateKey(data, file))
	wantCode(t, CreateGateKey(data, file), "gatekey.exists")
	info, err := os.Stat(file)
	must(t, err)
	if info.Mode().Perm() != 0o600 || info.Size() != 32 {
		t.Errorf("mode %v, %d bytes", info.Mode(), info.Size())
	}
	_, err = OpenGateKey(data, file)
	must(t, err)

	for _, mode := range []os.FileMode{0o640, 0o604, 0o660} {
		must(t, os.Chmod(file, mode))
		_, err = OpenGateKey(data, file)
		wantCode(t, err, "gatekey.permissions")
	}
	must(t, os.Chmod(file, 0o400))
	_, err = OpenGateKey(data, file)
	must(t, err)

	other := filepath.Join(keys, "other.key")
	must(t, CreateGateKey(data, other))
	_, err = OpenGateKey(data, other)
	wantCode(t, err, "gatekey.wrong")
	for _, b := range [][]byte{nil, make([]byte, 31), make([]byte, 33)} {
		bad := filepath.Join(t.TempDir(), "k")
		must(t, os.WriteFile(bad, b, 0o600))
		_, err = OpenGateKey(data, bad)
		wantCode(t, err, "gatekey.malformed")
	}
	_, err = OpenGateKey(data, keys)
	wantCode(t, err, "gatekey.malformed")
}

func TestGateKeyLiesOutside(t *testing.T) {
	data, keys := t.TempDir(), t.TempDir()
	must(t, os.Mkdir(filepath.Join(data, "sub"), 0o700))
	must(t, os.Symlink(filepath.Join(data, "sub"), filepath.Join(keys, "in")))
	must(t, os.Symlink(data, filepath.Join(keys, "data")))
	inside := filepath.Join(data, "sub", "gate.key")
	must(t, os.Symlink(inside, filepath.Join(keys, "link.key")))
	for name, c := range map[string][2]string{
		"plain":               {data, inside},
		"through a directory": {data, filepath.Join(keys, "in", "gate.key")},
		"dangling link":       {data, filepath.Join(keys, "link.key")},
		"linked data":         {filepath.Join(keys, "data"), inside},
		"the directory":       {data, data},
	} {
		if code := gatehouse.ErrorCode(CreateGateKey(c[0], c[1])); code != "gatekey.inside" {
			t.Errorf("%s, creating: %q", name, code)
		}
		if _, err := OpenGateKey(c[0], c[1]); gatehouse.ErrorCode(err) != "gatekey.inside" {
			t.Errorf("%s, opening: %v", name, err)
		}
	}
	// Dots behind a link mean one thing to the kernel and another on paper; the key
	// must be made where it was judged to be.
	must(t, CreateGateKey(data, keys+"/in/../dots.key"))
	if _, err := os.Stat(filepath.Join(data, "dots.key")); err == nil {
		t.Error("the key was made inside the data directory")
	}
	// A neighbour whose name begins like the data directory's is not inside it.
	beside := data + "-keys"
	must(t, os.Mkdir(beside, 0o700))
	defer os.RemoveAll(beside)
	must(t, CreateGateKey(data, filepath.Join(beside, "gate.key")))
}

func TestFileKeys(t *testing.T) {
	in := install(t)
	file := filepath.Join(in.data, "site.db")
	key, err := in.gate.FileKey(file)
	must(t, err)
	wrapped, err := os.ReadFile(file + ".key")
	must(t, err)
	if bytes.Contains(wrapped, key[:]) || len(wrapped) != wrappedBytes {
		t.Error("the key is not wrapped")
	}
	reopened, err := OpenGateKey(in.data, in.gateFile)
	must(t, err)
	for _, name := range []string{file, "site.db"} {
		if again, err := reopened.FileKey(name); err != nil || again != key {
			t.Errorf("%s gives another key (%v)", name, err)
		}
	}
	if another, err := in.gate.FileKey("other.db"); err != nil || another == key {
		t.Errorf("two files have one key (%v)", err)
	}
	_, err = in.gate.FileKey(filepath.Join(t.TempDir(), "x.db"))
	wantCode(t, err, "filekey.outside")

	must(t, os.WriteFile(filepath.Join(in.data, "moved.db.key"), wrapped, 0o600))
	_, err = in.gate.FileKey("moved.db")
	wantCode(t, err, "filekey.damaged")
	for i := range wrapped {
		b := bytes.Clone(wrapped)
		b[i] ^= 0x10
		must(t, os.WriteFile(file+".key", b, 0o600))
		if _, err := in.gate.FileKey(file); err == nil {
			t.Fatalf("a key file with byte %d changed is accepted", i)
		}
	}
	// A database whose key is lost gets no new one.
	must(t, os.Remove(file+".key"))
	must(t, os.WriteFile(file, []byte("pages"), 0o600))
	_, err = in.gate.FileKey(file)
	wantCode(t, err, "filekey.missing")

	var wg sync.WaitGroup
	got := make([][32]byte, 8)
	for i := range got {
		wg.Go(func() { got[i], _ = in.gate.FileKey("race.db") })
	}
	wg.Wait()
	for _, k := range got {
		if k != got[0] || k == [32]byte{} {
			t.Fatal("callers at the same time got different keys")
		}
	}
}

// TestCheckValueIsNotWhatDecides: without its check value a data directory still
// tells a wrong key, and does not take it for its own.
func TestCheckValueIsNotWhatDecides(t *testing.T) {
	in := install(t)
	must(t, os.Remove(filepath.Join(in.data, CheckFile)))
	other := filepath.Join(t.TempDir(), "gate.key")
	must(t, CreateGateKey(in.data, other))
	_, err := OpenGateKey(in.data, other)
	wantCode(t, err, "gatekey.wrong")
	_, err = OpenGateKey(in.data, in.gateFile)
	must(t, err)
	if _, err := os.Stat(filepath.Join(in.data, CheckFile)); err != nil {
		t.Error("the check value was not written again")
	}
}

func TestWorkingSealer(t *testing.T) {
	in := install(t)
	where := gatehouse.SealContext{Place: place, Table: "working/plate", Row: gatehouse.RandomID(), Field: "f"}
	sealed, err := in.gate.SealWorking(where, []byte("LS15EBC"))
	must(t, err)
	if bytes.Contains(sealed, []byte("LS15EBC")) || len(sealed) != workingHead+64+tagSize {
		t.Errorf("sealed to %d bytes", len(sealed))
	}
	again, err := in.gate.SealWorking(where, []byte("LS15EBC"))
	must(t, err)
	if bytes.Equal(sealed, again) {
		t.Error("sealing twice gives the same bytes: a thief could compare")
	}
	reopened, err := OpenGateKey(in.data, in.gateFile)
	must(t, err)
	if got, err := reopened.OpenWorking(where, sealed); err != nil || string(got) != "LS15EBC" {
		t.Errorf("after a restart: %q, %v", got, err)
	}
	for name, change := range map[string]func(*gatehouse.SealContext){
		"org":      func(c *gatehouse.SealContext) { c.Org = "evil" },
		"site":     func(c *gatehouse.SealContext) { c.Site = "south" },
		"table":    func(c *gatehouse.SealContext) { c.Table = "working/card" },
		"row":      func(c *gatehouse.SealContext) { c.Row[0] ^= 1 },
		"field":    func(c *gatehouse.SealContext) { c.Field = "g" },
		"revision": func(c *gatehouse.SealContext) { c.Revision++ },
	} {
		moved := where
		change(&moved)
		if _, err := in.gate.OpenWorking(moved, sealed); gatehouse.ErrorCode(err) != "sealing.altered" {
			t.Errorf("moved to another %s: %v", name, err)
		}
	}
	for i := range sealed {
		b := bytes.Clone(sealed)
		b[i] ^= 1
		if _, err := in.gate.OpenWorking(where, b); gatehouse.ErrorCode(err) != "sealing.altered" {
			t.Fatalf("byte %d changed: %v", i, err)
		}
	}
	for n := range sealed {
		if _, err := in.gate.OpenWorking(where, sealed[:n]); gatehouse.ErrorCode(err) != "sealing.altered" {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
}
