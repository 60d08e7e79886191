package main

import (
	"context"
	"os"
	"path/filepath"
	"testing"

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
		return nil
	}})
}
