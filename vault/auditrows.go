package vault

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"
	"gatehouse/vault/auditlog"

	"golang.org/x/mod/sumdb/tlog"
)

// disclosure compares the row of a disclosure with its leaf. A reason that was taken
// away is as good as there.
func (v *verifier) disclosure(ctx context.Context, l NumberedLeaf, parts [][]byte) error {
	if len(parts) == 0 {
		v.report.Add("audit.malformed", "entry %d is no disclosure", l.Index)
		return nil
	}
	var d gatehouse.Disclosure
	var at int64
	var reason []byte
	var items string
	copy(d.ID[:], parts[0])
	err := v.db.QueryRowContext(ctx, `SELECT at, operator, role, purpose, reason, items, units FROM disclosures WHERE id = ?`, parts[0]).
		Scan(&at, &d.Operator, &d.Role, &d.Purpose, &reason, &items, &d.Units)
	if errors.Is(err, sql.ErrNoRows) {
		v.report.Add("audit.disclosure", "the disclosure of entry %d is missing", l.Index)
		return nil
	}
	if err != nil {
		return sealeddb.Wrap(auditFile, err)
	}
	d.At = time.UnixMilli(at)
	plain, _ := gatehouse.SplitStates(l.Leaf)
	if json.Unmarshal([]byte(items), &d.Items) != nil || !sameDisclosure(gatehouse.DisclosureLeaf(d, reason), plain, len(reason) == 0) {
		v.report.Add("audit.disclosure", "the disclosure of entry %d is not the one that the entry commits to", l.Index)
	}
	return nil
}

// reasonPart is where a disclosure's leaf has the digest of its sealed reason.
const reasonPart = 4

func sameDisclosure(row, leaf []byte, reasonTaken bool) bool {
	if bytes.Equal(row, leaf) {
		return true
	}
	kindA, atA, a, errA := gatehouse.LeafParts(row)
	kindB, atB, b, errB := gatehouse.LeafParts(leaf)
	if !reasonTaken || errA != nil || errB != nil || kindA != kindB || !atA.Equal(atB) || len(a) != len(b) || len(a) <= reasonPart {
		return false
	}
	a[reasonPart] = b[reasonPart]
	return slices.EqualFunc(a, b, bytes.Equal)
}

func (v *verifier) readDisclosures(ctx context.Context) error {
	var rows int
	if err := v.db.QueryRowContext(ctx, `SELECT count(*) FROM disclosures`).Scan(&rows); err != nil {
		return err
	}
	v.report.Disclosures = rows
	if rows != v.opened {
		v.report.Add("audit.disclosure", "there are %d disclosures, and %d entries about one", rows, v.opened)
	}
	return nil
}

// hashRows reads the stored hashes in order.
type hashRows struct {
	db   rowReader
	next int64
	rows []hashRow
}

type hashRow struct {
	i    int64
	hash []byte
}

// compare checks the hashes that one leaf stored.
func (h *hashRows) compare(ctx context.Context, want []tlog.Hash, report *auditlog.Report, n int64) error {
	wrong := false
	for _, hash := range want {
		row, err := h.peek(ctx)
		if err != nil {
			return err
		}
		if row == nil || row.i != h.next || !bytes.Equal(row.hash, hash[:]) {
			wrong = true
		}
		if row != nil && row.i == h.next {
			h.rows = h.rows[1:]
		}
		h.next++
	}
	if wrong {
		report.Add("audit.hash", "the hashes of entry %d are not those of the log's entries", n)
	}
	return nil
}

func (h *hashRows) peek(ctx context.Context) (*hashRow, error) {
	if len(h.rows) == 0 {
		rows, err := h.db.QueryContext(ctx, `SELECT i, hash FROM hashes WHERE i >= ? ORDER BY i LIMIT ?`, h.next, pageSize)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		for rows.Next() {
			var r hashRow
			if err := rows.Scan(&r.i, &r.hash); err != nil {
				return nil, err
			}
			h.rows = append(h.rows, r)
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	if len(h.rows) == 0 {
		return nil, nil
	}
	return &h.rows[0], nil
}

func (h *hashRows) rest(ctx context.Context) (extra int64, err error) {
	err = h.db.QueryRowContext(ctx, `SELECT count(*) FROM hashes WHERE i >= ?`, h.next).Scan(&extra)
	return extra, err
}
