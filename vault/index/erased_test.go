package index

import (
	"bytes"
	"encoding/binary"
	"os"
	"testing"

	"gatehouse"

	"lukechampine.com/adiantum"
)

// pages decrypts every block of a file, free pages included.
func pages(t *testing.T, path string, key [32]byte) (plain []byte) {
	t.Helper()
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	}
	must(t, err)
	for at := 0; at+4096 <= len(b); at += 4096 {
		var tweak [8]byte
		binary.LittleEndian.PutUint64(tweak[:], uint64(at))
		plain = append(plain, adiantum.New(key[:]).Decrypt(b[at:at+4096], tweak[:])...)
	}
	return plain
}

// What was removed is in no page of the file and its log, under the key of the file.
func TestRemovedIsInNoPage(t *testing.T) {
	s := &site{index: newIndex(t)}
	path := s.index.db.Path()
	ana := gatehouse.RandomID()
	for i := range 50 {
		s.put(t, passageOf(i, ana, "QQ4711X"), passageOf(1000+i, gatehouse.RandomID(), "WW9999Y"))
	}
	s.put(t, recordOf(ana, Fields{Name: "Quillfeather", Phone: "5550100200"}))
	marks := []string{"quillfeather", "Quillfeather", "QQ4711X", "0020010555"}
	count := func() (n int) {
		plain := append(pages(t, path, [32]byte{1}), pages(t, path+"-wal", [32]byte{1})...)
		if !bytes.Contains(plain, []byte("WW9999Y")) {
			t.Fatal("the decryption shows nothing")
		}
		for _, mark := range marks {
			n += bytes.Count(plain, []byte(mark))
		}
		return n
	}
	if count() == 0 {
		t.Fatal("the marks are not in the file before")
	}
	// A search that looks at the older state keeps it in the log for a while.
	reading, err := s.index.db.Readers().QueryContext(t.Context(), `SELECT doc FROM docs`)
	must(t, err)
	reading.Next()
	_, err = s.index.Remove(t.Context(), []Removal{{Place: place, Subject: ana}})
	must(t, err)
	must(t, reading.Close())
	must(t, s.index.Settle(t.Context()))
	if n := count(); n != 0 {
		t.Errorf("%d marks are left", n)
	}
}
