package vault

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/internal/sealeddb"
)

const methodCheckKeys = "check-keys" // header checkKeysRequest; reply KeyStoreCheck

type checkKeysRequest struct{ After int64 }

// KeyStoreCheck is what was found out about some rows of the key store.
type KeyStoreCheck struct {
	Rows    int64        // that were looked at, damaged ones included
	Opened  bool         // their seeds were opened: the vault is unsealed
	Damaged []DamagedKey // by number
	// Pages says what is wrong with the file as a database, "" for nothing. It is asked
	// once, with the first rows.
	Pages string
	// Next goes into the next call, and is 0 at the end.
	Next int64
}

// DamagedKey is a row, or a run of rows, from which no key follows any more: what was
// sealed under its chain is lost, unless a backup has the row.
type DamagedKey struct {
	First, Last int64  // its number, or those of a run
	What        string // why, as part of a sentence
	Subject     gatehouse.SubjectID
	Class       gatehouse.RetentionClass // of a day
	Day         string
}

// How many rows one call looks at: opening a seed takes about 0.1 ms.
const (
	checkedRows = 20_000
	openedRows  = 5_000
	windowRows  = 500
)

// CheckKeyStore looks at rows of the key store behind after: whether they can be read,
// are well formed, are sealed to a key that the vault has, and, while it is unsealed,
// whether their seeds open. It changes nothing. Errors: vault.unavailable,
// vault.timeout, and the store's.
func (v *Vault) CheckKeyStore(ctx context.Context, after int64) (KeyStoreCheck, error) {
	var check KeyStoreCheck
	_, err := v.process.Call(ctx, methodCheckKeys, checkKeysRequest{after}, nil, &check)
	return check, err
}

func (s *service) handleCheckKeys(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in checkKeysRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	private, err := s.room.use()
	if err != nil {
		private = nil // sealed
	}
	check, err := s.keys.check(ctx, private, in.After)
	return check, nil, err
}

func (k *keyStore) check(ctx context.Context, private privateKeys, after int64) (check KeyStoreCheck, err error) {
	check.Opened = private != nil
	if after == 0 {
		if err := k.db.Check(ctx); err != nil {
			if ctx.Err() != nil {
				return check, ctx.Err()
			}
			check.Pages = err.Error()
		}
	}
	pinned, err := k.pinnedNames(ctx)
	if err != nil {
		return check, err
	}
	end, err := k.lastRow(ctx)
	if err != nil {
		return check, err
	}
	limit := int64(checkedRows)
	if check.Opened {
		limit = openedRows
	}
	c := rowCheck{keys: k, private: private, pinned: pinned, out: &check}
	until := min(after+limit, end)
	for from := after; from < until; from += windowRows {
		if err := c.window(ctx, from, min(from+windowRows, until)); err != nil {
			return check, err
		}
	}
	if until < end {
		check.Next = until
	}
	return check, nil
}

func (k *keyStore) pinnedNames(ctx context.Context) (map[string]bool, error) {
	rows, err := k.db.Readers().QueryContext(ctx, `SELECT name FROM public_keys`)
	if err != nil {
		return nil, sealeddb.Wrap(keyStoreFile, err)
	}
	defer rows.Close()
	names := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, sealeddb.Wrap(keyStoreFile, err)
		}
		names[name] = true
	}
	return names, sealeddb.Wrap(keyStoreFile, rows.Err())
}

// lastRow is the number of the last row.
func (k *keyStore) lastRow(ctx context.Context) (last int64, err error) {
	err = k.db.Readers().QueryRowContext(ctx, `SELECT coalesce(max(rowid), 0) FROM chains`).Scan(&last)
	return last, sealeddb.Wrap(keyStoreFile, err)
}

// rowCheck looks at rows by number, so that a damaged page hides no others.
type rowCheck struct {
	keys    *keyStore
	private privateKeys // nil while the vault is sealed
	pinned  map[string]bool
	out     *KeyStoreCheck
}

// window looks at the rows numbered from+1 to until. Where they cannot be read together
// it looks at each half.
func (c *rowCheck) window(ctx context.Context, from, until int64) error {
	rows, err := c.keys.numbered(ctx, from, until)
	switch {
	case gatehouse.ErrorCode(err) != "store.damaged":
		if err != nil {
			return err
		}
		for i := range rows {
			c.row(&rows[i])
		}
		return nil
	case until-from == 1:
		c.out.Rows++
		c.damaged(DamagedKey{First: until, Last: until, What: "cannot be read: its page is damaged"})
		return nil
	}
	half := from + (until-from)/2
	if err := c.window(ctx, from, half); err != nil {
		return err
	}
	return c.window(ctx, half, until)
}

// damaged adds a row, to the run before it where nothing else is known of both.
func (c *rowCheck) damaged(d DamagedKey) {
	if n := len(c.out.Damaged); n > 0 {
		last := &c.out.Damaged[n-1]
		if last.What == d.What && last.Last+1 == d.First && last.Subject == d.Subject && last.Class == d.Class && last.Day == d.Day {
			last.Last = d.Last
			return
		}
	}
	c.out.Damaged = append(c.out.Damaged, d)
}

// The lengths of a seed's encapsulated key and of the sealed seed, in bytes.
const encLength, sealedSeedLength = 1120, 48

func (c *rowCheck) row(r *numberedRow) {
	c.out.Rows++
	d := DamagedKey{First: r.number, Last: r.number, Subject: r.Subject, Class: r.Class, Day: r.Day}
	switch {
	case !r.wellFormed():
		d.What = "is malformed"
	case !c.pinned[r.Recipient]:
		d.What = "is sealed to a key that is not the vault's"
	case c.private == nil:
		return
	default:
		seed, err := r.openSeed(c.private)
		clear(seed)
		if err == nil {
			return
		}
		d.What = "does not open: it was altered"
	}
	c.damaged(d)
}

// wellFormed reports whether a row says whose chain it is, and holds a seed.
func (r *chainRow) wellFormed() bool {
	if len(r.Enc) != encLength || len(r.Sealed) != sealedSeedLength || r.Org == "" || r.Site == "" || r.ID.IsZero() {
		return false
	}
	if r.Kind == subjectChain {
		return !r.Subject.IsZero() && r.Class == "" && r.Day == ""
	}
	_, err := time.Parse(time.DateOnly, r.Day)
	return r.Kind == dayChain && r.Subject.IsZero() && err == nil && knownClass(r.Class)
}

// numbered reads the rows numbered from+1 to until. Errors: store.damaged where a page of
// them cannot be read.
func (k *keyStore) numbered(ctx context.Context, from, until int64) (all []numberedRow, err error) {
	rows, err := k.db.Readers().QueryContext(ctx, `SELECT rowid, org, site, id, kind, subject, class, day, recipient, enc, sealed FROM chains NOT INDEXED
		WHERE rowid > ? AND rowid <= ? ORDER BY rowid`, from, until)
	if err != nil {
		return nil, sealeddb.Wrap(keyStoreFile, err)
	}
	defer rows.Close()
	for rows.Next() {
		var r numberedRow
		var id, subject []byte
		if err := rows.Scan(&r.number, &r.Org, &r.Site, &id, &r.Kind, &subject, &r.Class, &r.Day, &r.Recipient, &r.Enc, &r.Sealed); err != nil {
			return nil, sealeddb.Wrap(keyStoreFile, err)
		}
		if len(id) == len(r.ID) && len(subject) == len(r.Subject) { // or it is malformed
			copy(r.ID[:], id)
			copy(r.Subject[:], subject)
		}
		all = append(all, r)
	}
	return all, sealeddb.Wrap(keyStoreFile, rows.Err())
}
