package vault

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

// loot is what a thief can read: windows of eight bytes of every file, and of every
// value in the databases whose keys they have.
type loot struct {
	windows map[uint64]struct{}
	text    strings.Builder
}

func (l *loot) take(b []byte) {
	for i := 0; i+8 <= len(b); i++ {
		l.windows[binary.BigEndian.Uint64(b[i:])] = struct{}{}
	}
	l.text.Write(b)
	l.text.WriteByte(0)
}

// holds reports whether a digest's first eight bytes stand anywhere, as bytes or in
// hexadecimal.
func (l *loot) holds(digest []byte) bool {
	_, raw := l.windows[binary.BigEndian.Uint64(digest)]
	text := []byte(hex.EncodeToString(digest[:8]))
	_, first := l.windows[binary.BigEndian.Uint64(text)]
	_, second := l.windows[binary.BigEndian.Uint64(text[8:])]
	return raw || first && second
}

// tries are how somebody would store a value to find it again: plain hashes, and
// hashes under every key that a thief of the gate key has.
func tries(value string, keys [][]byte) [][]byte {
	plain := sha256.Sum256([]byte(value))
	all := [][]byte{plain[:]}
	for _, key := range keys {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(value))
		all = append(all, mac.Sum(nil))
	}
	return all
}

// TestIndexIsWorthNothingToAThief copies the data directory and the gate key of a site
// whose archive was searched, and tries every phone number and plate of a region.
func TestIndexIsWorthNothingToAThief(t *testing.T) {
	f := newFeeder(t)
	r := rand.New(rand.NewPCG(3, 4))
	var subjects []gatehouse.Subject
	var passages []gatehouse.StoredPassage
	for i := range 20 {
		s := f.person(t, gatehouse.PersonRecord{Name: "Quillfeather", Phone: fmt.Sprintf("138001%05d", r.IntN(100_000)), NationalID: fmt.Sprintf("ID4711%02d", i)})
		subjects = append(subjects, s)
		passages = append(passages, f.passage(t, s.ID, fmt.Sprintf("沪A%04d", r.IntN(10_000))))
	}
	f.index(t, subjects, passages...)
	if len(f.search(t, gatehouse.SearchQuery{Name: "quillfeather"})) != 40 || len(f.search(t, gatehouse.SearchQuery{Plate: "沪A", PlateMatch: gatehouse.PlatePrefix})) != 20 {
		t.Fatal("the index does not hold what is looked for")
	}
	must(t, f.vault.Close())

	got := loot{windows: map[uint64]struct{}{}}
	keys := [][]byte{f.gate.key[:]}
	must(t, filepath.WalkDir(f.data, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		got.take(b)
		return err
	}))
	for _, name := range databases {
		key, err := f.gate.FileKey(filepath.Join(f.options.Dir, name))
		must(t, err)
		keys = append(keys, key[:])
		dump(t, filepath.Join(f.options.Dir, name), key, strings.TrimSuffix(name, ".db"), &got)
	}

	// No key that the thief has opens the index, and the gate has none for it.
	_, err := f.gate.FileKey(filepath.Join(f.options.Dir, indexFile))
	wantCode(t, err, "filekey.missing")
	for _, key := range keys {
		_, err := sealeddb.Open(t.Context(), sealeddb.Options{Path: filepath.Join(f.options.Dir, indexFile), Key: [32]byte(key), Migrations: os.DirFS("index/migrations"), MustExist: true})
		wantCode(t, err, "store.key")
	}
	for _, mark := range []string{"uillfeather", "UILLFEATHER", "13800", "沪A", "ID4711"} {
		if strings.Contains(got.text.String(), mark) {
			t.Errorf("%q can be read", mark)
		}
	}
	if !strings.Contains(got.text.String(), "search/name") {
		t.Error("the dump does not show the disclosures: it would show nothing")
	}
	hits, tried := 0, 0
	for i := range 100_000 {
		for _, digest := range tries(fmt.Sprintf("138001%05d", i), keys) {
			if tried++; got.holds(digest) {
				hits++
			}
		}
	}
	for i := range 10_000 {
		for _, digest := range tries(fmt.Sprintf("沪A%04d", i), keys) {
			if tried++; got.holds(digest) {
				hits++
			}
		}
	}
	// The files hold other things in hexadecimal (10,000 windows of it meet four bytes of
	// some of the tries by chance), but not twice four bytes.
	if hits > 0 {
		t.Errorf("%d of %d digests are in the loot", hits, tried)
	}
	control := loot{windows: map[uint64]struct{}{}}
	control.take(tries("13800100042", keys)[1])
	control.take([]byte(hex.EncodeToString(tries("13800100043", keys)[0])))
	found := 0
	for i := range 100 {
		for _, digest := range tries(fmt.Sprintf("138001%05d", i), keys) {
			if control.holds(digest) {
				found++
			}
		}
	}
	if found != 2 {
		t.Errorf("an index of two hashes was met %d times: the search is blind", found)
	}
	t.Logf("%d digests tried against %d windows", tried, len(got.windows))
}

// dump takes every value of a database.
func dump(t *testing.T, path string, key [32]byte, schema string, into *loot) {
	t.Helper()
	db, err := sealeddb.Open(t.Context(), sealeddb.Options{Path: path, Key: key, Migrations: os.DirFS("migrations/" + schema), MustExist: true})
	must(t, err)
	defer db.Close()
	var names []string
	each := func(query string, f func(values []any)) {
		rows, err := db.Readers().QueryContext(t.Context(), query)
		must(t, err)
		defer rows.Close()
		columns, err := rows.Columns()
		must(t, err)
		for rows.Next() {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			must(t, rows.Scan(into...))
			f(values)
		}
		must(t, rows.Err())
	}
	each(`SELECT name FROM sqlite_schema WHERE type = 'table'`, func(v []any) { names = append(names, fmt.Sprint(v[0])) })
	for _, name := range names {
		each(`SELECT * FROM "`+name+`"`, func(values []any) {
			for _, v := range values {
				switch v := v.(type) {
				case []byte:
					into.take(v)
				case string:
					into.take([]byte(v))
				}
			}
		})
	}
}
