package server

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gatehouse"
)

// alterKeys runs statements in the key store, as whoever has the gate key can.
func alterKeys(t *testing.T, c Config, statement string) {
	t.Helper()
	alterFile(t, c, "vault/keys.db", func(ctx context.Context, tx *sql.Tx) error { _, err := tx.ExecContext(ctx, statement); return err })
}

// passed commits a passage of a subject at a time, with a sealed detail and a picture.
func passed(t *testing.T, s *Server, subject gatehouse.SubjectID, at time.Time) (passage gatehouse.ID, picture gatehouse.BlobID) {
	t.Helper()
	p := gatehouse.Passage{Place: s.Place(), ID: gatehouse.NewID(at), Gate: "front-door", Device: "cam", Direction: gatehouse.In, At: at, Kind: gatehouse.CardReading,
		Subject: subject, Known: true, Decision: gatehouse.Decision{Grant: true, Reason: gatehouse.Granted, Rule: "test"}, Outcome: gatehouse.Passed}
	picture = gatehouse.RandomID()
	seal := func(where gatehouse.SealContext) []byte {
		b, err := s.vault.Seal(t.Context(), subject, gatehouse.PassageClass, where, []byte("what was said"), gatehouse.PadField)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	detail := seal(gatehouse.SealContext{Place: p.Place, Table: "passages", Row: p.ID, Field: "detail"})
	sealed := seal(gatehouse.SealContext{Place: p.Place, Table: "evidence", Row: picture, Field: "crop"})
	evidence := []gatehouse.Evidence{{Blob: picture, Kind: gatehouse.CropEvidence, Digest: sha256.Sum256(sealed)}}
	if err := s.blobs.PutBlob(t.Context(), picture, sealed); err != nil {
		t.Fatal(err)
	}
	if err := s.store.CommitPassage(t.Context(), gatehouse.PassageCommit{Passage: p, Detail: detail, Evidence: evidence, Leaf: gatehouse.PassageLeaf(p, detail, evidence)}); err != nil {
		t.Fatal(err)
	}
	return p.ID, picture
}

// A site in its fourth year: what is over its time loses keys and storage, kind by kind,
// and the log still verifies.
func TestRetentionTakesAwayWhatIsOver(t *testing.T) {
	c := testConfig(t)
	s := open(t, c)
	unsealed(t, s)
	addDevice(t, s, "cam")
	left, stays := enrol(t, s, "B-1", "Ana", nil), enrol(t, s, "B-2", "Ben", nil)
	if err := s.Admin().SetStatus(t.Context(), left, gatehouse.SuspendedStatus); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	ancient, ancientPicture := passed(t, s, stays, now.AddDate(-4, 0, 0)) // over metadata_days
	old, oldPicture := passed(t, s, stays, now.AddDate(0, -6, 0))         // over passage_days alone
	fresh, freshPicture := passed(t, s, stays, now)
	if err := s.vault.Record(t.Context(), gatehouse.Disclosure{Operator: "op", Purpose: "passage", Reason: "MARK-REASON", Items: []string{"ring/1/picture"}}); err != nil {
		t.Fatal(err)
	}
	reason := func() (text string, sealed bool) {
		t.Helper()
		list, err := s.vault.Disclosures(t.Context(), gatehouse.ID{}, 100)
		if err == nil {
			err = s.lend.Reasons(t.Context(), "auditor", list)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range list {
			if d.Operator == "op" {
				return d.Reason, d.ReasonSealed
			}
		}
		t.Fatal("the disclosure is gone")
		return "", false
	}
	if text, _ := reason(); text != "MARK-REASON" {
		t.Errorf("before its time is over the reason is %q", text)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	// Four years go by: of what the operator said, since she came, and since there were
	// keys of the passages' days.
	for _, at := range []time.Time{now.AddDate(-4, 0, 0), now.AddDate(0, -6, 0)} {
		alterKeys(t, c, `INSERT INTO chains SELECT org, site, randomblob(16), kind, subject, class, '`+at.UTC().Format(time.DateOnly)+`', recipient, created, enc, sealed
			FROM chains WHERE class = 'passage' LIMIT 1`)
	}
	alterKeys(t, c, `UPDATE chains SET day = '2020-01-02' WHERE class = 'reason'`)
	alter(t, c, "site.db", `UPDATE subjects SET enrolled = enrolled - 4 * 366 * 86400000000 WHERE status = 'suspended'`)

	s = open(t, c)
	_, stop := audited(t, s)
	admin := s.Admin()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		// The start does it too, and the month waits until the log has its leaves.
		if _, err := admin.RunRetention(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(c.Data, "db", now.AddDate(-4, 0, 0).UTC().Format("2006-01")+".db")); os.IsNotExist(err) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the month is still there")
		}
	}
	for id, want := range map[gatehouse.ID]string{ancient: "gone", old: "bare", fresh: "whole"} {
		got := "gone"
		if stored, err := s.store.Passage(t.Context(), s.Place(), id); err == nil {
			if got = "whole"; len(stored.Detail) == 0 && len(stored.Evidence) == 0 {
				got = "bare"
			}
		}
		if got != want {
			t.Errorf("a passage of %v is %s, want %s", id.Time(), got, want)
		}
	}
	for picture, want := range map[gatehouse.BlobID]bool{ancientPicture: false, oldPicture: false, freshPicture: true} {
		if _, err := s.blobs.Blob(t.Context(), picture); (err == nil) != want {
			t.Errorf("picture %s: %v, want it there: %t", picture, err, want)
		}
	}
	if _, err := s.store.Subject(t.Context(), s.Place(), left); gatehouse.ErrorCode(err) != "store.not_found" {
		t.Errorf("who left four years ago is still enrolled (%v)", err)
	}
	if keys, err := s.vault.Erasable(t.Context(), s.Place(), left); err != nil || !keys.Erased || keys.Chains != 0 {
		t.Errorf("her keys: %+v, %v", keys, err)
	}
	if _, err := s.store.Subject(t.Context(), s.Place(), stays); err != nil {
		t.Error(err)
	}
	if err := s.Unseal(t.Context(), []byte(passphrase)); err != nil {
		t.Fatal(err)
	}
	if text, sealed := reason(); text != "" || !sealed {
		t.Errorf("the reason is %q still, sealed %t", text, sealed)
	}
	removals, err := s.vault.Removals(t.Context(), 0, 100)
	named := false
	for _, r := range removals {
		named = named || r.Class == gatehouse.ReasonClass && r.Day == "2020-01-02"
	}
	if err != nil || !named {
		t.Errorf("the list of what has gone does not name the day: %+v, %v", removals, err)
	}
	stop()
	if r := verify(t, c, VerifyOptions{}); len(r.Findings) != 0 {
		t.Errorf("%+v", r)
	}
}
