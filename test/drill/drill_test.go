// Package drill runs the theft drill on a fresh installation, as `gatehouse drill` does
// with more marks: marked people, vehicles, pictures and traffic go through the real
// server, and neither the thief of the data nor somebody outside finds any of them.
// That the drill would find a leak is tested in lab/drill.
package drill

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"gatehouse"
	"gatehouse/internal/child/childtest"
	"gatehouse/lab/drill"
	"gatehouse/vault"
	"gatehouse/vault/custody"
	"gatehouse/vision/models"
	"gatehouse/vision/worker"
)

func TestMain(m *testing.M) {
	custody.QuickForTests() // in the processes that it starts, too
	childtest.Main(m, map[string]func(context.Context) error{"__vault": vault.RunChild, "__vision": worker.RunChild})
}

// The drill passes on a fresh installation, and its report says how it came to that.
func TestAThiefOfTheDataGetsNothing(t *testing.T) {
	if _, err := os.Stat(filepath.Join(models.Dir(), "portraits")); err != nil {
		t.Skip("no portraits here: run `make assets`")
	}
	dir := t.TempDir()
	t.Setenv("TMPDIR", t.TempDir())
	r, err := drill.Run(t.Context(), drill.Options{Marks: 24, Arrivals: 4, ReportDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Findings {
		t.Errorf("found %s: %s", f.Kind, f.What)
	}
	if !r.OK || r.Hits != 0 || r.ControlHits != r.Marks || r.ControlForms != r.Forms || r.ControlPictures < 24 {
		t.Errorf("%+v", r)
	}
	if len(r.Kinds) != 25 || r.Kinds[drill.Name] < 24 || r.Kinds[drill.Photo] < 24 || r.Kinds[drill.Template] < 24 || r.Kinds[drill.Reason] < 24 || r.Kinds[drill.CanaryLabel] < 24 || r.Kinds[drill.StoredSecret] < 24 || r.Kinds[drill.StayPlate] < 24 || r.Kinds[drill.TicketCode] < 24 || r.Kinds[drill.Buyer] < 24 {
		t.Errorf("marks: %v", r.Kinds)
	}
	if r.Granted < 4 || r.Denied < 4 || r.Routes < 20 || r.URLs < 40 || r.Swaps < 100 || r.TemplatesCompared < 20 || r.Ports < 1 || r.Crashed != 2 || r.Searches < 2 || r.Erased != 4 || r.Forgotten < 10 || r.Alarms < 2 || r.BackupBytes < 1<<20 || r.Requests < 5000 || r.Bytes < 4<<20 {
		t.Errorf("it did too little: %+v", r)
	}
	var written drill.Report
	b, err := os.ReadFile(filepath.Join(dir, "drill.json"))
	if err == nil {
		err = json.Unmarshal(b, &written)
	}
	if err != nil || drill.Verify(written) != nil {
		t.Errorf("the written report: %v, %v", err, drill.Verify(written))
	}
	written.Hits++
	if gatehouse.ErrorCode(drill.Verify(written)) != "drill.signature" {
		t.Error("an altered report verifies")
	}
	page, err := os.ReadFile(filepath.Join(dir, "drill.html"))
	if err != nil || !bytes.Contains(page, []byte("Nothing was found")) {
		t.Errorf("the page: %v", err)
	}
	for _, outside := range []string{"http://", "https://", "src=", "@import", "url("} {
		if bytes.Contains(page, []byte(outside)) {
			t.Errorf("the page needs something from elsewhere: %s", outside)
		}
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) > 0 {
		t.Errorf("the copy is still there: %v, %v", left, err)
	}
}
