package vault

import (
	"context"
	"slices"
	"strings"
	"time"

	"gatehouse"
)

// purposes is the closed list of what sealed data may be opened for; recorded adds
// what is only written down: that somebody unsealed the vault.
var (
	purposes = []string{"live", "passage", "person", "drill", "search", purposeAudit}
	recorded = append(slices.Clone(purposes), "unseal")
)

// purposeAudit is somebody who reads why things were disclosed.
const purposeAudit = "audit"

// open answers the one call that releases plaintext: check, take its units from the
// budgets and write the disclosure, then open. A value that cannot be opened is nil, and has been disclosed all the
// same: an asker must not learn for free what is there.
func (s *service) open(ctx context.Context, r openRequest, proof []byte, sealed [][]byte) ([][]byte, error) {
	if len(r.Refs) != len(sealed) {
		return nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "there are %d places and %d values", len(r.Refs), len(sealed))
	}
	if err := checkDisclosure(purposes, r.Operator, r.Purpose, r.Reason, len(r.Refs)); err != nil {
		return nil, err
	}
	if err := checkRole(r.Role); err != nil {
		return nil, err
	}
	if r.Purpose == purposeAudit && slices.ContainsFunc(r.Refs, func(c gatehouse.SealContext) bool { return c.Field != "reason" }) {
		return nil, gatehouse.Errorf("vault.purpose", "say what it is for", "for an audit only reasons are opened")
	}
	if err := s.guard.shut(); err != nil {
		return nil, err
	}
	private, err := s.room.admit(r.Operator, proof)
	if err != nil {
		return nil, err
	}
	baited, err := s.guard.baited(ctx, r.Refs, sealed, true)
	if err != nil {
		return nil, err
	}
	if baited {
		return nil, s.guard.spring(ctx, trip{kind: "subject", operator: r.Operator, purpose: r.Purpose})
	}
	if len(r.Refs) == 0 {
		return [][]byte{}, nil // nothing is disclosed, and nothing written
	}
	now := time.Now()
	d := gatehouse.Disclosure{ID: gatehouse.NewID(now), At: now, Operator: r.Operator, Role: r.Role, Purpose: r.Purpose, Reason: r.Reason}
	items, units := priced(r.Purpose, r.Refs, now)
	if r.Purpose == purposeLive {
		err = s.guard.live(ctx, d, items, true)
	} else {
		for _, it := range items {
			d.Items = append(d.Items, it.name)
		}
		d.Units = units
		err = s.audit.disclose(ctx, d, nil)
	}
	if err != nil {
		return nil, err
	}
	if s.afterLogging != nil {
		s.afterLogging()
	}
	return s.openAll(ctx, private, r.Refs, sealed)
}

// checkDisclosure bounds what is written into the log; allowed are the purposes.
func checkDisclosure(allowed []string, operator, purpose, reason string, items int) error {
	switch {
	case items > maxRefs:
		return gatehouse.Errorf("vault.too_many", "ask for less at a time", "at most %d values are opened at a time, not %d", maxRefs, items)
	case !slices.Contains(allowed, purpose):
		return gatehouse.Errorf("vault.purpose", "use "+strings.Join(allowed, ", "), "nothing is opened for this purpose")
	case len(reason) > maxReason:
		return gatehouse.Errorf("vault.reason", "shorten it", "a reason has at most %d bytes", maxReason)
	}
	return checkOperator(operator)
}

// checkRole bounds what is written into the log as the operator's role.
func checkRole(role string) error {
	if len(role) > 100 {
		return gatehouse.Errorf("vault.role", "give the role's id", "a role's id has at most 100 characters")
	}
	return nil
}

// wanted is one link whose item secret is looked for, and where it goes.
type wanted struct {
	position uint16
	secret   *[32]byte
	ok       *bool
}

type chainPlace struct {
	gatehouse.Place
	id gatehouse.ID
}

// openAll opens the values in the order given. Every chain that occurs is opened
// and walked once, whatever number of items it keyed.
func (s *service) openAll(ctx context.Context, private privateKeys, refs []gatehouse.SealContext, sealed [][]byte) ([][]byte, error) {
	type item struct {
		envelope envelope
		secrets  [][32]byte
		ok       []bool
	}
	items := make([]item, len(refs))
	walks := map[chainPlace][]wanted{}
	for i, where := range refs {
		e, err := parseEnvelope(sealed[i])
		if err != nil {
			continue // stays nil
		}
		items[i] = item{envelope: e, secrets: make([][32]byte, len(e.links)), ok: make([]bool, len(e.links))}
		for j, l := range e.links {
			at := chainPlace{where.Place, l.chain}
			walks[at] = append(walks[at], wanted{l.position, &items[i].secrets[j], &items[i].ok[j]})
		}
	}
	for at, list := range walks {
		row, found, err := s.keys.row(ctx, at.Place, at.id)
		if err != nil {
			return nil, err
		}
		if found {
			walk(&row, private, list)
		} else if err := s.keys.openHeld(ctx, at, private, list); err != nil {
			return nil, err
		}
	}
	out := make([][]byte, len(refs))
	for i, it := range items {
		if len(it.ok) == 0 || slices.Contains(it.ok, false) {
			continue
		}
		if plain, ok := openEnvelope(refs[i], it.envelope, it.secrets); ok {
			if plain == nil {
				plain = []byte{} // an empty value, not one that cannot be opened
			}
			out[i] = plain
		}
	}
	return out, nil
}

// walk derives the secrets at the wanted positions; a row that does not open gives
// none.
func walk(row *chainRow, private privateKeys, list []wanted) {
	seed, err := row.openSeed(private)
	if err != nil || len(seed) != 32 {
		return
	}
	state := [32]byte(seed)
	clear(seed)
	slices.SortFunc(list, func(a, b wanted) int { return int(a.position) - int(b.position) })
	position := uint16(0)
	for _, w := range list {
		for ; position < w.position; position++ {
			nextState(&state)
		}
		*w.secret, *w.ok = itemSecretAt(&state), true
	}
	clear(state[:])
}
