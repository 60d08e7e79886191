package vault

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
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
	Subject   approval.Operator
	By        string       // the operator who agrees; empty while there are fewer than two
	ID        gatehouse.ID // time-ordered, made when it was signed
	Signature []byte
}

type plantRequest struct {
	keyRequest
	Canaries []Canary
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
	maxPlanted     = 100
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
	return nil, s.guard.change(ctx, keys, nil, func(c *control) error {
		c.Limits = l.Or(c.Limits)
		return nil
	})
}

// plant makes all of the canaries ones in one change, so that their order tells nothing.
func (s *service) plant(ctx context.Context, keys openKeys, r plantRequest) (any, error) {
	if len(r.Canaries) == 0 || len(r.Canaries) > maxPlanted {
		return nil, gatehouse.Errorf("request.malformed", "plant 1 to 100 at a time", "%d canaries cannot be planted at once", len(r.Canaries))
	}
	for _, c := range r.Canaries {
		token := c.Kind == "token"
		switch {
		case token && len(c.Digest) != sha256.Size, !token && c.Kind != string(gatehouse.PersonSubject) && c.Kind != string(gatehouse.VehicleSubject), !token && c.Subject.IsZero():
			return nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "this is no canary")
		case len(c.Label) > maxCanaryLabel:
			return nil, gatehouse.Errorf("canary.label", "shorten it", "a canary's label has at most %d bytes", maxCanaryLabel)
		}
	}
	at := time.Now().UTC()
	return nil, s.guard.change(ctx, keys, nil, func(n *control) error {
		if len(n.Operators) < lifters {
			return gatehouse.Errorf("canary.operators", "add them with `gatehouse operator add`", "a canary that is opened shuts the vault until two operators lift it, and there are only %d", len(n.Operators))
		}
		if len(n.Canaries)+len(n.Tokens)+len(r.Canaries) > maxCanaries {
			return gatehouse.Errorf("canary.too_many", "these are enough", "there are %d canaries already", len(n.Canaries)+len(n.Tokens))
		}
		for _, c := range r.Canaries {
			if c.Kind == "token" {
				n.Tokens[hexOf(c.Digest)] = canary{Label: c.Label, Planted: at}
				continue
			}
			n.Canaries[c.Subject] = canary{Kind: gatehouse.SubjectKind(c.Kind), Label: c.Label, Planted: at}
		}
		return nil
	})
}

func (s *service) canaries(ctx context.Context, keys openKeys, _ keyRequest) ([]Canary, error) {
	// Who knows the canaries can step around them, so asking is written down.
	var list []Canary
	leaf := gatehouse.EventLeaf(gatehouse.CanaryLeafKind, time.Now(), canaryListed)
	err := s.guard.look(ctx, keys, leaf, func(c *control) {
		for id, k := range c.Canaries {
			list = append(list, Canary{Subject: id, Kind: string(k.Kind), Label: k.Label, Planted: k.Planted})
		}
		for _, k := range c.Tokens {
			list = append(list, Canary{Kind: "token", Label: k.Label, Planted: k.Planted})
		}
	})
	sortCanaries(list)
	return list, err
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
	// What decides is checked again when the vault is unsealed, against the control.
	all, err := s.audit.registered(ctx)
	switch {
	case err != nil:
		return nil, nil, err
	case involved(o.Name, st.Operator):
		return nil, nil, gatehouse.Errorf("canary.involved", "ask a colleague", "who opened the canary cannot lift it")
	case !counts(all, o.Name, in.Trip.Time()):
		return nil, nil, gatehouse.Errorf("operator.young", "ask somebody who was an operator a day before the canary was opened", "an operator who was added less than a day before cannot lift a canary")
	}
	at := time.Now()
	leaf := gatehouse.EventLeaf(gatehouse.CanaryLeafKind, at, canarySigned, in.Trip.String(), o.Name, digestOf(r.Blobs[0]))
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
