package backup

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"gatehouse"
)

// Where objects lie. Data target:
//
//	parts/3f/3fa0…          a part of a database file, named by its SHA-256
//	blobs/3f/3fa0…          a sealed picture, under the name that it has at the site
//	lists/3f/3fa0…          a list of pictures (list.go), named by its SHA-256
//	manifests/TIME-ID.json  last of all: with it the backup exists
//
// Keys target, one folder a bundle:
//
//	TIME-ID/vault.key, vault.pub   the wrapped private key and the public key; only the
//	                               latter where the vault is on another machine
//	TIME-ID/bundle.0000, …         the key bundle, in parts
//	TIME-ID/bundle.json            last of all
const (
	manifestPrefix = "manifests/"
	format         = 1
	stampForm      = "20060102t150405z"
)

func partName(sum Sum) string             { return hashed("parts/", sum.String()) }
func listName(sum Sum) string             { return hashed("lists/", sum.String()) }
func blobName(id gatehouse.BlobID) string { return hashed("blobs/", id.String()) }
func hashed(folder, name string) string   { return folder + name[:2] + "/" + name }
func folderOf(at time.Time, id gatehouse.ID) string {
	return at.UTC().Format(stampForm) + "-" + id.String()
}

// Sum is a SHA-256.
type Sum [32]byte

func (s Sum) String() string               { return hex.EncodeToString(s[:]) }
func (s Sum) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads 64 hexadecimal digits.
func (s *Sum) UnmarshalText(b []byte) error {
	if len(b) != 64 {
		return damaged("a digest in it is malformed")
	}
	_, err := hex.Decode(s[:], b)
	return err
}

// Manifest says what a backup consists of. Of the site it shows its name, and sizes
// and dates of files.
type Manifest struct {
	Format    int              `json:"format"`
	ID        gatehouse.ID     `json:"id"`
	At        time.Time        `json:"at"`
	Org       gatehouse.OrgID  `json:"org"`
	Site      gatehouse.SiteID `json:"site"`
	Previous  *Sum             `json:"previous,omitempty"` // SHA-256 of the manifest before
	Bundle    string           `json:"bundle"`             // its folder at the keys target
	Databases []Database       `json:"databases"`
	Lists     []List           `json:"lists"`
	Log       Log              `json:"audit_log"`
	Erased    Erased           `json:"erasure_list"`
}

// Database is one file, cut into parts of PartSize bytes.
type Database struct {
	Name  string `json:"name"` // db/site.db, db/2026-11.db, vault/audit.db
	Size  int64  `json:"size"`
	Stamp string `json:"stamp,omitempty"`
	Parts []Sum  `json:"parts"`
}

// List is one list of pictures.
type List struct {
	Sum   Sum `json:"sha256"`
	Count int `json:"count"`
}

// Log is the state of the audit log in the backup.
type Log struct {
	Size int64 `json:"size"`
	Root Sum   `json:"root"`
}

// Erased is the erasure list of the time.
type Erased struct {
	Count int `json:"count"`
	Sum   Sum `json:"sha256"`
}

// BundleIndex says what a key bundle consists of.
type BundleIndex struct {
	Format   int            `json:"format"`
	ID       gatehouse.ID   `json:"id"`
	At       time.Time      `json:"at"`
	Expires  time.Time      `json:"expires"`
	Manifest Sum            `json:"manifest"` // of the backup that it belongs to
	Objects  []BundleObject `json:"objects"`
	Erased   Erased         `json:"erasure_list"`
}

// BundleHold keeps a bundle beyond its own end. It lies in the bundle's folder, as
// hold-TIME.json.
type BundleHold struct {
	Format int       `json:"format"`
	Bundle string    `json:"bundle"` // its folder
	Until  time.Time `json:"until"`
}

// BundleObject is one object of a bundle.
type BundleObject struct {
	Name string `json:"name"`
	Size int64  `json:"size"`
	Sum  Sum    `json:"sha256"`
}

// signed is how a manifest or an index stands in its object: the exact bytes that were
// signed, who signed, and the signature.
type signed struct {
	Body      json.RawMessage `json:"body"`
	Signer    []byte          `json:"signer"` // Ed25519
	Signature []byte          `json:"signature"`
}

// sign encodes v and has it signed. The sum is of the encoded v.
func (f *Flow) sign(ctx context.Context, v any) (object []byte, sum Sum, err error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, sum, err
	}
	sum = sha256.Sum256(body)
	public, signature, err := f.Vault.SignBackup(ctx, sum)
	if err != nil {
		return nil, sum, err
	}
	object, err = json.Marshal(signed{Body: body, Signer: public, Signature: signature})
	return object, sum, err
}

// Verify checks an Ed25519 signature over a manifest's or index's digest.
type Verify func(public, digest, signature []byte) bool

// unsign checks the signature and decodes the body into v. Errors: backup.damaged.
func unsign(object []byte, verify Verify, v any) (sum Sum, signer []byte, err error) {
	var s signed
	if err := json.Unmarshal(object, &s); err != nil {
		return sum, nil, damaged("it is no JSON")
	}
	// The exact bytes: what reads alike and was signed by nobody does not pass.
	var compact bytes.Buffer
	if err := json.Compact(&compact, s.Body); err != nil {
		return sum, nil, damaged("it is no JSON")
	}
	sum = sha256.Sum256(compact.Bytes())
	if !verify(s.Signer, sum[:], s.Signature) {
		return sum, nil, damaged("its signature does not fit")
	}
	d := json.NewDecoder(bytes.NewReader(s.Body))
	if err := d.Decode(v); err != nil {
		return sum, nil, damaged("it is of another form")
	}
	return sum, s.Signer, nil
}

func damaged(why string) error {
	return gatehouse.Errorf("backup.damaged", "use another backup; find out who can write to the target", "a backup's manifest is damaged: %s", why)
}

// Found is a manifest at the target.
type Found struct {
	Manifest
	Sum    Sum
	Signer []byte
}

// Manifests reads the manifests at a target, oldest first. Whoever can add to the target
// can add rubbish, which must not stand in the way: what is damaged is a finding, and
// the signers are for the caller to judge. Errors are the target's.
func Manifests(ctx context.Context, target gatehouse.ObjectTarget, verify Verify) (all []Found, bad []Finding, err error) {
	var names []string
	if err := target.List(ctx, manifestPrefix, func(o gatehouse.Object) error { names = append(names, o.Name); return nil }); err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		m, err := readManifest(ctx, target, verify, name)
		switch {
		case isDamage(err):
			bad = append(bad, finding(name, err))
		case err != nil:
			return nil, nil, err
		default:
			all = append(all, m)
		}
	}
	return all, bad, nil
}

// newestManifest is the last one of the signer, nil where there is none; foreign says
// that there are others.
func newestManifest(ctx context.Context, target gatehouse.ObjectTarget, verify Verify, signer []byte) (found *Found, foreign bool, err error) {
	var names []string
	if err := target.List(ctx, manifestPrefix, func(o gatehouse.Object) error { names = append(names, o.Name); return nil }); err != nil {
		return nil, false, err
	}
	for _, name := range slices.Backward(names) {
		m, err := readManifest(ctx, target, verify, name)
		switch {
		case isDamage(err) || err == nil && !bytes.Equal(m.Signer, signer):
			foreign = true
		case err != nil:
			return nil, false, err
		default:
			return &m, foreign, nil
		}
	}
	return nil, foreign, nil
}

// isDamage tells what is wrong with an object from what is wrong with its target.
func isDamage(err error) bool {
	code := gatehouse.ErrorCode(err)
	return code == "backup.damaged" || code == "backup.not_found"
}

func readManifest(ctx context.Context, target gatehouse.ObjectTarget, verify Verify, name string) (Found, error) {
	var m Found
	object, err := target.Get(ctx, name)
	if err != nil {
		return m, err
	}
	if m.Sum, m.Signer, err = unsign(object, verify, &m.Manifest); err != nil {
		return m, err
	}
	switch {
	case m.Format > format:
		return m, gatehouse.Errorf("backup.newer_format", "install that version or a later one", "the backup was written by a newer Gatehouse")
	case name != manifestPrefix+folderOf(m.At, m.ID)+".json":
		return m, damaged("it lies under another backup's name")
	}
	return m, nil
}

// FoundBundle is a key bundle at its target.
type FoundBundle struct {
	BundleIndex
	Folder   string
	Signer   []byte
	DropFrom time.Time // when it may be dropped; Expires is when it is gone
}

// KeyBundles reads the indexes of the bundles at a target, oldest first, as Manifests
// does. What lacks an index was never finished and does not count.
func KeyBundles(ctx context.Context, target gatehouse.ObjectTarget, verify Verify) (all []FoundBundle, bad []Finding, err error) {
	var folders []string
	holds := map[string][]string{}
	err = target.List(ctx, "", func(o gatehouse.Object) error {
		folder, name, _ := strings.Cut(o.Name, "/")
		switch {
		case name == "bundle.json":
			folders = append(folders, folder)
		case strings.HasPrefix(name, holdPrefix):
			holds[folder] = append(holds[folder], o.Name)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	slices.Sort(folders)
	for _, folder := range folders {
		b := FoundBundle{Folder: folder}
		object, err := target.Get(ctx, folder+"/bundle.json")
		if err == nil {
			_, b.Signer, err = unsign(object, verify, &b.BundleIndex)
		}
		if err == nil && folder != folderOf(b.At, b.ID) {
			err = damaged("a key bundle lies under another's name")
		}
		b.DropFrom = b.Expires.Add(-DropMargin)
		if err == nil {
			err = b.takeHolds(ctx, target, verify, holds[folder], &bad)
		}
		switch {
		case isDamage(err):
			bad = append(bad, finding(folder, err))
		case err != nil:
			return nil, nil, err
		default:
			all = append(all, b)
		}
	}
	return all, bad, nil
}

const holdPrefix = "hold-"

// takeHolds gives a bundle the latest end that its own signer has given it.
func (b *FoundBundle) takeHolds(ctx context.Context, target gatehouse.ObjectTarget, verify Verify, names []string, bad *[]Finding) error {
	for _, name := range names {
		var h BundleHold
		object, err := target.Get(ctx, name)
		var signer []byte
		if err == nil {
			_, signer, err = unsign(object, verify, &h)
		}
		if err == nil && (h.Bundle != b.Folder || !bytes.Equal(signer, b.Signer)) {
			err = damaged("a hold is another bundle's, or somebody else signed it")
		}
		switch {
		case isDamage(err):
			*bad = append(*bad, finding(name, err))
		case err != nil:
			return err
		case h.Until.After(b.Expires):
			b.Expires, b.DropFrom = h.Until, h.Until
		}
	}
	return nil
}

const (
	privateName = "vault.key"
	publicName  = "vault.pub"
)

const bundlePartPrefix = "bundle."

func bundlePartName(n int) string { return fmt.Sprintf(bundlePartPrefix+"%04d", n) }
