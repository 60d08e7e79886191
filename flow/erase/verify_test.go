package erase

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"gatehouse"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// smallLog is a signed Merkle log in memory.
type smallLog struct {
	signer note.Signer
	key    string
	leaves [][]byte
	hashes []tlog.Hash
}

func newLog(t *testing.T) *smallLog {
	t.Helper()
	private, public, err := note.GenerateKey(rand.Reader, "gatehouse/acme/north/1")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(private)
	if err != nil {
		t.Fatal(err)
	}
	return &smallLog{signer: signer, key: public}
}

func (l *smallLog) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range indexes {
		out = append(out, l.hashes[i])
	}
	return out, nil
}

func (l *smallLog) add(t *testing.T, leaf []byte) int64 {
	t.Helper()
	n := int64(len(l.leaves))
	hashes, err := tlog.StoredHashes(n, leaf, l)
	if err != nil {
		t.Fatal(err)
	}
	l.leaves, l.hashes = append(l.leaves, leaf), append(l.hashes, hashes...)
	return n
}

func (l *smallLog) prove(t *testing.T, index int64) proof {
	t.Helper()
	size := int64(len(l.leaves))
	root, err := tlog.TreeHash(size, l)
	if err != nil {
		t.Fatal(err)
	}
	path, err := tlog.ProveRecord(size, index, l)
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("gatehouse/acme/north/1\n%d\n%s\ntime 1\n", size, base64.StdEncoding.EncodeToString(root[:]))
	signed, err := note.Sign(&note.Note{Text: text}, l.signer)
	if err != nil {
		t.Fatal(err)
	}
	p := proof{Leaf: l.leaves[index], Index: index, Size: size, Checkpoint: string(signed)}
	for i := range path {
		p.Hashes = append(p.Hashes, path[i][:])
	}
	return p
}

func encode(t *testing.T, p proof) json.RawMessage {
	t.Helper()
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A certificate holds as it was given, and not when anything in it, in its proof or in
// the checkpoint was changed.
func TestVerifyProof(t *testing.T) {
	log := newLog(t)
	at := time.Date(2026, 11, 23, 9, 0, 0, 5e6, time.UTC)
	good := Document{Certificate: gatehouse.ErasureCertificate{ID: gatehouse.RandomID(), Org: "acme", Site: "north", Subject: gatehouse.RandomID(),
		ErasedAt: at, Chains: 3, Passages: 70, FinalAt: at.AddDate(0, 0, 30)}}
	for i := range 21 {
		if i == 12 {
			good.Leaf = log.add(t, good.Certificate.Leaf())
		} else {
			log.add(t, []byte(fmt.Sprint("leaf ", i)))
		}
	}
	p := log.prove(t, good.Leaf)
	good.Proof = encode(t, p)
	if err := good.VerifyProof(newLog(t).key + "\n" + log.key + "\n"); err != nil {
		t.Fatal(err)
	}
	// Through a file and back.
	b, err := json.Marshal(good)
	if err != nil {
		t.Fatal(err)
	}
	var read Document
	if err := json.Unmarshal(b, &read); err != nil || read.VerifyProof(log.key) != nil {
		t.Fatal("it does not hold after it was written and read", err)
	}
	for name, change := range map[string]func(d *Document, p *proof){
		"another subject": func(d *Document, _ *proof) { d.Certificate.Subject[3] ^= 1 },
		"another id":      func(d *Document, _ *proof) { d.Certificate.ID[0] ^= 1 },
		"another site":    func(d *Document, _ *proof) { d.Certificate.Site = "south" },
		"sooner final":    func(d *Document, _ *proof) { d.Certificate.FinalAt = at },
		"another time":    func(d *Document, _ *proof) { d.Certificate.ErasedAt = at.Add(time.Second) },
		"more chains":     func(d *Document, _ *proof) { d.Certificate.Chains++ },
		"more passages":   func(d *Document, _ *proof) { d.Certificate.Passages++ },
		"another number":  func(d *Document, _ *proof) { d.Leaf++ },
		"another leaf":    func(d *Document, p *proof) { *p = log.prove(t, 3); d.Leaf = 3 },
		"a hash":          func(_ *Document, p *proof) { p.Hashes[1][0] ^= 1 },
		"a short hash":    func(_ *Document, p *proof) { p.Hashes[1] = p.Hashes[1][:31] },
		"no hashes":       func(_ *Document, p *proof) { p.Hashes = nil },
		"too many hashes": func(_ *Document, p *proof) { p.Hashes = make([][]byte, 1000) },
		"another size":    func(_ *Document, p *proof) { p.Size-- },
		"below zero":      func(d *Document, p *proof) { p.Index, d.Leaf = -1, -1 },
		"no checkpoint":   func(_ *Document, p *proof) { p.Checkpoint = "" },
		"checkpoint's root": func(_ *Document, p *proof) {
			lines := strings.SplitN(p.Checkpoint, "\n", 4)
			lines[2] = base64.StdEncoding.EncodeToString(make([]byte, 32))
			p.Checkpoint = strings.Join(lines, "\n")
		},
		"another log's signature": func(_ *Document, p *proof) {
			other := *log
			other.signer = newLog(t).signer
			*p = other.prove(t, good.Leaf)
		},
	} {
		d := good
		changed := log.prove(t, good.Leaf)
		change(&d, &changed)
		d.Proof = encode(t, changed)
		if err := d.VerifyProof(log.key); gatehouse.ErrorCode(err) != "erase.certificate" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, raw := range map[string]string{"none": "", "no JSON": "{", "a list": "[1]"} {
		d := good
		d.Proof = json.RawMessage(raw)
		if err := d.VerifyProof(log.key); gatehouse.ErrorCode(err) != "erase.certificate" {
			t.Errorf("a proof that is %s: %v", name, err)
		}
	}
	for _, key := range []string{"", "rubbish"} {
		if err := good.VerifyProof(key); gatehouse.ErrorCode(err) != "erase.certificate" {
			t.Errorf("with the key %q: %v", key, err)
		}
	}
}

// copied is a copy that holds what a test says.
type copied struct {
	traces gatehouse.SubjectTraces
	keys   gatehouse.Erasable
}

func (c copied) Erasable(context.Context, gatehouse.Place, gatehouse.SubjectID) (gatehouse.Erasable, error) {
	return c.keys, nil
}
func (c copied) SubjectTraces(context.Context, gatehouse.Place, gatehouse.SubjectID) (gatehouse.SubjectTraces, error) {
	return c.traces, nil
}
func (copied) SubjectBlobs(context.Context, gatehouse.Place, gatehouse.SubjectID, func(gatehouse.BlobID) error) error {
	return nil
}
func (copied) Consents(context.Context, gatehouse.Place, gatehouse.SubjectID) ([]gatehouse.Consent, error) {
	return nil, nil
}
func (copied) Working(context.Context, func(gatehouse.WorkingItem) error) error { return nil }

// Whatever metadata still has of a subject is found, one finding for each sort of it: a new sort
// of trace that is not looked at fails here.
func TestEveryTraceIsFound(t *testing.T) {
	find := func(traces gatehouse.SubjectTraces) []string {
		c := copied{traces, gatehouse.Erasable{Erased: true}}
		found, err := Document{}.Findings(t.Context(), Copy{Store: c, Vault: c})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if found := find(gatehouse.SubjectTraces{}); len(found) > 0 {
		t.Errorf("nothing is left, and found was %q", found)
	}
	for i := range reflect.TypeFor[gatehouse.SubjectTraces]().NumField() {
		var traces gatehouse.SubjectTraces
		v, name := reflect.ValueOf(&traces).Elem().Field(i), reflect.TypeFor[gatehouse.SubjectTraces]().Field(i).Name
		switch v.Kind() {
		case reflect.Bool:
			v.SetBool(true)
		case reflect.Int:
			v.SetInt(3)
		default:
			continue // a time of the passages
		}
		if found := find(traces); len(found) != 1 {
			t.Errorf("%s: found %q", name, found)
		}
	}
}
