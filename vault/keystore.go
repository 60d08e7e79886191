package vault

import (
	"bytes"
	"context"
	"crypto/hpke"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

//go:embed migrations
var migrations embed.FS

// keyStore is the file that holds every chain's row. It lives in the vault process
// and works while the vault is sealed, except that nobody can open a seed then.
type keyStore struct{ db *sealeddb.DB }

// openKeyStore opens or makes the key store of the vault whose public key is given.
// Errors: those of sealeddb.Open; vault.key_changed where it belongs to another key.
func openKeyStore(ctx context.Context, dir string, key [32]byte, public hpke.PublicKey) (*keyStore, error) {
	db, err := openVaultDB(ctx, dir, keyStoreFile, key, "keys")
	if err != nil {
		return nil, err
	}
	k := &keyStore{db: db}
	if err := k.belongsTo(ctx, public); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return k, nil
}

func openVaultDB(ctx context.Context, dir, file string, key [32]byte, schema string) (*sealeddb.DB, error) {
	sub, err := fs.Sub(migrations, "migrations/"+schema)
	if err != nil {
		return nil, err
	}
	return sealeddb.Open(ctx, sealeddb.Options{Path: filepath.Join(dir, file), Key: key, Migrations: sub, Readers: 2, IdleTime: time.Minute})
}

// belongsTo pins the public key at the first start. Whoever can exchange vault.pub
// would otherwise have everything from then on sealed to a key of their own.
func (k *keyStore) belongsTo(ctx context.Context, public hpke.PublicKey) error {
	return k.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		pinned, err := pinnedKeys(ctx, tx)
		if err != nil {
			return err
		}
		if len(pinned) == 0 {
			var first []byte // of a key store that was begun before keys could be rotated
			err := tx.QueryRowContext(ctx, `SELECT public FROM vault`).Scan(&first)
			if errors.Is(err, sql.ErrNoRows) {
				first, err = public.Bytes(), nil
			}
			if err != nil {
				return err
			}
			key, err := kem().NewPublicKey(first)
			if err != nil {
				return err
			}
			if err := pin(ctx, tx, key); err != nil {
				return err
			}
			pinned = map[string][]byte{publicKeyName(key): first}
		}
		if !bytes.Equal(pinned[publicKeyName(public)], public.Bytes()) {
			return gatehouse.Errorf("vault.key_changed", "restore vault.pub and vault.key from their copies; if nobody here exchanged them, somebody else did",
				"the vault's public key is not one that the key store may be used with")
		}
		return nil
	})
}

func pinnedKeys(ctx context.Context, tx *sql.Tx) (map[string][]byte, error) {
	rows, err := tx.QueryContext(ctx, `SELECT name, public FROM public_keys`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	pinned := map[string][]byte{}
	for rows.Next() {
		var name string
		var public []byte
		if err := rows.Scan(&name, &public); err != nil {
			return nil, err
		}
		pinned[name] = public
	}
	return pinned, rows.Err()
}

// pin lets the key store be used with a key, which becomes the one it belongs to.
func pin(ctx context.Context, tx *sql.Tx, key hpke.PublicKey) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO public_keys (name, public, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`,
		publicKeyName(key), key.Bytes(), time.Now().UnixMilli()); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO vault (one, public) VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET public = excluded.public`, key.Bytes())
	return err
}

// append writes rows durably in one transaction. A row that is there already is
// left as it is, so that an append whose answer was lost can be repeated. One of a
// subject that was erased is not written: what is still sealed for it is noise. Errors:
// vault.key_retired for a row that is sealed to a key that is not pinned: what is retired
// can be opened by nobody.
func (k *keyStore) append(ctx context.Context, rows []chainRow) error {
	return k.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		pinned, err := pinnedKeys(ctx, tx)
		if err != nil {
			return err
		}
		insert, err := tx.PrepareContext(ctx, `INSERT INTO chains (org, site, id, kind, subject, class, day, recipient, created, enc, sealed)
			SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11 WHERE NOT EXISTS (
				SELECT 1 FROM removals WHERE org = ?1 AND site = ?2 AND kind = 'subject' AND ?4 = 'subject' AND subject = ?5) ON CONFLICT DO NOTHING`)
		if err != nil {
			return err
		}
		defer insert.Close()
		for i := range rows {
			r := &rows[i]
			if pinned[r.Recipient] == nil {
				return errKeyRetired()
			}
			if _, err := insert.ExecContext(ctx, string(r.Org), string(r.Site), r.ID[:], string(r.Kind), r.Subject[:], string(r.Class), r.Day,
				r.Recipient, r.Created.UnixMilli(), r.Enc, r.Sealed); err != nil {
				return err
			}
		}
		return nil
	})
}

func errKeyRetired() error {
	return gatehouse.Errorf("vault.key_retired", "try again: the vault key was rotated", "a chain is sealed to a key that is not the vault's")
}

// row reads one chain's row; false where it is not there (erased, expired, or of
// another place).
func (k *keyStore) row(ctx context.Context, place gatehouse.Place, id gatehouse.ID) (r chainRow, found bool, err error) {
	r = chainRow{Place: place, ID: id}
	var subject []byte
	var created int64
	err = k.db.Readers().QueryRowContext(ctx, `SELECT kind, subject, class, day, recipient, created, enc, sealed FROM chains WHERE org = ? AND site = ? AND id = ?`,
		string(place.Org), string(place.Site), id[:]).Scan(&r.Kind, &subject, &r.Class, &r.Day, &r.Recipient, &created, &r.Enc, &r.Sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return chainRow{}, false, nil
	}
	if err != nil {
		return chainRow{}, false, sealeddb.Wrap(keyStoreFile, err)
	}
	copy(r.Subject[:], subject)
	r.Created = time.UnixMilli(created).UTC()
	return r, true, nil
}

// noteRemoval is part of every deletion: the search index and restored backups follow
// that list.
const noteRemoval = `INSERT INTO removals (at, org, site, kind, subject, class, day) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`

type execFunc func(statement string, args ...any) error

// delete removes rows for good, from the write-ahead log too, in one transaction, and
// says how many its DELETEs took.
func (k *keyStore) delete(ctx context.Context, f func(execFunc) error) (deleted int, err error) {
	err = k.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		return f(func(statement string, args ...any) error {
			result, err := tx.ExecContext(ctx, statement, args...)
			if err != nil {
				return err
			}
			n, err := result.RowsAffected()
			if strings.HasPrefix(statement, "DELETE") {
				deleted += int(n)
			}
			return err
		})
	})
	if err != nil || deleted == 0 {
		return 0, err
	}
	_, err = k.db.Checkpoint(ctx)
	return deleted, err
}
