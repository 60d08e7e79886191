//go:build pkcs11

package vault

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

// spy is a module that writes down which process it was loaded into, the home that it
// sees there, and what lies on each small anonymous mapping, as the page of the keys is.
const spy = `#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
__attribute__((constructor)) static void go(void) {
	FILE *f = fopen(SPY_OUT, "a"), *m = fopen("/proc/self/maps", "r");
	char line[512], p[8];
	unsigned long a, b;
	if (!f || !m) return;
	fprintf(f, "pid %d\nhome %s\n", getpid(), getenv("HOME") ? getenv("HOME") : "");
	while (fgets(line, sizeof line, m))
		if (sscanf(line, "%lx-%lx %7s", &a, &b, p) == 3 && !strncmp(p, "rw", 2) && b - a <= 0x4000 && !strchr(line, '/'))
			for (unsigned long i = a; i < b; i += 4096) {
				fprintf(f, "page ");
				for (int k = 0; k < 32; k++) fprintf(f, "%02x", ((unsigned char *)i)[k]);
				fprintf(f, "\n");
			}
	fclose(f);
}
`

// spyModule compiles the spy as root's, and returns its source and where it writes.
func spyModule(t *testing.T) (source, out string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can make a module that is trusted")
	}
	dir := t.TempDir()
	out = filepath.Join(dir, "out")
	text, module := filepath.Join(dir, "spy.c"), filepath.Join(dir, "spy.so")
	must(t, os.WriteFile(text, []byte(spy), 0o600))
	if said, err := exec.Command("cc", "-shared", "-fPIC", fmt.Sprintf("-DSPY_OUT=%q", out), "-o", module, text).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return module + "?token=x&key=y", out
}

// plantSlot lets a keyring ask for a token, as whoever can write the file may.
func plantSlot(t *testing.T, dir string) {
	t.Helper()
	ring, err := readKeyring(dir)
	must(t, err)
	data := make([]byte, 61)
	data[0] = 1
	ring.Keys[0].Slots = append(ring.Keys[0].Slots, keySlot{ID: "planted", Kind: gatehouse.PKCS11Credential, Data: data})
	must(t, ring.write(dir, true))
}

// A module is loaded into a process that holds no key, also where somebody who broke
// into the server names it and edits the keyring while the vault is unsealed.
func TestModulesRunBesideNoKey(t *testing.T) {
	source, out := spyModule(t)
	in := install(t)
	in.unseal(t)
	plantSlot(t, in.options.Dir)
	with := gatehouse.Credential{Kind: gatehouse.PKCS11Credential, Source: source, Secret: []byte("1234")}
	if _, _, err := in.vault.UnsealWith(t.Context(), operator, with, time.Hour); err == nil {
		t.Error("a module without a token opened the vault")
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatalf("the module was not loaded at all: %v", err) // then this shows nothing
	}
	if strings.Contains(string(text), fmt.Sprintf("pid %d\n", in.vault.Process().PID)) {
		t.Error("the module was loaded into the vault process")
	}
	if !strings.Contains(string(text), "home /dev/null\n") {
		t.Error("the module sees a user's home")
	}
	want, err := readPublicKey(in.options.Dir)
	must(t, err)
	pages := 0
	for line := range strings.Lines(string(text)) {
		page, ok := strings.CutPrefix(strings.TrimSpace(line), "page ")
		if !ok {
			continue
		}
		pages++
		seed, err := hex.DecodeString(page)
		must(t, err)
		if private, err := kem().NewPrivateKey(seed); err == nil && bytes.Equal(private.PublicKey().Bytes(), want.Bytes()) {
			t.Error("the private key lies beside the module")
		}
	}
	if pages == 0 {
		t.Error("the module saw no page")
	}
	if in.vault.Process().Restarts != 0 {
		t.Error("the vault process ended")
	}
}

// The vault that is open opens no bundle: its caller would name files of its own.
func TestAnOpenVaultOpensNoBundles(t *testing.T) {
	source, out := spyModule(t)
	in := install(t)
	in.unseal(t)
	evil := t.TempDir()
	public, err := os.ReadFile(filepath.Join(in.options.Dir, publicKeyFile))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(evil, publicKeyFile), public, 0o600))
	ring, err := os.ReadFile(filepath.Join(in.options.Dir, privateKeyFile))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(evil, privateKeyFile), ring, 0o600))
	plantSlot(t, evil)
	_, err = in.vault.process.Call(t.Context(), methodUnbundle, unbundleRequest{Dir: evil, Key: "x", With: shown{Kind: gatehouse.PKCS11Credential, Source: source}}, [][]byte{[]byte("pin"), {1}, {2}}, nil)
	wantCode(t, err, "vault.in_use")
	if _, err := os.Stat(out); err == nil {
		t.Error("a module was loaded")
	}
}
