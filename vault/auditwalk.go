package vault

import (
	"context"
	"maps"
	"slices"

	"gatehouse"
	"gatehouse/vault/auditlog"
)

// pageSize is how many rows are read at a time.
const pageSize = 1000

type leafRow struct {
	NumberedLeaf
	position uint64
}

// page reads the next leaves.
func (v *verifier) page(ctx context.Context) (all []leafRow, err error) {
	rows, err := v.db.QueryContext(ctx, `SELECT n, coalesce(position, 0), leaf FROM leaves WHERE n >= ? ORDER BY n LIMIT ?`, v.index, pageSize)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r leafRow
		if err := rows.Scan(&r.Index, &r.position, &r.Leaf); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// walk recomputes the tree from the leaves and compares every stored hash, every root
// that somebody signed, and what the leaves say of keys and disclosures.
func (v *verifier) walk(ctx context.Context) error {
	tree := &auditlog.Tree{}
	var all int64
	if err := v.db.QueryRowContext(ctx, `SELECT count(*) FROM leaves`).Scan(&all); err != nil {
		return err
	}
	hashes := &hashRows{db: v.db}
	last := uint64(0)
	for {
		rows, err := v.page(ctx)
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			break
		}
		for _, row := range rows {
			if row.Index != v.index {
				v.report.Add("audit.leaf_missing", "entry %d is missing", v.index)
				v.report.Size = v.index
				return nil
			}
			if row.position > 0 {
				if row.position <= last {
					v.report.Add("audit.order", "entry %d stands before one that was committed earlier", row.Index)
				}
				last = row.position
				v.report.GateLeaves++
			}
			v.leaf(ctx, row)
			if row.position == 0 {
				v.control.leaf(row.NumberedLeaf)
			}
			if err := hashes.compare(ctx, tree.Append(row.Leaf), v.report, row.Index); err != nil {
				return err
			}
			v.roots(tree)
			v.index++
		}
		if v.checks.Progress != nil {
			v.checks.Progress(v.index, all)
		}
	}
	if extra, err := hashes.rest(ctx); err != nil || extra > 0 {
		v.report.Add("audit.hash", "there are %d hashes that belong to no entry", extra)
		return err
	}
	v.report.Size, v.report.Root = tree.Size(), tree.Root().String()
	v.report.Unsigned = max(0, tree.Size()-v.newest().Size)
	v.ended()
	return nil
}

// roots compares the tree as it is with what was signed at its size.
func (v *verifier) roots(tree *auditlog.Tree) {
	for _, r := range v.expects[tree.Size()] {
		if r.Hash != tree.Root() {
			v.report.Add(r.code, "the first %d entries are not those that %s commits to", tree.Size(), r.who)
		}
	}
	delete(v.expects, tree.Size())
}

// ended looks at what was signed beyond the log's end, at who signed what, and at what
// the leaves had to say.
func (v *verifier) ended() {
	for _, size := range slices.Sorted(maps.Keys(v.expects)) {
		for _, r := range v.expects[size] {
			v.report.Add(r.code, "the log has %d entries, and %s commits to %d: it was rolled back or cut", v.report.Size, r.who, size)
		}
	}
	if !v.begun {
		v.report.Add("audit.key", "no entry names the log's first key")
	}
	for i, c := range v.notes {
		// A key signs what comes before the entry that names the next one.
		if now, _ := slices.BinarySearch(v.until, c.Size); now != v.signed[i] {
			v.report.Add("audit.key", "the checkpoint of %d entries is signed by a key that was not in use then", c.Size)
		}
	}
	if len(v.keys) != len(v.until)+1 {
		v.report.Add("audit.key", "the log has %d keys, and %d entries about a new one", len(v.keys), len(v.until))
	}
}

// leaf looks at what a leaf says about the log itself and about disclosures.
func (v *verifier) leaf(ctx context.Context, row leafRow) {
	l := row.NumberedLeaf
	kind, _, parts, err := gatehouse.LeafParts(l.Leaf)
	if err != nil {
		v.report.Add("audit.malformed", "entry %d is no audit leaf", l.Index)
		return
	}
	if gatehouse.LeafOfGate(l.Leaf) != (row.position > 0) {
		// What it says of keys, disclosures and erasures is not the vault's word.
		v.report.Add("audit.foreign", "entry %d, of kind %q, was not written by whom its kind names", l.Index, kind)
		return
	}
	switch {
	case kind == gatehouse.VaultLeafKind && len(parts) == 3 && string(parts[0]) == eventBegun:
		v.begun = v.begun || len(v.keys) > 0 && v.sameKey(0, string(parts[2])) && string(parts[1]) == v.report.Origin
	case kind == gatehouse.KeyLeafKind && len(parts) == 4 && string(parts[0]) == signerRotated:
		n := len(v.until)
		v.until = append(v.until, l.Index)
		if n+1 >= len(v.keys) {
			return // ended says so
		}
		after, ok := rotatedTo(v.keys[n], parts)
		if !ok || !v.sameKey(n+1, after) {
			v.report.Add("audit.key", "entry %d, about a new key of the log, is not signed by the one before", l.Index)
		}
	case kind == gatehouse.EraseLeafKind:
		v.result.Erasing = true
		if err := v.erasure(ctx, l, parts); err != nil {
			v.report.AddError(err)
		}
	case kind == gatehouse.LiveLeafKind:
		if err := v.liveItems(ctx, l, parts); err != nil {
			v.report.AddError(err)
		}
	case kind == gatehouse.BackupLeafKind && len(parts) > 0 && string(parts[0]) == eventGateRestored:
		if lost, ok := lostLeaves(parts); ok {
			v.result.Lost = append(v.result.Lost, lost)
		} else {
			v.report.Add("audit.malformed", "entry %d is about no restoring of the gate", l.Index)
		}
	case kind == gatehouse.BackupLeafKind && len(parts) == 3 && string(parts[0]) == bundleRecorded:
		v.bundle(l, parts)
	case kind == gatehouse.KeyLeafKind && len(parts) == 2 && string(parts[0]) == backupSignerMade:
		v.beside.backupSigner = parts[1]
	case kind == gatehouse.DisclosureLeafKind:
		v.opened++
		if err := v.disclosure(ctx, l, parts); err != nil {
			v.report.AddError(err)
		}
	}
}

func (v *verifier) sameKey(n int, vkey string) bool {
	k, err := auditlog.ParseKey(vkey)
	return err == nil && k.Name() == v.keys[n].Name() && k.KeyHash() == v.keys[n].KeyHash()
}
