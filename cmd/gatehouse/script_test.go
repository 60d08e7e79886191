package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse/vault/custody"
	"gatehouse/vault/custody/custodytest"
	"gatehouse/vision/models"

	"github.com/rogpeppe/go-internal/testscript"
)

// The scripts in testdata run the real command line; the test binary is gatehouse.
func TestMain(m *testing.M) {
	custody.QuickForTests() // in the processes that it starts, too
	if len(os.Args) > 1 {
		if _, ok := children[os.Args[1]]; ok {
			os.Exit(Main(context.Background(), os.Args[1:], nil, os.Stdout, os.Stderr))
		}
	}
	testscript.Main(m, map[string]func(){
		"gatehouse": main,
	})
}

func TestScripts(t *testing.T) {
	assets, err := filepath.Abs(models.Dir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(assets, "models")); err != nil {
		t.Skip("no models here: run `make assets`")
	}
	testscript.Run(t, testscript.Params{Dir: "testdata", Setup: func(env *testscript.Env) error {
		env.Setenv("GATEHOUSE_ASSETS", assets)
		env.Setenv("PORTRAITS", filepath.Join(assets, "portraits"))
		return withTPM(t, env)
	}, Cmds: map[string]func(*testscript.TestScript, bool, []string){"await": await}})
}

// withTPM gives the scripts that name $TPM one of their own, and a configuration that
// keeps the gate key in it.
func withTPM(t *testing.T, env *testscript.Env) error {
	if !strings.HasSuffix(env.WorkDir, "script-token") {
		return nil
	}
	if _, err := exec.LookPath("swtpm"); err != nil {
		return nil
	}
	source := custodytest.TPM(t)
	env.Setenv("TPM", source)
	for name, gateKey := range map[string]string{"tpm.yml": "tpm:" + source, "other.yml": "tpm:" + source + "-none"} {
		config := "data: data\ngate_key: " + gateKey + "\ngates:\n  - {id: front-door}\n"
		if err := os.WriteFile(filepath.Join(env.WorkDir, name), []byte(config), 0o600); err != nil {
			return err
		}
	}
	for _, name := range []string{"auth", "wrong"} {
		if err := os.Chmod(filepath.Join(env.WorkDir, name), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// await waits until a file is there: "await data/admin.sock" until a server serves.
func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: await FILE")
	}
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
	}
	ts.Fatalf("%s did not appear", args[0])
}
