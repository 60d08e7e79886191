package vault

import (
	"context"
	"crypto/hpke"
	"database/sql"
	"encoding/binary"
	"errors"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

// holdChain is the kind under which a hold's key is sealed, as a chain's seed is.
const holdChain chainKind = "hold"

// heldHold is a hold with its key, sealed.
type heldHold struct {
	gatehouse.Hold
	recipient   string // the public key that its key is sealed to
	enc, sealed []byte
}

// keyRow is the hold's key in the form of a chain's row: sealed to the vault key that
// recipient names, bound to the hold's place, id and subject or day.
func keyRow(h gatehouse.Hold, recipient string) *chainRow {
	return &chainRow{Place: h.Place, ID: h.ID, Kind: holdChain, Subject: h.Subject, Day: h.Day, Recipient: recipient}
}

func newHoldKey(h gatehouse.Hold, public hpke.PublicKey) (*chainRow, error) {
	var key [32]byte
	random(key[:])
	defer clear(key[:])
	row := keyRow(h, publicKeyName(public))
	if err := row.sealSeed(public, key[:]); err != nil {
		return nil, gatehouse.Errorf("vault.failed", "try again", "the hold's key cannot be sealed: %w", err)
	}
	return row, nil
}

func (h *heldHold) openKey(private privateKeys) (key [32]byte, err error) {
	row := keyRow(h.Hold, h.recipient)
	row.Enc, row.Sealed = h.enc, h.sealed
	seed, err := row.openSeed(private)
	if err != nil || len(seed) != len(key) {
		return key, gatehouse.Errorf("vault.key_changed", "unseal with the key that the hold was made under", "the hold's key does not open")
	}
	copy(key[:], seed)
	clear(seed)
	return key, nil
}

// heldSecret is one position of a day chain and its item secret.
type heldSecret struct {
	link
	secret [32]byte
}

// heldSecrets derives the secrets of the day chains' positions, of those items that
// belong to the held subject.
func (s *service) heldSecrets(ctx context.Context, h *heldHold, private privateKeys, links []byte) ([]heldSecret, error) {
	owners := map[gatehouse.ID]bool{}
	walks := map[gatehouse.ID][]wanted{}
	var found []*heldSecret
	var ok []*bool
	for ; len(links) > 0; links = links[2*linkSize:] {
		owner := gatehouse.ID(links[:16])
		its, seen := owners[owner]
		if !seen {
			row, there, err := s.keys.row(ctx, h.Place, owner)
			if err != nil {
				return nil, err
			}
			its = there && row.Kind == subjectChain && row.Subject == h.Subject
			owners[owner] = its
		}
		if !its {
			continue
		}
		day := links[linkSize:]
		one := &heldSecret{link: link{chain: gatehouse.ID(day[:16]), position: binary.BigEndian.Uint16(day[16:])}}
		good := new(bool)
		found, ok = append(found, one), append(ok, good)
		walks[one.chain] = append(walks[one.chain], wanted{one.position, &one.secret, good})
	}
	for id, list := range walks {
		row, there, err := s.keys.row(ctx, h.Place, id)
		if err != nil {
			return nil, err
		}
		if there && row.Kind == dayChain {
			walk(&row, private, list)
		}
	}
	var secrets []heldSecret
	for i, one := range found {
		if *ok[i] {
			secrets = append(secrets, *one)
		}
		clear(one.secret[:])
	}
	return secrets, nil
}

// heldAAD binds a held secret to its hold and its place.
func heldAAD(place gatehouse.Place, hold gatehouse.ID, l link) []byte {
	return bind([]byte(labelHeld), []byte(place.Org), []byte(place.Site), hold[:], l.chain[:], binary.BigEndian.AppendUint16(nil, l.position))
}

const labelHeld = "gatehouse/hold/v1" // a hold's key -> an item's secret; begins its AAD

func (k *keyStore) addHold(ctx context.Context, h gatehouse.Hold, reason []byte, key *chainRow) error {
	return k.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO holds (id, org, site, subject, day, operator, reason, made, until, lifted, recipient, enc, sealed)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?) ON CONFLICT DO NOTHING`, h.ID[:], string(h.Org), string(h.Site), h.Subject[:], h.Day, h.Operator, reason,
			h.Made.UnixMilli(), h.Until.UnixMilli(), key.Recipient, key.Enc, key.Sealed)
		return err
	})
}

func (k *keyStore) addHeldItems(ctx context.Context, h *heldHold, key [32]byte, secrets []heldSecret) (items int, err error) {
	aead := newAEAD(key[:])
	err = k.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		for i := range secrets {
			one := &secrets[i]
			sealed := make([]byte, nonceSize, nonceSize+len(one.secret)+tagSize)
			random(sealed)
			sealed = aead.Seal(sealed, sealed[:nonceSize], one.secret[:], heldAAD(h.Place, h.ID, one.link))
			clear(one.secret[:])
			if _, err := tx.ExecContext(ctx, `INSERT INTO held_items (org, site, chain, position, hold, sealed) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
				string(h.Org), string(h.Site), one.chain[:], one.position, h.ID[:], sealed); err != nil {
				return err
			}
		}
		return tx.QueryRowContext(ctx, `SELECT count(*) FROM held_items WHERE hold = ?`, h.ID[:]).Scan(&items)
	})
	return items, err
}

// expireDay deletes a day's rows. Those of a day that is held are kept with the hold.
func (k *keyStore) expireDay(ctx context.Context, place gatehouse.Place, class gatehouse.RetentionClass, day string, now time.Time) (int, error) {
	return k.delete(ctx, func(exec execFunc) error {
		return k.remove(exec, gatehouse.Removal{Place: place, At: now, Class: class, Day: day})
	})
}

// remove is one entry of the erasure list, and the deletion that it stands for. What a
// hold keeps of a day stays with the hold.
func (k *keyStore) remove(exec execFunc, r gatehouse.Removal) error {
	org, site, at := string(r.Org), string(r.Site), r.At.UnixMilli()
	if r.Templates() {
		return forgetTemplates(exec, r)
	}
	if r.Erasure() {
		if err := exec(noteRemoval, at, org, site, string(subjectChain), r.Subject[:], "", ""); err != nil {
			return err
		}
		errs := []error{exec(`DELETE FROM chains WHERE kind = 'subject' AND org = ? AND site = ? AND subject = ?`, org, site, r.Subject[:]),
			exec(forgetAlias, org, site, r.Subject[:])}
		for _, forget := range forgetHolds {
			errs = append(errs, exec(forget, org, site, r.Subject[:]))
		}
		return errors.Join(errs...)
	}
	if err := exec(noteRemoval, at, org, site, string(dayChain), []byte{}, string(r.Class), r.Day); err != nil {
		return err
	}
	if err := exec(keepForHold, org, site, string(r.Class), r.Day, time.Now().UnixMilli()); err != nil {
		return err
	}
	return exec(`DELETE FROM chains WHERE kind = 'day' AND org = ? AND site = ? AND class = ? AND day = ?`, org, site, string(r.Class), r.Day)
}

// forgetHolds is what goes with an erased subject: the holds that it was under name it,
// and have ended. The audit log goes on saying that there were any.
var forgetHolds = []string{
	`DELETE FROM held_items WHERE hold IN (SELECT id FROM holds WHERE org = ? AND site = ? AND subject = ?)`,
	`DELETE FROM holds WHERE org = ? AND site = ? AND subject = ?`,
}

const keepForHold = `INSERT INTO held_chains (org, site, id, hold, class, day, recipient, created, enc, sealed)
	SELECT c.org, c.site, c.id, h.id, c.class, c.day, c.recipient, c.created, c.enc, c.sealed FROM chains c JOIN holds h ON h.org = c.org AND h.site = c.site AND h.day = c.day
	WHERE c.kind = 'day' AND c.org = ?1 AND c.site = ?2 AND c.class = ?3 AND c.day = ?4 AND h.lifted = 0 AND h.until > ?5 ON CONFLICT DO NOTHING`

const holdColumns = `id, org, site, subject, day, operator, made, until, lifted, recipient, enc, sealed, (SELECT count(*) FROM held_items WHERE hold = holds.id)`

func scanHold(scan func(...any) error) (h heldHold, err error) {
	var id, subject []byte
	var made, until, lifted int64
	err = scan(&id, &h.Org, &h.Site, &subject, &h.Day, &h.Operator, &made, &until, &lifted, &h.recipient, &h.enc, &h.sealed, &h.Items)
	copy(h.ID[:], id)
	copy(h.Subject[:], subject)
	h.Made, h.Until = time.UnixMilli(made).UTC(), time.UnixMilli(until).UTC()
	if lifted != 0 {
		h.Lifted = time.UnixMilli(lifted).UTC()
	}
	return h, err
}

func (k *keyStore) holdsWhere(ctx context.Context, condition string, args ...any) ([]gatehouse.Hold, error) {
	rows, err := k.db.Readers().QueryContext(ctx, `SELECT `+holdColumns+` FROM holds WHERE lifted = 0 AND `+condition+` ORDER BY made, id`, args...)
	if err != nil {
		return nil, sealeddb.Wrap(keyStoreFile, err)
	}
	defer rows.Close()
	list := []gatehouse.Hold{}
	for rows.Next() {
		h, err := scanHold(rows.Scan)
		if err != nil {
			return nil, sealeddb.Wrap(keyStoreFile, err)
		}
		list = append(list, h.Hold)
	}
	return list, sealeddb.Wrap(keyStoreFile, rows.Err())
}

func (k *keyStore) holds(ctx context.Context, place gatehouse.Place, now time.Time) ([]gatehouse.Hold, error) {
	return k.holdsWhere(ctx, `org = ? AND site = ? AND until > ?`, string(place.Org), string(place.Site), now.UnixMilli())
}

func (k *keyStore) overdueHolds(ctx context.Context, now time.Time) ([]gatehouse.Hold, error) {
	return k.holdsWhere(ctx, `until <= ?`, now.UnixMilli())
}

// refuseHeld fails with vault.held where a hold keeps the subject.
func (k *keyStore) refuseHeld(ctx context.Context, place gatehouse.Place, subject gatehouse.SubjectID, now time.Time) error {
	list, err := k.holdsWhere(ctx, `org = ? AND site = ? AND subject = ? AND until > ?`, string(place.Org), string(place.Site), subject[:], now.UnixMilli())
	if err != nil || len(list) == 0 {
		return err
	}
	return gatehouse.Errorf("vault.held", "erase it when the hold has ended; `gatehouse hold lift` ends it", "the hold %s keeps the subject until %s", list[0].ID, list[0].Until.Format(time.DateOnly))
}

// hold reads one that is in force. Errors: hold.unknown.
func (k *keyStore) hold(ctx context.Context, place gatehouse.Place, id gatehouse.ID, now time.Time) (*heldHold, error) {
	h, err := scanHold(k.db.Readers().QueryRowContext(ctx, `SELECT `+holdColumns+` FROM holds WHERE id = ? AND org = ? AND site = ? AND lifted = 0 AND until > ?`,
		id[:], string(place.Org), string(place.Site), now.UnixMilli()).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, gatehouse.Errorf("hold.unknown", "`gatehouse hold list` shows those in force", "there is no such hold in force")
	}
	return &h, sealeddb.Wrap(keyStoreFile, err)
}

func (k *keyStore) setHoldEnd(ctx context.Context, id gatehouse.ID, until time.Time) error {
	return k.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE holds SET until = ? WHERE id = ?`, until.UnixMilli(), id[:])
		return err
	})
}

// endHold deletes what the hold kept, and its key.
func (k *keyStore) endHold(ctx context.Context, id gatehouse.ID, now time.Time) error {
	_, err := k.delete(ctx, func(exec execFunc) error {
		return errors.Join(
			exec(`DELETE FROM held_items WHERE hold = ?`, id[:]),
			exec(`DELETE FROM held_chains WHERE hold = ?`, id[:]),
			exec(`UPDATE holds SET lifted = ?, recipient = '', enc = x'', sealed = x'' WHERE id = ?`, now.UnixMilli(), id[:]))
	})
	return err
}

// openHeld gives the secrets of an expired chain's positions that holds keep.
func (k *keyStore) openHeld(ctx context.Context, at chainPlace, private privateKeys, list []wanted) error {
	row := chainRow{Place: at.Place, ID: at.id, Kind: dayChain}
	err := k.db.Readers().QueryRowContext(ctx, `SELECT c.class, c.day, c.recipient, c.enc, c.sealed FROM held_chains c JOIN holds h ON h.id = c.hold
		WHERE c.org = ? AND c.site = ? AND c.id = ? AND h.lifted = 0 AND h.until > ? LIMIT 1`, string(at.Org), string(at.Site), at.id[:], time.Now().UnixMilli()).Scan(&row.Class, &row.Day, &row.Recipient, &row.Enc, &row.Sealed)
	if err == nil {
		walk(&row, private, list)
		return nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return sealeddb.Wrap(keyStoreFile, err)
	}
	for _, w := range list {
		if err := k.openHeldItem(ctx, at, private, w); err != nil {
			return err
		}
	}
	return nil
}

func (k *keyStore) openHeldItem(ctx context.Context, at chainPlace, private privateKeys, w wanted) error {
	var hold, sealed []byte
	err := k.db.Readers().QueryRowContext(ctx, `SELECT hold, sealed FROM held_items WHERE org = ? AND site = ? AND chain = ? AND position = ? LIMIT 1`,
		string(at.Org), string(at.Site), at.id[:], w.position).Scan(&hold, &sealed)
	if errors.Is(err, sql.ErrNoRows) || err == nil && (len(hold) != 16 || len(sealed) < nonceSize) {
		return nil
	}
	if err != nil {
		return sealeddb.Wrap(keyStoreFile, err)
	}
	h, err := k.hold(ctx, at.Place, gatehouse.ID(hold), time.Now())
	if gatehouse.ErrorCode(err) == "hold.unknown" {
		return nil // it has ended
	}
	if err != nil {
		return err
	}
	key, err := h.openKey(private)
	if err != nil {
		return nil // another vault key's: noise to this one
	}
	defer clear(key[:])
	plain, err := newAEAD(key[:]).Open(nil, sealed[:nonceSize], sealed[nonceSize:], heldAAD(at.Place, h.ID, link{at.id, w.position}))
	if err == nil && len(plain) == len(w.secret) {
		copy(w.secret[:], plain)
		*w.ok = true
		clear(plain)
	}
	return nil
}
