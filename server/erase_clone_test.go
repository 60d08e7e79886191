package server

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/internal/sealeddb"
	"gatehouse/vault"
)

// theft is what a thief with the whole disk, the gate key included, reads in a data
// directory that no server uses.
type theft struct {
	t       *testing.T
	dir     string
	gate    *vault.GateKey
	found   map[string]int  // by mark
	where   map[string]bool // files in which something was found
	skipIDs bool            // of the file that is read now: its rows are looked at one by one
}

// mark is something that must not be found, in the forms in which programs write it.
type mark struct {
	name  string
	forms [][]byte
}

func textMark(name, text string) mark {
	b := []byte(text)
	m := mark{name: name, forms: [][]byte{b, []byte(hex.EncodeToString(b)), []byte(strings.ToUpper(hex.EncodeToString(b)))}}
	var wide []byte
	for _, u := range utf16.Encode([]rune(text)) {
		wide = binary.LittleEndian.AppendUint16(wide, u)
	}
	m.forms = append(m.forms, wide[:len(wide)-1])
	for shift := range 3 { // where in a group of three the text begins
		padded := append(make([]byte, shift), b...)
		m.forms = append(m.forms, []byte(base64.RawStdEncoding.EncodeToString(padded)[(8*shift+5)/6:8*len(padded)/6]))
	}
	return m
}

func pictureMark(name string, jpeg []byte) mark {
	return mark{name, [][]byte{jpeg[len(jpeg)/2:][:48]}}
}

func idMark(id gatehouse.SubjectID) mark {
	m := textMark("id", id.String())
	m.forms = append(m.forms, id[:])
	return m
}

// steal searches every page of every database and of its log, free ones included, with
// the keys of their files; the working set's items, opened with the gate key; and every
// other file as it is.
func steal(t *testing.T, c Config, marks []mark) *theft {
	t.Helper()
	gate, err := vault.OpenGateKey(c.Data, c.GateKey)
	if err != nil {
		t.Fatal(err)
	}
	th := &theft{t: t, dir: c.Data, gate: gate, found: map[string]int{}, where: map[string]bool{}}
	err = filepath.WalkDir(c.Data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(c.Data, path)
		if err != nil {
			return err
		}
		th.look(rel, []byte(rel), marks)
		// Both tables' rows are looked at by idRows.
		th.skipIDs = strings.HasPrefix(rel, "vault/audit.db") || strings.HasPrefix(rel, "vault/keys.db")
		if db, isLog := strings.CutSuffix(path, "-wal"); isLog || strings.HasSuffix(path, ".db") {
			if key, err := gate.FileKey(db); err == nil {
				return sealeddb.Pages(path, key, func(plain []byte) error { th.look(rel, plain, marks); return nil })
			}
			// The search index: the gate key does not open it, and it is noise to this thief.
		}
		b, err := os.ReadFile(path)
		th.look(rel, b, marks)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	th.working(marks)
	return th
}

func (th *theft) look(where string, b []byte, marks []mark) {
	for _, m := range marks {
		if m.name == "id" && th.skipIDs {
			continue
		}
		for _, form := range m.forms {
			if n := bytes.Count(b, form); n > 0 {
				th.found[m.name] += n
				th.where[where] = true
			}
		}
	}
}

// working opens the working set, as whoever has the gate key can.
func (th *theft) working(marks []mark) {
	th.t.Helper()
	path := filepath.Join(th.dir, "db", "working.db")
	key, err := th.gate.FileKey(path)
	if err != nil {
		th.t.Fatal(err)
	}
	th.rows(path, key, `SELECT org, site, kind, row, subject, sealed FROM items`, func(v []any) {
		item := gatehouse.WorkingItem{Place: gatehouse.Place{Org: gatehouse.OrgID(v[0].(string)), Site: gatehouse.SiteID(v[1].(string))},
			Kind: gatehouse.WorkingKind(v[2].(string)), Row: gatehouse.ID(v[3].([]byte)), Subject: gatehouse.ID(v[4].([]byte))}
		plain, err := th.gate.OpenWorking(item.Context(), v[5].([]byte))
		if err != nil {
			th.t.Fatal(err)
		}
		th.look("working set", plain, marks)
	})
}

// rows reads a copy of a database, since opening it changes it.
func (th *theft) rows(path string, key [32]byte, query string, f func(values []any)) {
	th.t.Helper()
	work := filepath.Join(th.t.TempDir(), filepath.Base(path))
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(path + suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(work+suffix, b, 0o600)
		}
		if err != nil {
			th.t.Fatal(err)
		}
	}
	db, err := sealeddb.OpenAsIs(work, key)
	if err != nil {
		th.t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Readers().Query(query)
	if err != nil {
		th.t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		th.t.Fatal(err)
	}
	for rows.Next() {
		values, into := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			th.t.Fatal(err)
		}
		f(values)
	}
	if err := rows.Err(); err != nil {
		th.t.Fatal(err)
	}
}

// idRows are the tables and columns of the vault's own files that name a subject: the
// erasure list has to, and the disclosure log says what was opened.
func (th *theft) idRows(id gatehouse.SubjectID) (places []string) {
	th.t.Helper()
	for _, file := range []string{"keys.db", "audit.db"} {
		path := filepath.Join(th.dir, "vault", file)
		key, err := th.gate.FileKey(path)
		if err != nil {
			th.t.Fatal(err)
		}
		var tables []string
		th.rows(path, key, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'`, func(v []any) { tables = append(tables, v[0].(string)) })
		for _, table := range tables {
			th.rows(path, key, `SELECT * FROM "`+table+`"`, func(v []any) {
				for _, value := range v {
					b, _ := value.([]byte)
					text, _ := value.(string)
					if bytes.Contains(b, id[:]) || bytes.Contains(b, []byte(id.String())) || strings.Contains(text, id.String()) {
						places = append(places, file+"/"+table)
					}
				}
			})
		}
	}
	slices.Sort(places)
	return slices.Compact(places)
}

// copyOf copies a data directory and its gate key, which no server uses now.
func copyOf(t *testing.T, c Config) Config {
	t.Helper()
	to := bare(t, c)
	key, err := os.ReadFile(c.GateKey)
	if err == nil {
		err = errors.Join(os.WriteFile(to.GateKey, key, 0o600), os.Remove(filepath.Join(c.Data, "admin.sock")))
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	if err := os.CopyFS(to.Data, os.DirFS(c.Data)); err != nil {
		t.Fatal(err)
	}
	return to
}

// marked is somebody of whom everything is a mark, and what was kept of them before
// they were erased.
type marked struct {
	id     gatehouse.SubjectID
	marks  []mark
	sealed []gatehouse.SealedRef // copies that somebody kept
}

func enrolMarked(t *testing.T, s *Server, photo []byte) marked {
	t.Helper()
	r := wire.EnrollPersonRequest{Label: "MARK-LABEL-77", ConsentGiven: true, ConsentHow: "reference", ConsentRef: "MARK-CONSENT-77", Card: "MARK-CARD-77", QR: "MARK-QR-77-0123456789", PIN: "774411",
		Record: gatehouse.PersonRecord{Name: "MARK-NAME-77", NationalID: "MARK-NATIONAL-77", Number: "MARK-NUMBER-77", Phone: "MARK-PHONE-77", Email: "mark-77@example.org", Address: "MARK-STREET 77", Unit: "MARK-UNIT-77"},
		Grants: []gatehouse.Grant{{Gate: "*", Schedule: "always"}}, Photos: [][]byte{photo}}
	answer, err := s.Admin().EnrollPerson(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	m := marked{id: answer.Subject, marks: []mark{idMark(answer.Subject), pictureMark("photo", photo)}}
	for _, text := range []string{r.Label, r.ConsentRef, r.Card, r.QR, r.Record.Name, r.Record.NationalID, r.Record.Number, r.Record.Phone, r.Record.Email, r.Record.Address, r.Record.Unit, "MARK-REASON-77"} {
		m.marks = append(m.marks, textMark(text, text))
	}
	var run []byte
	err = s.store.Working(t.Context(), func(item gatehouse.WorkingItem) error {
		if item.Kind != gatehouse.TemplateItem || item.Subject != m.id {
			return nil
		}
		plain, err := s.gateKey.OpenWorking(item.Context(), item.Sealed)
		if err == nil {
			run = slices.Clone(plain[200:264])
		}
		return err
	})
	if err != nil || run == nil {
		t.Fatal("nobody's face was taken in", err)
	}
	m.marks = append(m.marks, mark{"template", [][]byte{run}})
	return m
}

// keep copies all that is sealed for the subject, before the erasure.
func (m *marked) keep(t *testing.T, s *Server, passages []gatehouse.Passage) {
	t.Helper()
	for _, p := range passages {
		stored, err := s.store.Passage(t.Context(), s.Place(), p.ID)
		if err != nil {
			t.Fatal(err)
		}
		m.sealed = append(m.sealed, gatehouse.SealedRef{Where: gatehouse.SealContext{Place: s.Place(), Table: "passages", Row: p.ID, Field: "detail"}, Sealed: stored.Detail})
		for _, e := range stored.Evidence {
			if e.Kind != gatehouse.CropEvidence {
				continue // a whole frame is the day's
			}
			b, err := s.blobs.Blob(t.Context(), e.Blob)
			if err != nil {
				t.Fatal(err)
			}
			m.sealed = append(m.sealed, gatehouse.SealedRef{Where: gatehouse.SealContext{Place: s.Place(), Table: "evidence", Row: e.Blob, Field: "crop"}, Sealed: b})
		}
	}
	if got := m.open(t, s); got != len(m.sealed) || got < 8 {
		t.Fatalf("before the erasure %d of %d sealed values open", got, len(m.sealed))
	}
}

// open says how many of the copies an unsealed vault opens.
func (m *marked) open(t *testing.T, s *Server) (opened int) {
	t.Helper()
	operator, proof, _ := s.lend.Lease("test")
	plain, err := s.vault.Open(t.Context(), gatehouse.OpenRequest{Operator: operator, Proof: proof, Purpose: "drill", Refs: m.sealed})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range plain {
		if p != nil {
			opened++
		}
	}
	return opened
}

func unsealed(t *testing.T, s *Server) {
	t.Helper()
	if err := s.Unseal(t.Context(), []byte(passphrase)); err != nil {
		t.Fatal(err)
	}
	unlimited(t, s)
	catchUp(t, s)
}

// checked says what an auditor finds with a certificate, the log's key that they kept,
// and a data directory that no server uses.
func checked(t *testing.T, c Config, cert wire.Erasure, keyFile string) []string {
	t.Helper()
	if err := VerifyErasureProof(cert, keyFile); err != nil {
		t.Errorf("the proof: %v", err)
	}
	found, err := CheckErasure(t.Context(), c, cert)
	if err != nil {
		t.Fatal(err)
	}
	return found.Findings
}

// Somebody is erased from a site of which there are backups from before and after. They
// are gone from its files, free pages included, and from both backups when these are
// restored; the certificate says so, and says what is wrong where somebody put them back.
func TestAnErasedSubjectIsInNoClone(t *testing.T) {
	c := withTargets(t)
	s := open(t, c)
	unsealed(t, s)
	photo, frames := actor(t, 9)
	ana := enrolMarked(t, s, photo)
	ben := enrol(t, s, "B-2", "Ben", nil)
	addDevice(t, s, "cam")
	passages := walk(t, s, "cam", frames)
	for range 6 {
		passages = append(passages, card(t, s, "cam", "MARK-CARD-77"))
		card(t, s, "cam", "card B-2")
	}
	catchUp(t, s)
	if nameOf(t, s, ana.id) != "MARK-NAME-77" {
		t.Error("the name does not open before the erasure")
	}
	ana.keep(t, s, passages)
	older := backUp(t, s)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := copyOf(t, c)
	// The control: the same thief finds what the gate has to know, and the id.
	if th := steal(t, before, ana.marks); th.found["MARK-LABEL-77"] == 0 || th.found["template"] == 0 || th.found["id"] < 20 {
		t.Fatalf("before the erasure the thief finds only %v", th.found)
	}

	s = open(t, c)
	unsealed(t, s)
	cert, err := s.Admin().Erase(t.Context(), wire.EraseRequest{Subject: ana.id, Reason: "MARK-REASON-77"})
	if err != nil {
		t.Fatal(err)
	}
	if got := cert.Certificate; got.Passages != len(passages) || !got.FinalAt.Equal(older.Expires.Truncate(time.Millisecond)) {
		t.Errorf("the certificate says %+v; the last bundle that holds the keys is gone at %v", got, older.Expires)
	}
	if n := ana.open(t, s); n != 0 {
		t.Errorf("%d of %d copies open after the erasure", n, len(ana.sealed))
	}
	catchUp(t, s)
	if hits, err := s.Admin().Search(t.Context(), wire.SearchRequest{Name: "MARK-NAME-77", Reason: "a test", Limit: 10}); err != nil || len(hits.Hits) != 0 {
		t.Errorf("the index gives %d rows, %v", len(hits.Hits), err)
	}
	if found, err := s.Admin().CheckErasure(t.Context(), cert); err != nil || len(found.Findings) != 0 {
		t.Errorf("on the live site: %v, %v", found.Findings, err)
	}
	newer := backUp(t, s)
	keyFile := filepath.Join(t.TempDir(), "auditor.vkey") // kept by the auditor
	b, err := os.ReadFile(filepath.Join(c.Data, "vault", "audit.vkey"))
	if err == nil {
		err = os.WriteFile(keyFile, b, 0o600)
	}
	if err := errors.Join(err, s.Close(t.Context())); err != nil {
		t.Fatal(err)
	}

	gone := func(what string, c Config) {
		t.Helper()
		th := steal(t, c, append(slices.Clone(ana.marks), mark{"of Ben", idMark(ben).forms}))
		if th.found["of Ben"] == 0 {
			t.Errorf("%s: the search finds nobody, and says nothing", what)
		}
		delete(th.found, "of Ben")
		if len(th.found) != 0 {
			t.Errorf("%s: found %v in %v", what, th.found, th.where)
		}
		for _, place := range th.idRows(ana.id) {
			if !slices.Contains([]string{"keys.db/removals", "audit.db/erasures", "audit.db/disclosures", "audit.db/leaves"}, place) {
				t.Errorf("%s: the id stands in %s", what, place)
			}
		}
		if findings := checked(t, c, cert, keyFile); len(findings) != 0 {
			t.Errorf("%s: %v", what, findings)
		}
	}
	gone("live", c)
	for what, at := range map[string]time.Time{"the newer backup": newer.At, "the older backup": older.At} {
		to, o := bare(t, c), restoreOptions(c)
		o.At = at
		if _, err := Restore(t.Context(), to, o); err != nil {
			t.Fatal(err)
		}
		gone(what, to)
		r := open(t, to)
		unsealed(t, r)
		if n := ana.open(t, r); n != 0 {
			t.Errorf("%s: %d of %d copies open", what, n, len(ana.sealed))
		}
		// Its log knows the bundles that were written after it.
		if got, err := r.Admin().Erase(t.Context(), wire.EraseRequest{Subject: ben}); err != nil || !got.Certificate.FinalAt.Equal(newer.Expires.Truncate(time.Millisecond)) {
			t.Errorf("%s: erased there, Ben is gone for good at %v, and a bundle holds his keys until %v (%v)", what, got.Certificate.FinalAt, newer.Expires, err)
		}
		if err := r.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	for path, b := range filesOf(t, c.Backup.Data, c.Backup.Keys) {
		for _, m := range ana.marks {
			for _, form := range m.forms {
				if bytes.Contains(b, form) {
					t.Errorf("the backup's %s shows %s", filepath.Base(path), m.name)
				}
			}
		}
	}

	// The whole site put back by hand, as it was before.
	all := strings.Join(checked(t, before, cert, keyFile), "; ")
	for _, want := range []string{"the key store holds", "does not name the subject", "is enrolled", fmt.Sprintf("%d passages", len(passages)), "pictures", "1 consents", "the working set holds"} {
		if !strings.Contains(all, want) {
			t.Errorf("of a site in which nothing was erased it does not say %q: %s", want, all)
		}
	}
	// One passage put back.
	back := copyOf(t, c)
	alter(t, back, newer.At.UTC().Format("2006-01")+".db", fmt.Sprintf(`UPDATE passages SET subject = x'%s' WHERE id = x'%s'`, hex.EncodeToString(ana.id[:]), passages[2].ID))
	if findings := checked(t, back, cert, keyFile); len(findings) != 1 || findings[0] != "1 passages have the subject's id" {
		t.Errorf("with one passage put back: %v", findings)
	}
	// And a certificate that somebody improved.
	cert.Certificate.FinalAt = cert.Certificate.ErasedAt
	if err := VerifyErasureProof(cert, keyFile); gatehouse.ErrorCode(err) != "erase.certificate" {
		t.Errorf("another end was accepted: %v", err)
	}
}

// The control of the search for what lies in free pages: without secure_delete it finds
// what was deleted there.
func TestTheThiefReadsFreePages(t *testing.T) {
	c := testConfig(t)
	s := open(t, c)
	enrol(t, s, "B-1", "Ana", nil)
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	marks := []mark{textMark("text", "MARK-FREE-PAGE-77")}
	if th := steal(t, c, marks); len(th.found) != 0 {
		t.Fatal(th.found)
	}
	alterFile(t, c, "db/site.db", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `PRAGMA secure_delete=OFF; CREATE TABLE filler (b TEXT);
			WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20)
			INSERT INTO filler SELECT 'MARK-FREE-PAGE-77' || hex(randomblob(3000)) FROM n; DROP TABLE filler; PRAGMA secure_delete=ON`)
		return err
	})
	if th := steal(t, c, marks); th.found["text"] == 0 || !th.where["db/site.db"] {
		t.Errorf("a mark in a free page is not found: %v", th.found)
	}
}
