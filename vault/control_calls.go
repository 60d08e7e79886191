package vault

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"maps"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/internal/sealeddb"
	"gatehouse/vault/approval"
	"gatehouse/vault/budget"
)

// The calls of the disclosure control.
const (
	methodBudget      = "budget"        // header budgetRequest; reply BudgetStatus
	methodSetLimits   = "budget/set"    // header limitsRequest, credential
	methodOperators   = "operators"     // reply []approval.Operator
	methodAddOperator = "operator/add"  // header operatorRequest, credential
	methodEndOperator = "operator/end"  // header operatorRequest, credential
	methodPlant       = "canary/plant"  // header plantRequest, credential
	methodCanaries    = "canaries"      // header keyRequest, credential; reply []Canary
	methodTrip        = "canary/status" // reply TripStatus
	methodLift        = "canary/lift"   // header liftRequest, attachment: signature; reply TripStatus
	methodToken       = "canary/token"  // header tokenRequest
	methodAlarms      = "alarms"        // reply []PendingAlarm
	methodTaken       = "alarms/taken"  // header int64
)

type budgetRequest struct{ Operator, Role string }

type limitsRequest struct {
	keyRequest
	Limits budget.Limits
	Anew   bool // begin with no canaries, no operators and everything spent
}

type operatorRequest struct {
	keyRequest
	Subject approval.Operator
}

type plantRequest struct {
	keyRequest
	Canary Canary
}

type liftRequest struct {
	Trip     gatehouse.ID
	Operator string
}

type tokenRequest struct {
	Digest []byte
	Device string
}

// BudgetStatus is what is set and what is left.
type BudgetStatus struct {
	Known  bool          // false until the vault was unsealed for the first time since its process started
	Set    budget.Limits // by somebody with the vault's credential
	Limits budget.Limits // in force: Set, lowered by the configuration
	Left   []BudgetLeft
}

// BudgetLeft is what one budget still holds, in units.
type BudgetLeft struct {
	budget.Key
	Units int
}

// Canary is a planted person, vehicle or token.
type Canary struct {
	Subject gatehouse.SubjectID // zero for a token
	Kind    string              // person, vehicle or token
	Label   string              // where it was planted, in the operator's words; no personal data
	Planted time.Time
	Digest  []byte `json:",omitempty"` // of a token: SHA-256
}

// TripStatus says whether a canary shut the vault, and who agreed to lift it.
type TripStatus struct {
	Trip              gatehouse.ID // zero: the vault may be unsealed
	At                time.Time
	Kind              string // subject or token
	Operator, Purpose string
	Device            string
	Lifted            []string // operators whose signatures are there
	PublicKey         string   // what the vault's key is called in what is signed
}

// PendingAlarm is an alarm that the server has not taken over.
type PendingAlarm struct {
	N     int64
	Alarm gatehouse.Alarm
}

const (
	maxCanaries    = 10_000
	maxOperators   = 1000
	maxCanaryLabel = 100
)

func (s *service) controlHandlers() map[string]child.Handler {
	return map[string]child.Handler{
		methodBudget:      handle(s.budgetStatus),
		methodSetLimits:   withCredential(s, s.setLimits),
		methodOperators:   handle(func(ctx context.Context, _ struct{}) ([]approval.Operator, error) { return s.audit.operators(ctx) }),
		methodAddOperator: withCredential(s, s.addOperator),
		methodEndOperator: withCredential(s, s.endOperator),
		methodPlant:       withCredential(s, s.plant),
		methodCanaries:    withCredential(s, s.canaries),
		methodTrip:        handle(func(ctx context.Context, _ struct{}) (TripStatus, error) { return s.tripStatus(ctx) }),
		methodLift:        s.handleLift,
		methodToken: handle(func(ctx context.Context, r tokenRequest) (any, error) {
			return nil, s.guard.token(ctx, r.Digest, clip(r.Device))
		}),
		methodAlarms: handle(func(ctx context.Context, _ struct{}) ([]PendingAlarm, error) { return s.audit.pendingAlarms(ctx) }),
		methodTaken:  handle(func(ctx context.Context, n int64) (any, error) { return nil, s.audit.alarmsTaken(ctx, n) }),
	}
}

// handle decodes a request's header and answers with what f returns.
func handle[Q, A any](f func(ctx context.Context, q Q) (A, error)) child.Handler {
	return func(ctx context.Context, r *child.Request) (any, [][]byte, error) {
		var q Q
		if len(r.Header) > 0 {
			if err := r.Decode(&q); err != nil {
				return nil, nil, err
			}
		}
		a, err := f(ctx, q)
		return a, nil, err
	}
}

// withCredential is handle for calls that need the vault's credential: f gets the keys
// that it opens, which are zeroed afterwards.
func withCredential[Q credentialRequest, A any](s *service, f func(ctx context.Context, keys openKeys, q Q) (A, error)) child.Handler {
	return func(ctx context.Context, r *child.Request) (answer any, _ [][]byte, err error) {
		var q Q
		if err := withSecrets(r, &q, 1); err != nil {
			return nil, nil, err
		}
		asked := q.asked()
		with, err := s.credential(asked.With, r.Blobs[0])
		if err != nil {
			return nil, nil, err
		}
		defer clear(with.Secret)
		err = s.room.withKeys(ctx, clip(asked.Operator), with, func(keys openKeys) error {
			a, err := f(ctx, keys, q)
			answer = a
			return err
		})
		return answer, nil, err
	}
}

// clip bounds what somebody else named before it is written down.
func clip(s string) string { return s[:min(len(s), 100)] }

func (s *service) budgetStatus(_ context.Context, r budgetRequest) (BudgetStatus, error) {
	g := s.guard
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.ledger == nil {
		return BudgetStatus{}, nil
	}
	now := g.clock()
	out := BudgetStatus{Known: true, Set: g.control.Limits, Limits: g.ledger.Limits()}
	for _, key := range []budget.Key{{Scope: budget.Operator, Name: r.Operator}, {Scope: budget.Live, Name: r.Operator}, {Scope: budget.Role, Name: r.Role}, {Scope: budget.Organization}} {
		for _, w := range []budget.Window{budget.Hour, budget.Day} {
			key.Window = w
			out.Left = append(out.Left, BudgetLeft{Key: key, Units: g.ledger.Left(now, key)})
		}
	}
	return out, nil
}

func (s *service) setLimits(ctx context.Context, keys openKeys, r limitsRequest) (any, error) {
	if err := r.Limits.Or(budget.Defaults()).Check(); err != nil {
		return nil, err
	}
	if r.Anew {
		if err := s.guard.anew(ctx, keys); err != nil {
			return nil, err
		}
	}
	l := r.Limits
	var numbers []string // 0: unchanged
	for _, n := range []int{l.Operator.Hour, l.Operator.Day, l.Role.Hour, l.Role.Day, l.Organization.Hour, l.Organization.Day, l.Live.Hour, l.Live.Day} {
		numbers = append(numbers, itoa(n))
	}
	leaf := gatehouse.EventLeaf(gatehouse.PolicyLeafKind, time.Now(), "budget", append([]string{clip(r.Operator)}, numbers...)...)
	return nil, s.guard.change(ctx, keys, leaf, func(c *control) error {
		c.Limits = l.Or(c.Limits)
		return nil
	}, nil)
}

func (s *service) plant(ctx context.Context, keys openKeys, r plantRequest) (any, error) {
	c := r.Canary
	token := c.Kind == "token"
	switch {
	case token && len(c.Digest) != sha256.Size, !token && c.Kind != string(gatehouse.PersonSubject) && c.Kind != string(gatehouse.VehicleSubject), !token && c.Subject.IsZero():
		return nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "this is no canary")
	case len(c.Label) > maxCanaryLabel:
		return nil, gatehouse.Errorf("canary.label", "shorten it", "a canary's label has at most %d bytes", maxCanaryLabel)
	}
	at := time.Now().UTC()
	clear, err := s.audit.clearLabels(ctx)
	if err != nil {
		return nil, err
	}
	leaf := gatehouse.EventLeaf(gatehouse.CanaryLeafKind, at, "planted") // which one is nobody's to know
	return nil, s.guard.change(ctx, keys, leaf, func(n *control) error {
		if len(n.Operators) < lifters {
			return gatehouse.Errorf("canary.operators", "add them with `gatehouse operator add`", "a canary that is opened shuts the vault until two operators lift it, and there are only %d", len(n.Operators))
		}
		if len(n.Canaries) >= maxCanaries {
			return gatehouse.Errorf("canary.too_many", "these are enough", "there are %d canaries already", len(n.Canaries))
		}
		maps.Copy(n.Tokens, clear)
		if token {
			n.Tokens[hexOf(c.Digest)] = c.Label
		} else {
			n.Canaries[c.Subject] = canary{Kind: gatehouse.SubjectKind(c.Kind), Label: c.Label, Planted: at}
		}
		return nil
	}, func(ctx context.Context, tx *sql.Tx) error {
		err := dropLabels(ctx, tx)
		if token && err == nil {
			_, err = tx.ExecContext(ctx, `INSERT INTO canary_tokens (digest, label, planted) VALUES (?, '', ?) ON CONFLICT DO NOTHING`, c.Digest, at.UnixMilli())
		}
		return err
	})
}

// clearLabels are the tokens' labels that an earlier version left in clear, by digest in
// hexadecimal: they go into the sealed control with its next change, as dropLabels takes
// them away. A thief with the gate key read where the tokens lie.
func (a *auditDB) clearLabels(ctx context.Context) (map[string]string, error) {
	rows, err := a.db.Readers().QueryContext(ctx, `SELECT digest, label FROM canary_tokens WHERE label != ''`)
	if err != nil {
		return nil, sealeddb.Wrap(auditFile, err)
	}
	defer rows.Close()
	all := map[string]string{}
	for rows.Next() {
		var digest []byte
		var label string
		if err := rows.Scan(&digest, &label); err != nil {
			return nil, sealeddb.Wrap(auditFile, err)
		}
		all[hexOf(digest)] = label
	}
	return all, sealeddb.Wrap(auditFile, rows.Err())
}

func dropLabels(ctx context.Context, tx *sql.Tx) error {
	_, err := tx.ExecContext(ctx, `UPDATE canary_tokens SET label = '' WHERE label != ''`)
	return err
}

func (s *service) canaries(ctx context.Context, keys openKeys, _ keyRequest) ([]Canary, error) {
	// Who knows the canaries can step around them, so asking is written down.
	var list []Canary
	clear, err := s.audit.clearLabels(ctx)
	if err != nil {
		return nil, err
	}
	var labels map[string]string
	leaf := gatehouse.EventLeaf(gatehouse.CanaryLeafKind, time.Now(), "listed")
	err = s.guard.change(ctx, keys, leaf, func(c *control) error {
		maps.Copy(c.Tokens, clear)
		labels = c.Tokens
		for id, k := range c.Canaries {
			list = append(list, Canary{Subject: id, Kind: string(k.Kind), Label: k.Label, Planted: k.Planted})
		}
		return nil
	}, dropLabels)
	if err != nil {
		return nil, err
	}
	rows, err := s.audit.db.Readers().QueryContext(ctx, `SELECT digest, planted FROM canary_tokens ORDER BY planted`)
	if err != nil {
		return nil, sealeddb.Wrap(auditFile, err)
	}
	defer rows.Close()
	for rows.Next() {
		c := Canary{Kind: "token"}
		var digest []byte
		var planted int64
		if err := rows.Scan(&digest, &planted); err != nil {
			return nil, sealeddb.Wrap(auditFile, err)
		}
		c.Label = labels[hexOf(digest)]
		c.Planted = time.UnixMilli(planted).UTC()
		list = append(list, c)
	}
	sortCanaries(list)
	return list, sealeddb.Wrap(auditFile, rows.Err())
}

func (s *service) tripStatus(ctx context.Context) (TripStatus, error) {
	s.guard.mu.Lock()
	id := s.guard.tripped
	s.guard.mu.Unlock()
	out := TripStatus{Trip: id, PublicKey: publicKeyName(s.room.current())}
	if id.IsZero() {
		return out, nil
	}
	var at int64
	err := s.audit.db.Readers().QueryRowContext(ctx, `SELECT at, kind, operator, purpose, device FROM trips WHERE id = ?`, id[:]).Scan(&at, &out.Kind, &out.Operator, &out.Purpose, &out.Device)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return out, sealeddb.Wrap(auditFile, err)
	}
	out.At = time.UnixMilli(at).UTC()
	rows, err := s.audit.db.Readers().QueryContext(ctx, `SELECT operator FROM lifts WHERE trip = ? ORDER BY operator`, id[:])
	if err != nil {
		return out, sealeddb.Wrap(auditFile, err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return out, sealeddb.Wrap(auditFile, err)
		}
		out.Lifted = append(out.Lifted, name)
	}
	return out, sealeddb.Wrap(auditFile, rows.Err())
}

// handleLift takes one operator's signature. It is checked once more, against what
// only the unsealed vault knows, before the vault may be unsealed.
func (s *service) handleLift(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in liftRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	st, err := s.tripStatus(ctx)
	switch {
	case err != nil:
		return nil, nil, err
	case st.Trip.IsZero():
		return nil, nil, gatehouse.Errorf("canary.none", "unseal the vault with its passphrase", "no canary was opened: there is nothing to lift")
	case st.Trip != in.Trip || len(r.Blobs) != 1:
		return nil, nil, errSignature()
	}
	o, err := s.audit.operator(ctx, in.Operator)
	if err != nil {
		return nil, nil, err
	}
	if !o.Verify(r.Blobs[0], approval.LiftCanary, st.PublicKey, in.Trip, nil) {
		return nil, nil, errSignature()
	}
	at := time.Now()
	leaf := gatehouse.EventLeaf(gatehouse.CanaryLeafKind, at, "lift-signed", in.Trip.String(), o.Name)
	_, err = s.audit.record(ctx, leaf, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO lifts (trip, operator, at, signature) VALUES (?, ?, ?, ?)
			ON CONFLICT (trip, operator) DO UPDATE SET at = excluded.at, signature = excluded.signature`, in.Trip[:], o.Name, at.UnixMilli(), r.Blobs[0])
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	st, err = s.tripStatus(ctx)
	return st, nil, err
}

func errSignature() error {
	return gatehouse.Errorf("operator.signature", "look at it again and sign what is shown now", "the signature is not this operator's for this matter")
}
