package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse/api"
	"gatehouse/api/wire"
	"gatehouse/flow/erase"
	"gatehouse/vision/models"
)

// commands runs the command line on one site.
type commands struct {
	*testing.T
	dir string
}

func (c commands) run(status int, args ...string) (stdout, stderr string) {
	c.Helper()
	var out, errs bytes.Buffer
	got := Main(context.Background(), append(args, "--config", filepath.Join(c.dir, "site.yml")), strings.NewReader(""), &out, &errs)
	if got != status {
		c.Fatalf("%v ended with %d: %s%s", args, got, &out, &errs)
	}
	return out.String(), errs.String()
}

func (c commands) write(name, text string) string {
	c.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		c.Fatal(err)
	}
	return path
}

// From an enrolment to a certificate that is checked, on a site that no server runs on.
func TestEraseCommands(t *testing.T) {
	if _, err := os.Stat(filepath.Join(models.Dir(), "models")); err != nil {
		t.Skip("no models here: run `make assets`")
	}
	assets, err := filepath.Abs(models.Dir())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GATEHOUSE_ASSETS", assets)
	c := commands{t, t.TempDir()}
	c.write("site.yml", "data: data\ngate_key: keys/gate.key\ngates: [{id: entry-lane, kind: lane}]\n")
	pass := c.write("pass", "correct horse battery staple\n")
	c.run(0, "init", "--passphrase-file", pass)
	out, _ := c.run(0, "enroll", "vehicle", "--plate", "AB12 CDE", "--label", "V-1", "--json")
	var enrolled wire.EnrollResponse
	if err := json.Unmarshal([]byte(out), &enrolled); err != nil {
		t.Fatal(out, err)
	}
	id := enrolled.Subject.String()

	file := filepath.Join(c.dir, "certificate.json")
	_, errs := c.run(1, "erase", strings.Repeat("0", 31)+"1")
	if !strings.Contains(errs, "erase.unknown") {
		t.Error(errs)
	}
	_, errs = c.run(1, "erase", id, "--certificate", pass)
	if !strings.Contains(errs, "certificate.exists") {
		t.Error(errs)
	}
	reason := c.write("reason", "asked for it in a letter\n")
	out, _ = c.run(0, "erase", id, "--reason-file", reason, "--certificate", file)
	if !strings.Contains(out, id+" is erased: 1 keys are deleted, 0 passages are nobody's") {
		t.Error(out)
	}
	raw, err := os.ReadFile(file)
	if err != nil || !bytes.Contains(raw, []byte(id)) || bytes.Contains(raw, []byte("letter")) {
		t.Errorf("the certificate: %s, %v", raw, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	// Without the log's key it is not verified, and it says why; nothing is left.
	out, _ = c.run(1, "audit", "verify-erasure", file, "--key", pass, "--json")
	var got verifiedErasure
	if err := json.Unmarshal([]byte(out), &got); err != nil || got.OK || !strings.Contains(got.Proof, "erase.certificate") || len(got.Findings) != 0 {
		t.Errorf("%s, %v", out, err)
	}
	out, _ = c.run(0, "audit", "verify-erasure", file)
	if !strings.Contains(out, "proof: holds") || strings.Contains(out, "found") {
		t.Error(out)
	}
	// A copy without the erasure, and what is no certificate.
	_, errs = c.run(1, "audit", "verify-erasure", file, "--data", t.TempDir())
	if !strings.Contains(errs, "data.unreadable") {
		t.Error(errs)
	}
	_, errs = c.run(1, "audit", "verify-erasure", reason)
	if !strings.Contains(errs, "certificate.malformed") {
		t.Error(errs)
	}
	_, errs = c.run(1, "hold", "add", "--day", "2026-11-01", "--until", "2027-01-01", "--reason", "theft")
	if !strings.Contains(errs, "vault.sealed") {
		t.Error(errs)
	}
	c.run(2, "hold", "add", "--until", "2027-01-01")
	out, _ = c.run(0, "retention", "run", "--json")
	if !strings.Contains(out, `"days":0`) {
		t.Error(out)
	}
	out, errs = c.run(0, "keys", "rotate", "files", "--json")
	if strings.Count(out, "held_ms") != 5 || !strings.Contains(errs, "5 of 5") {
		t.Error(out, errs)
	}
	out, _ = c.run(0, "retention", "show", "--json")
	if !strings.Contains(out, `"passage_days":90`) {
		t.Error(out)
	}
	forever := strings.Replace("data: data\ngate_key: keys/gate.key\nretention: {passage_days: N}\n", "N", "forever", 1)
	c.write("site.yml", forever)
	if _, errs = c.run(1, "retention", "show"); !strings.Contains(errs, "config.malformed") {
		t.Error(errs)
	}
	c.write("site.yml", strings.Replace(forever, "forever", "100000", 1))
	if _, errs = c.run(1, "retention", "show"); !strings.Contains(errs, "config.invalid") || !strings.Contains(errs, "nothing is kept for ever") {
		t.Error(errs)
	}
}

// erasingAdmin has one erasure under way, and says when it was asked.
type erasingAdmin struct {
	api.Admin
	asked chan bool
}

func (a erasingAdmin) Erasing(context.Context) (wire.ErasingResponse, error) {
	select {
	case a.asked <- true:
	default:
	}
	return wire.ErasingResponse{Erasing: []wire.Erasing{{Stage: string(erase.Pictures), Pictures: 9000, Unlinked: 40}}}, nil
}

// An erasure that takes long says what it does, once.
func TestEraseShowsItsStages(t *testing.T) {
	for _, stage := range erase.Stages {
		if stageWords[string(stage)] == "" {
			t.Errorf("nothing says what an erasure does at %q", stage)
		}
	}
	var errs bytes.Buffer
	a := erasingAdmin{asked: make(chan bool)}
	done := showErasing(t.Context(), &Out{Stderr: &errs}, a)
	<-a.asked
	<-a.asked
	done()
	if errs.String() != "removing pictures: 40 of 9000\n" {
		t.Errorf("%q", errs.String())
	}
}
