package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/vault/custody/custodytest"
	"gatehouse/vision/models"

	"github.com/rogpeppe/go-internal/testscript"
)

// The scripts in testdata run the real command line; the test binary is gatehouse.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if _, ok := children[os.Args[1]]; ok {
			os.Exit(Main(context.Background(), os.Args[1:], nil, os.Stdout, os.Stderr))
		}
	}
	testscript.Main(m, map[string]func(){
		"gatehouse": func() { os.Exit(Main(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
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
	}})
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
