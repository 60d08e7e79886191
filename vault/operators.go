package vault

import (
	"context"
	"crypto/ed25519"
	"database/sql"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"
	"gatehouse/vault/approval"
)

func (s *service) addOperator(ctx context.Context, keys openKeys, r operatorRequest) (any, error) {
	o := r.Subject
	if err := o.Check(); err != nil {
		return nil, err
	}
	at := time.Now()
	leaf := gatehouse.EventLeaf(gatehouse.PolicyLeafKind, at, "operator-added", o.Name)
	return nil, s.guard.change(ctx, keys, leaf, func(c *control) error {
		if _, ok := c.Operators[o.Name]; ok {
			return gatehouse.Errorf("operator.exists", "choose another id, or remove this one first", "there is an operator %q already", o.Name)
		}
		for _, public := range c.Operators {
			if public.Equal(o.Public) {
				return gatehouse.Errorf("operator.exists", "two people need two passphrases", "another operator has this key")
			}
		}
		if len(c.Operators) >= maxOperators {
			return gatehouse.Errorf("operator.too_many", "remove those who left", "there are %d operators already", len(c.Operators))
		}
		c.Operators[o.Name] = o.Public
		return nil
	}, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO operators (name, salt, work, public, added) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET salt = excluded.salt, work = excluded.work, public = excluded.public, added = excluded.added`,
			o.Name, o.Salt, o.Work, []byte(o.Public), at.UnixMilli())
		return err
	})
}

func (s *service) endOperator(ctx context.Context, keys openKeys, r operatorRequest) (any, error) {
	name := r.Subject.Name
	leaf := gatehouse.EventLeaf(gatehouse.PolicyLeafKind, time.Now(), "operator-removed", clip(name))
	return nil, s.guard.change(ctx, keys, leaf, func(c *control) error {
		if _, ok := c.Operators[name]; !ok {
			return errNoOperator()
		}
		if len(c.Operators) <= lifters && (len(c.Canaries) > 0 || !c.Tripped.IsZero()) {
			return gatehouse.Errorf("operator.needed", "add another operator first", "two operators are needed to lift a canary")
		}
		delete(c.Operators, name)
		return nil
	}, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM operators WHERE name = ?`, name)
		return err
	})
}

func errNoOperator() error {
	return gatehouse.Errorf("operator.unknown", "`gatehouse operator list` shows who there is", "there is no such operator")
}

// operators are all who are registered, by name.
func (a *auditDB) operators(ctx context.Context) ([]approval.Operator, error) {
	rows, err := a.db.Readers().QueryContext(ctx, `SELECT name, salt, work, public FROM operators ORDER BY name`)
	if err != nil {
		return nil, sealeddb.Wrap(auditFile, err)
	}
	defer rows.Close()
	list := []approval.Operator{}
	for rows.Next() {
		var o approval.Operator
		var public []byte
		if err := rows.Scan(&o.Name, &o.Salt, &o.Work, &public); err != nil {
			return nil, sealeddb.Wrap(auditFile, err)
		}
		o.Public = ed25519.PublicKey(public)
		list = append(list, o)
	}
	return list, sealeddb.Wrap(auditFile, rows.Err())
}

func (a *auditDB) operator(ctx context.Context, name string) (approval.Operator, error) {
	list, err := a.operators(ctx)
	if err != nil {
		return approval.Operator{}, err
	}
	for _, o := range list {
		if o.Name == name {
			return o, nil
		}
	}
	return approval.Operator{}, errNoOperator()
}
