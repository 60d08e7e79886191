package fault_test

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"gatehouse"
	"gatehouse/vault"

	cipher "lukechampine.com/adiantum"
)

// forms are how a planted value may lie in a file.
func forms(mark string) map[string][]byte {
	out := map[string][]byte{}
	for kind, text := range map[string]string{"": mark, "lower case ": strings.ToLower(mark), "upper case ": strings.ToUpper(mark)} {
		little, big := []byte{}, []byte{}
		for _, u := range utf16.Encode([]rune(text)) {
			little, big = binary.LittleEndian.AppendUint16(little, u), binary.BigEndian.AppendUint16(big, u)
		}
		plain := []byte(text)
		out[kind+"UTF-8"], out[kind+"UTF-16LE"], out[kind+"UTF-16BE"] = plain, little, big
		out[kind+"hex"], out[kind+"HEX"] = []byte(hex.EncodeToString(plain)), []byte(strings.ToUpper(hex.EncodeToString(plain)))
		for shift := range 3 { // where it may stand in its group of three
			// The first and the last group depend on what stands beside it.
			padded := append(make([]byte, shift), plain...)
			whole := len(padded) / 3 * 4
			from := (shift + 2) / 3 * 4
			if whole-from < 8 {
				continue
			}
			out[kind+"base64"+string(rune('0'+shift))] = []byte(base64.StdEncoding.EncodeToString(padded)[from:whole])
		}
	}
	return out
}

// plants are all that must not be found, by what it is.
func plants() map[string][]byte {
	all := map[string][]byte{"a photo": []byte("\xff\xd8\xff\xe0\x00\x10JFIF")}
	for what, mark := range map[string]string{"name": markName, "ID number": markID, "phone": markPhone, "plate": markPlate, "card": markCard} {
		for form, b := range forms(mark) {
			all[what+" as "+form] = b
		}
	}
	return all
}

// findPlaintext looks through every file below the directories.
func findPlaintext(dirs ...string) (found []string, bytesRead int64, err error) {
	wanted := plants()
	for _, dir := range dirs {
		err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			bytesRead += int64(len(b))
			for what, w := range wanted {
				if bytes.Contains(b, w) {
					found = append(found, what+" in "+path)
				}
			}
			return nil
		})
		if err != nil {
			return found, bytesRead, err
		}
	}
	return found, bytesRead, nil
}

// The search's control: what it must find, it finds.
func TestTheSearchFindsPlaintext(t *testing.T) {
	for what, b := range plants() {
		dir := t.TempDir()
		content := append(append([]byte("some noise before "), b...), " and behind"...)
		if err := os.WriteFile(filepath.Join(dir, "file"), content, 0o600); err != nil {
			t.Fatal(err)
		}
		if found, _, err := findPlaintext(dir); err != nil || len(found) == 0 {
			t.Errorf("%s is not found: %v", what, err)
		}
	}
	p := newPerson(12345, false)
	for shift := range 3 {
		dir := t.TempDir()
		text := base64.StdEncoding.EncodeToString([]byte("abc"[:shift] + p.IDNumber + " " + p.Name))
		if err := os.WriteFile(filepath.Join(dir, "file"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if found, _, err := findPlaintext(dir); err != nil || len(found) < 2 {
			t.Errorf("in base64, moved by %d: found %v, %v", shift, found, err)
		}
	}
}

// ids finds subjects' ids, as bytes and as text, in one pass.
type ids struct {
	filter []uint64 // of three bytes
	whole  map[string]gatehouse.SubjectID
}

func newIDs(all []gatehouse.SubjectID) *ids {
	f := &ids{filter: make([]uint64, 1<<24/64), whole: map[string]gatehouse.SubjectID{}}
	for _, id := range all {
		for _, b := range []string{string(id[:]), id.String()[:16], strings.ToUpper(id.String())[:16]} {
			f.whole[b] = id
			n := int(b[0])<<16 | int(b[1])<<8 | int(b[2])
			f.filter[n/64] |= 1 << (n % 64)
		}
	}
	return f
}

func (f *ids) scan(b []byte, hit func(gatehouse.SubjectID)) {
	for i := 0; i+16 <= len(b); i++ {
		n := int(b[i])<<16 | int(b[i+1])<<8 | int(b[i+2])
		if f.filter[n/64]>>(n%64)&1 == 0 {
			continue
		}
		if id, ok := f.whole[string(b[i:i+16])]; ok {
			hit(id)
		}
	}
}

// eachDecrypted gives every file of the data directory as its thief with the gate key
// and all file keys sees it: databases decrypted, every page whether used or free.
func (k *killing) eachDecrypted(t *testing.T, f func(path string, b []byte)) {
	t.Helper()
	gate, err := vault.OpenGateKey(k.config.Data, k.config.GateKey)
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(k.config.Data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if db, log := strings.CutSuffix(path, "-wal"); (log || strings.HasSuffix(path, ".db")) && !strings.HasPrefix(filepath.Base(path), "index.db") { // whose key only the unsealed vault has
			key, err := gate.FileKey(db)
			if err != nil {
				return err
			}
			block := cipher.New(key[:])
			for at := 0; at+4096 <= len(b); at += 4096 {
				block.Decrypt(b[at:at+4096], binary.LittleEndian.AppendUint64(nil, uint64(at)))
			}
		}
		f(path, b)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// checkFiles looks for plaintext in all that lies anywhere, for the ids of those who were
// erased in the decrypted databases, and for what a killed verb left behind.
func (k *killing) checkFiles(t *testing.T) {
	t.Helper()
	found, read, err := findPlaintext(k.base)
	if err != nil {
		t.Fatal(err)
	}
	k.read += read
	for _, f := range found {
		t.Errorf("plaintext: %s", f)
	}
	var erased, here []gatehouse.SubjectID
	for _, p := range k.ledger.in(gone) {
		erased = append(erased, p.ID)
	}
	for _, p := range k.ledger.in(enrolled) {
		here = append(here, p.ID)
	}
	nobody, control := newIDs(erased), newIDs(here)
	there := map[gatehouse.SubjectID]bool{}
	k.eachDecrypted(t, func(path string, b []byte) {
		name := filepath.Base(path)
		if strings.HasPrefix(name, "audit.db") {
			return // says that somebody was erased
		}
		count := map[gatehouse.SubjectID]int{}
		nobody.scan(b, func(id gatehouse.SubjectID) { count[id]++ })
		for id, n := range count {
			if strings.HasPrefix(name, "keys.db") && n <= 2 {
				continue // its row of the list of removals, and that row's index
			}
			t.Errorf("the id %s of somebody who was erased stands %d times in %s", id, n, path)
		}
		control.scan(b, func(id gatehouse.SubjectID) { there[id] = true })
	})
	if len(there) < len(here) {
		t.Errorf("only %d ids of %d who are here were found: the search says nothing", len(there), len(here))
	}
	for _, pattern := range []string{"*/*-rewrite*", "*/.new-*", ".new-*", "*/.tmp-*", "blobs/*/.tmp-*", "*/*.tmp"} {
		left, err := filepath.Glob(filepath.Join(k.config.Data, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range left {
			t.Errorf("left behind: %s", path)
		}
	}
}
