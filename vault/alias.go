package vault

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

// The audit log is for ever, so what it says of a disclosure must not link an erased
// subject to what it was shown with. It names subjects by an alias: a hash of the id that
// is salted with random bytes of the key store, one salt a subject. While the subject is
// there, who looked at its data can be told; erasing deletes the salt.

// labelAlias begins what an alias is the hash of.
const labelAlias = "gatehouse/alias/v1"

// forgetAlias goes with an erased subject.
const forgetAlias = `DELETE FROM aliases WHERE org = ? AND site = ? AND subject = ?`

func aliasOf(salt []byte, place gatehouse.Place, subject gatehouse.SubjectID) gatehouse.ID {
	sum := sha256.Sum256(bind([]byte(labelAlias), salt, []byte(place.Org), []byte(place.Site), subject[:]))
	return gatehouse.ID(sum[:16])
}

// alias is the subject's, which is made and durable where there was none. An erased
// subject gets another one each time, that nothing remembers.
func (k *keyStore) alias(ctx context.Context, place gatehouse.Place, subject gatehouse.SubjectID) (gatehouse.ID, error) {
	const read = `SELECT salt FROM aliases WHERE org = ? AND site = ? AND subject = ?`
	var salt []byte
	err := k.db.Readers().QueryRowContext(ctx, read, string(place.Org), string(place.Site), subject[:]).Scan(&salt)
	if errors.Is(err, sql.ErrNoRows) {
		var fresh [16]byte
		random(fresh[:])
		made := aliasOf(fresh[:], place, subject)
		err = k.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `INSERT INTO aliases (org, site, subject, salt, alias) SELECT ?1, ?2, ?3, ?4, ?5
				WHERE NOT EXISTS (SELECT 1 FROM removals WHERE org = ?1 AND site = ?2 AND kind = 'subject' AND subject = ?3) ON CONFLICT DO NOTHING`,
				string(place.Org), string(place.Site), subject[:], fresh[:], made[:])
			if err != nil {
				return err
			}
			err = tx.QueryRowContext(ctx, read, string(place.Org), string(place.Site), subject[:]).Scan(&salt)
			if errors.Is(err, sql.ErrNoRows) {
				salt, err = fresh[:], nil
			}
			return err
		})
	}
	if err != nil {
		return gatehouse.ID{}, sealeddb.Wrap(keyStoreFile, err)
	}
	return aliasOf(salt, place, subject), nil
}

// subjectOf is whose the alias is; false for an id that is none, and where the subject
// was erased. A row that was given another subject gives nobody.
func (k *keyStore) subjectOf(ctx context.Context, place gatehouse.Place, alias gatehouse.ID) (subject gatehouse.SubjectID, found bool, err error) {
	var id, salt []byte
	err = k.db.Readers().QueryRowContext(ctx, `SELECT subject, salt FROM aliases WHERE org = ? AND site = ? AND alias = ?`, string(place.Org), string(place.Site), alias[:]).Scan(&id, &salt)
	if errors.Is(err, sql.ErrNoRows) {
		return subject, false, nil
	}
	if err != nil {
		return subject, false, sealeddb.Wrap(keyStoreFile, err)
	}
	copy(subject[:], id)
	return subject, aliasOf(salt, place, subject) == alias, nil
}

// subjectPart is which part of an item's name, between slashes, is a subject's id; -1
// for none. The row of a record is its subject, and the field of an escrow item.
func subjectPart(parts []string) int {
	switch {
	case len(parts) == 3 && parts[0] == "subjects":
		return 1
	case len(parts) == 4 && parts[0]+"/" == gatehouse.EscrowTable:
		return 3
	}
	return -1
}

// renamed gives items with each subject's id in their names replaced by what to says.
func renamed(items []string, to func(gatehouse.ID) (gatehouse.ID, error)) ([]string, error) {
	out := slices.Clone(items)
	known := map[gatehouse.ID]gatehouse.ID{}
	for i, name := range items {
		parts := strings.Split(name, "/")
		at := subjectPart(parts)
		if at < 0 {
			continue
		}
		id, err := gatehouse.ParseID(parts[at])
		if err != nil {
			continue
		}
		other, ok := known[id]
		if !ok {
			if other, err = to(id); err != nil {
				return nil, err
			}
			known[id] = other
		}
		parts[at] = other.String()
		out[i] = strings.Join(parts, "/")
	}
	return out, nil
}

// aliased is what the log says of items.
func (a *auditDB) aliased(ctx context.Context, items []string) ([]string, error) {
	r := a.reasons
	return renamed(items, func(id gatehouse.ID) (gatehouse.ID, error) { return r.keys.alias(ctx, r.place, id) })
}

// unaliased puts the subjects that are there back into what a listing says.
func (a *auditDB) unaliased(ctx context.Context, list []gatehouse.Disclosure) (err error) {
	r := a.reasons
	for i := range list {
		list[i].Items, err = renamed(list[i].Items, func(alias gatehouse.ID) (gatehouse.ID, error) {
			subject, found, err := r.keys.subjectOf(ctx, r.place, alias)
			if !found {
				return alias, err
			}
			return subject, err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
