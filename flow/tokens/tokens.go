// Package tokens is the verb of access tokens: they are made for programs of others, shown
// once, found again by what is shown, and revoked. Making and revoking one is an audit
// leaf, written before it counts. They are kept in the working set as verifiers, sealed
// under the gate key.
package tokens

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"gatehouse"
)

// Working keeps what this package makes of a token.
type Working interface {
	PutKept(ctx context.Context, kind gatehouse.WorkingKind, id gatehouse.ID, plain []byte) error
	Kept(kind gatehouse.WorkingKind) map[gatehouse.ID][]byte
	RemoveKept(ctx context.Context, kind gatehouse.WorkingKind, id gatehouse.ID) error
	// AccessVerifier is a keyed digest of a token's text.
	AccessVerifier(token gatehouse.Secret) [32]byte
}

// Ports are what tokens need of the rest.
type Ports struct {
	Place   gatehouse.Place
	Working Working
	Log     gatehouse.LeafWriter
	// HasGate reports whether the site has a gate.
	HasGate func(gatehouse.GateID) bool
	Now     func() time.Time
}

// The bounds of what is kept. A token that nobody replaces in two years is one that nobody
// looks after.
const (
	maxTokens = 1000
	Longest   = 2 * 366 * 24 * time.Hour
	shortest  = time.Minute
)

// usedWithin is how exactly it is kept when a token was used.
const usedWithin = time.Hour

// Prefix begins every token, so that programs that look for leaked ones know it.
const Prefix = "ghat_"

// kept is a token as its item holds it.
type kept struct {
	Token    gatehouse.AccessToken `json:"token"`
	Verifier []byte                `json:"verifier"`
}

// Tokens are a site's access tokens. All methods are safe for concurrent use.
type Tokens struct {
	Ports
	writes sync.Mutex // one change after the other

	mu    sync.Mutex
	all   map[gatehouse.ID]*held
	found map[[32]byte]*held // by verifier
}

// held is a token in memory.
type held struct {
	kept
	used time.Time // exactly
}

// Load reads the tokens out of the working set.
func Load(p Ports) (*Tokens, error) {
	if p.Now == nil {
		p.Now = time.Now
	}
	t := &Tokens{Ports: p, all: map[gatehouse.ID]*held{}, found: map[[32]byte]*held{}}
	for id, plain := range p.Working.Kept(gatehouse.AccessItem) {
		var k kept
		if err := json.Unmarshal(plain, &k); err != nil || k.Token.ID != id || len(k.Verifier) != 32 {
			return nil, gatehouse.Errorf("token.damaged", "this version cannot read it", "an access token in the working set is malformed")
		}
		t.hold(k)
	}
	return t, nil
}

func (t *Tokens) hold(k kept) {
	h := &held{kept: k, used: k.Token.Used}
	t.all[k.Token.ID], t.found[[32]byte(k.Verifier)] = h, h
}

// New is a token that is to be made.
type New struct {
	Name   string
	Scopes []gatehouse.Permission // none: to see passages
	At     []gatehouse.GateID     // none: every gate
	For    time.Duration          // how long it counts, a minute to Longest
}

// Add makes a token; shown is what the program shows, which is not kept. Errors:
// token.name, token.exists, token.scopes, token.gates, token.duration, token.too_many.
func (t *Tokens) Add(ctx context.Context, by string, n New) (made gatehouse.AccessToken, shown gatehouse.Secret, err error) {
	t.writes.Lock()
	defer t.writes.Unlock()
	if err := t.check(&n); err != nil {
		return made, "", err
	}
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	shown = gatehouse.Secret(Prefix + base64.RawURLEncoding.EncodeToString(b[:]))
	verifier := t.Working.AccessVerifier(shown)
	now := t.Now().UTC().Truncate(time.Second)
	k := kept{Verifier: verifier[:], Token: gatehouse.AccessToken{Place: t.Place, ID: gatehouse.RandomID(), Name: n.Name, Scopes: n.Scopes, At: n.At, By: by, Made: now, Until: now.Add(n.For)}}
	if err := t.Log.WriteLeaf(ctx, gatehouse.AccessLeaf(t.Now(), k.Token, "token-added", by)); err != nil {
		return made, "", err
	}
	if err := t.put(ctx, k); err != nil {
		return made, "", err
	}
	t.mu.Lock()
	t.hold(k)
	t.mu.Unlock()
	return k.Token, shown, nil
}

func (t *Tokens) put(ctx context.Context, k kept) error {
	plain, err := json.Marshal(k)
	if err != nil {
		return err
	}
	return t.Working.PutKept(ctx, gatehouse.AccessItem, k.Token.ID, plain)
}

// check refuses what cannot be made, and brings the rest into its form.
func (t *Tokens) check(n *New) error {
	if gatehouse.CheckName(n.Name) != nil {
		return gatehouse.Errorf("token.name", "use 1 to 40 lower-case letters, digits and hyphens: payroll", "this cannot name a token")
	}
	if len(n.Scopes) == 0 {
		n.Scopes = []gatehouse.Permission{gatehouse.SeePassages}
	}
	n.Scopes = slices.Compact(slices.Sorted(slices.Values(n.Scopes)))
	for _, s := range n.Scopes {
		if !gatehouse.IntegrationRole.May(s) {
			return gatehouse.Errorf("token.scopes", "use some of: "+scopeWords(), "a token cannot have this scope")
		}
	}
	for _, g := range n.At {
		if !t.HasGate(g) {
			return gatehouse.Errorf("token.gates", "use ids from `gates` in gatehouse.yml", "there is no such gate")
		}
	}
	n.At = gatehouse.SomeGates(n.At...).List()
	if n.For < shortest || n.For > Longest {
		return gatehouse.Errorf("token.duration", fmt.Sprintf("give %s to %s", shortest, Longest), "a token cannot count for so long or so short")
	}
	list := t.List()
	if slices.ContainsFunc(list, func(o gatehouse.AccessToken) bool { return o.Name == n.Name }) {
		return gatehouse.Errorf("token.exists", "revoke it first, or choose another name", "a token has this name")
	}
	if len(list) >= maxTokens {
		return gatehouse.Errorf("token.too_many", "revoke those that nobody uses", "there are %d tokens", maxTokens)
	}
	return nil
}

// scopeWords lists what a token may be given.
func scopeWords() string {
	var all []string
	for _, p := range gatehouse.Permissions {
		if gatehouse.IntegrationRole.May(p) {
			all = append(all, string(p))
		}
	}
	return strings.Join(all, ", ")
}

// List gives the tokens by name, those that have ended too.
func (t *Tokens) List() []gatehouse.AccessToken {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]gatehouse.AccessToken, 0, len(t.all))
	for _, h := range t.all {
		one := h.Token
		one.Used = h.used.Truncate(time.Second)
		out = append(out, one)
	}
	slices.SortFunc(out, func(a, b gatehouse.AccessToken) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Revoke refuses a token from the next request on and forgets it. Errors: token.unknown.
func (t *Tokens) Revoke(ctx context.Context, by, name string) error {
	t.writes.Lock()
	defer t.writes.Unlock()
	for _, one := range t.List() {
		if one.Name != name {
			continue
		}
		if err := t.Log.WriteLeaf(ctx, gatehouse.AccessLeaf(t.Now(), one, "token-revoked", by)); err != nil {
			return err
		}
		// Refused before it is gone from the disk: a failure there is repeated by the next
		// call and never lets it in meanwhile.
		t.mu.Lock()
		delete(t.found, [32]byte(t.all[one.ID].Verifier))
		t.mu.Unlock()
		if err := t.Working.RemoveKept(ctx, gatehouse.AccessItem, one.ID); err != nil {
			return err
		}
		t.mu.Lock()
		delete(t.all, one.ID)
		t.mu.Unlock()
		return nil
	}
	return gatehouse.Errorf("token.unknown", "see `gatehouse token list`", "there is no such token")
}

// VerifyToken implements gatehouse.TokenVerifier, and notes the use. The verifier is keyed,
// so looking it up says nothing of how near a text was.
func (t *Tokens) VerifyToken(_ context.Context, shown gatehouse.Secret) (gatehouse.AccessToken, error) {
	verifier := t.Working.AccessVerifier(shown)
	now := t.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.found[verifier]
	if h == nil || !now.Before(h.Token.Until) {
		return gatehouse.AccessToken{}, gatehouse.Errorf("token.refused", "ask an administrator: `gatehouse token list` shows which there are", "this access token is none, has ended or was revoked")
	}
	h.used = now
	return h.Token, nil
}

// TokenCounts implements gatehouse.TokenVerifier.
func (t *Tokens) TokenCounts(id gatehouse.ID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	h := t.all[id]
	return h != nil && t.found[[32]byte(h.Verifier)] == h && t.Now().Before(h.Token.Until)
}

// KeepUsed makes durable when tokens were used, those of which that is more than an hour
// ago; all that differ at the server's end.
func (t *Tokens) KeepUsed(ctx context.Context, end bool) error {
	t.writes.Lock()
	defer t.writes.Unlock()
	t.mu.Lock()
	var due []kept
	for _, h := range t.all {
		if d := h.used.Sub(h.Token.Used); d >= usedWithin || end && d >= time.Second {
			k := h.kept
			k.Token.Used = h.used.UTC().Truncate(time.Second)
			due = append(due, k)
		}
	}
	t.mu.Unlock()
	for _, k := range due {
		if err := t.put(ctx, k); err != nil {
			return err
		}
		t.mu.Lock()
		if h := t.all[k.Token.ID]; h != nil {
			h.Token.Used = k.Token.Used
		}
		t.mu.Unlock()
	}
	return nil
}
