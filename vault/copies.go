package vault

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

// Two things of the sealed control are needed while the vault is sealed: what it takes
// to make an operator's signature, and the digests of canary tokens. Their rows are
// copies. What counts is the control; every leaf that commits to it commits to the
// copies, too, and an unsealing puts right what was edited in them.
const (
	operatorRows = "operators"
	tokenRows    = "canary tokens"
)

// registered is an operator as the control holds it.
type registered struct {
	Salt   []byte
	Work   int
	Public ed25519.PublicKey
	Added  time.Time // to the millisecond
}

// copies are the digests of the control's copies.
func (c *control) copies() []newState {
	return []newState{
		{name: operatorRows, digest: operatorsDigest(c.Operators)},
		{name: tokenRows, digest: tokensDigest(slices.Collect(maps.Keys(c.Tokens)))},
	}
}

func operatorsDigest(all map[string]registered) [sha256.Size]byte {
	var parts [][]byte
	for _, name := range slices.Sorted(maps.Keys(all)) {
		o := all[name]
		numbers := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(o.Work)), uint64(o.Added.UnixMilli()))
		parts = append(parts, []byte(name), o.Salt, o.Public, numbers)
	}
	return sha256.Sum256(bind(parts...))
}

// tokensDigest is over the tokens' digests, hexadecimal.
func tokensDigest(all []string) [sha256.Size]byte {
	slices.Sort(all)
	var parts [][]byte
	for _, t := range all {
		parts = append(parts, []byte(t))
	}
	return sha256.Sum256(bind(parts...))
}

// putCopies replaces the copies by what the control says.
func putCopies(ctx context.Context, tx *sql.Tx, c *control) error {
	for _, s := range []string{`DELETE FROM operators`, `DELETE FROM canary_tokens`} {
		if _, err := tx.ExecContext(ctx, s); err != nil {
			return err
		}
	}
	for name, o := range c.Operators {
		if _, err := tx.ExecContext(ctx, `INSERT INTO operators (name, salt, work, public, added) VALUES (?, ?, ?, ?, ?)`,
			name, o.Salt, o.Work, []byte(o.Public), o.Added.UnixMilli()); err != nil {
			return err
		}
	}
	for digest := range c.Tokens {
		b, err := hex.DecodeString(digest)
		if err != nil {
			return err
		}
		// Where it lies and since when stands in the control alone.
		if _, err := tx.ExecContext(ctx, `INSERT INTO canary_tokens (digest, label, planted) VALUES (?, '', 0)`, b); err != nil {
			return err
		}
	}
	return nil
}

// readCopies gives the copies as they lie there.
func readCopies(ctx context.Context, db rowReader) (operators map[string]registered, tokens []string, err error) {
	rows, err := db.QueryContext(ctx, `SELECT name, salt, work, public, added FROM operators`)
	if err != nil {
		return nil, nil, err
	}
	defer rows.Close()
	operators = map[string]registered{}
	for rows.Next() {
		var name string
		var o registered
		var public []byte
		var added int64
		if err := rows.Scan(&name, &o.Salt, &o.Work, &public, &added); err != nil {
			return nil, nil, err
		}
		o.Public, o.Added = ed25519.PublicKey(public), time.UnixMilli(added).UTC()
		operators[name] = o
	}
	if err := rows.Err(); err != nil {
		return nil, nil, err
	}
	found, err := db.QueryContext(ctx, `SELECT digest FROM canary_tokens`)
	if err != nil {
		return nil, nil, err
	}
	defer found.Close()
	for found.Next() {
		var b []byte
		if err := found.Scan(&b); err != nil {
			return nil, nil, err
		}
		tokens = append(tokens, hex.EncodeToString(b))
	}
	return operators, tokens, found.Err()
}

// sameCopies reports whether the copies are what the control says.
func (a *auditDB) sameCopies(ctx context.Context, c *control) (bool, error) {
	operators, tokens, err := readCopies(ctx, a.db.Readers())
	if err != nil {
		return false, sealeddb.Wrap(auditFile, err)
	}
	return operatorsDigest(operators) == operatorsDigest(c.Operators) && tokensDigest(tokens) == tokensDigest(slices.Collect(maps.Keys(c.Tokens))), nil
}

// registered are the operators as the copies say: good for asking and for early
// refusals, never for agreeing.
func (a *auditDB) registered(ctx context.Context) (map[string]registered, error) {
	all, _, err := readCopies(ctx, a.db.Readers())
	return all, sealeddb.Wrap(auditFile, err)
}

// seasonedAfter is how long ago an operator must have been added to count where two
// people must agree, so that the others see the alarm about it before.
var seasonedAfter = 24 * time.Hour

// counts reports whether an operator counts at a moment: registered a day before, or,
// while a site is being set up and fewer than two are that old, registered at all.
func counts(all map[string]registered, name string, at time.Time) bool {
	o, ok := all[name]
	if !ok {
		return false
	}
	old := func(o registered) bool { return at.Sub(o.Added) >= seasonedAfter }
	seasoned := 0
	for _, o := range all {
		if old(o) {
			seasoned++
		}
	}
	return old(o) || seasoned < lifters && !o.Added.After(at)
}

func errYoung() error {
	return gatehouse.Errorf("operator.young", "ask somebody who was added earlier, or wait", "an operator counts a day after being added")
}
