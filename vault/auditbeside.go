package vault

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"database/sql"
	"errors"
	"strconv"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

// The events whose leaves commit to rows that lie beside the log (docs/audit.md lists
// all tables).
const (
	eventErasing     = "erasing"            // the erasure's id, its place, the operator, the sealed reason's digest
	eventErased      = "erased"             // a certificate, see gatehouse.ErasureCertificate
	bundleRecorded   = "bundle"             // its id, until when (Unix milliseconds)
	backupSignerMade = "backup signer made" // SHA-256 of its public key
)

// besides is what the leaves said of rows beside them.
type besides struct {
	shown        int                           // items of live windows
	erasing      int                           // erasures that were begun
	certificates map[gatehouse.ID]NumberedLeaf // the last of each erasure
	bundles      map[gatehouse.ID]int64        // until when, Unix milliseconds
	backupSigner []byte
}

// liveItems compares what a live window showed later, and what it cost, with its rows.
func (v *verifier) liveItems(ctx context.Context, l NumberedLeaf, parts [][]byte) error {
	bad := func() error {
		v.report.Add("audit.disclosure", "what a live window showed by entry %d is not what the entry commits to", l.Index)
		return nil
	}
	if len(parts) < 4 {
		return bad()
	}
	disclosure, err := gatehouse.ParseID(string(parts[1]))
	units, err2 := strconv.Atoi(string(parts[3]))
	if err != nil || err2 != nil {
		return bad()
	}
	v.beside.shown += len(parts) - 4
	for _, item := range parts[4:] {
		var has int
		err := v.db.QueryRowContext(ctx, `SELECT units FROM live_items WHERE disclosure = ? AND item = ?`, disclosure[:], string(item)).Scan(&has)
		if errors.Is(err, sql.ErrNoRows) || err == nil && has != units {
			return bad()
		}
		if err != nil {
			return sealeddb.Wrap(auditFile, err)
		}
		units = 0 // the first item bears all of it
	}
	return nil
}

// erasure compares an erasure's row with the leaf of its beginning, or its end.
func (v *verifier) erasure(ctx context.Context, l NumberedLeaf, parts [][]byte) error {
	event := ""
	if len(parts) > 1 {
		event = string(parts[0])
	}
	if event != eventErasing && event != eventErased {
		return nil // of the gate's own files
	}
	bad := func() error {
		v.report.Add("audit.erasure", "the erasure of entry %d is not the one that the entry commits to", l.Index)
		return nil
	}
	id, err := gatehouse.ParseID(string(parts[1]))
	if err != nil {
		return bad()
	}
	if event == eventErased { // a hold on a bundle may give it a later end
		v.beside.certificates[id] = l
		return nil
	}
	v.beside.erasing++
	var org, site, operator string
	var reason []byte
	err = v.db.QueryRowContext(ctx, `SELECT org, site, operator, reason FROM erasures WHERE id = ?`, id[:]).Scan(&org, &site, &operator, &reason)
	if errors.Is(err, sql.ErrNoRows) {
		return bad()
	}
	if err != nil {
		return sealeddb.Wrap(auditFile, err)
	}
	if len(parts) != 6 || org != string(parts[2]) || site != string(parts[3]) || operator != string(parts[4]) || len(reason) > 0 && digestOf(reason) != string(parts[5]) {
		return bad()
	}
	return nil
}

// bundle notes until when a key bundle is said to be there; recorded again, the later
// end counts.
func (v *verifier) bundle(l NumberedLeaf, parts [][]byte) {
	id, err := gatehouse.ParseID(string(parts[1]))
	until, err2 := strconv.ParseInt(string(parts[2]), 10, 64)
	if err != nil || err2 != nil {
		v.report.Add("audit.malformed", "entry %d is about no key bundle", l.Index)
		return
	}
	v.beside.bundles[id] = max(v.beside.bundles[id], until)
}

// readBesides looks for rows that no leaf commits to, and compares the bundles: from
// them follows until when an erasure is not final.
func (v *verifier) readBesides(ctx context.Context) error {
	for table, want := range map[string]int{"live_items": v.beside.shown, "erasures": v.beside.erasing} {
		var rows int
		if err := v.db.QueryRowContext(ctx, `SELECT count(*) FROM `+table).Scan(&rows); err != nil {
			return err
		}
		if code := map[string]string{"live_items": "audit.disclosure", "erasures": "audit.erasure"}[table]; rows != want {
			v.report.Add(code, "there are %d rows of %s, and entries about %d", rows, table, want)
		}
	}
	if err := errors.Join(v.readCertificates(ctx), v.readBundles(ctx)); err != nil {
		return err
	}
	return v.readBackupSigner(ctx)
}

func (v *verifier) readCertificates(ctx context.Context) error {
	for id, l := range v.beside.certificates {
		c, leaf, err := certificateOf(ctx, v.db, id)
		switch {
		case gatehouse.ErrorCode(err) == "erase.unknown", err == nil && (!bytes.Equal(c.Leaf(), l.Leaf) || leaf.Int64 != l.Index):
			v.report.Add("audit.erasure", "the certificate of entry %d is not the one that the entry commits to", l.Index)
		case err != nil:
			return err
		}
	}
	return nil
}

func (v *verifier) readBundles(ctx context.Context) error {
	rows, err := v.db.QueryContext(ctx, `SELECT id, expires FROM bundles`)
	if err != nil {
		return err
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		var id []byte
		var expires int64
		if err := rows.Scan(&id, &expires); err != nil {
			return err
		}
		if n++; len(id) != 16 || v.beside.bundles[gatehouse.ID(id)] != expires {
			v.report.Add("audit.bundle", "a key bundle is not there until when its entry says")
		}
	}
	if n != len(v.beside.bundles) {
		v.report.Add("audit.bundle", "there are %d key bundles, and entries about %d", n, len(v.beside.bundles))
	}
	return rows.Err()
}

func (v *verifier) readBackupSigner(ctx context.Context) error {
	var seed []byte
	err := v.db.QueryRowContext(ctx, `SELECT seed FROM backup_signer`).Scan(&seed)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	fits := len(seed) == 0 && v.beside.backupSigner == nil
	if len(seed) == ed25519.SeedSize {
		public, _ := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
		name := sha256.Sum256(public)
		fits = bytes.Equal(name[:], v.beside.backupSigner)
	}
	if !fits {
		v.report.Add("audit.key", "the key that signs backups is not the one that its entry names")
	}
	return nil
}
