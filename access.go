package gatehouse

import (
	"context"
	"log/slog"
	"slices"
	"time"
)

// AccessToken lets a program of somebody else's ask a site's API: a payroll, a display, a
// ticket system. It acts in the role of an integration, narrowed to its scopes and gates,
// and is nobody's account. What the program shows is given once and not kept.
type AccessToken struct {
	Place
	ID     ID
	Name   string       // an operator's label, as CheckName has it: "payroll"
	Scopes []Permission // what it may do: some of those that IntegrationRole gives
	At     []GateID     // where that counts, of what belongs to a gate; none for every gate
	By     string       // who made it: an account's id, or "admin-socket"
	Made   time.Time
	Until  time.Time // it ends then
	Used   time.Time // to within an hour; zero: never
}

// May reports whether the token gives the permission.
func (t AccessToken) May(p Permission) bool {
	return IntegrationRole.May(p) && slices.Contains(t.Scopes, p)
}

// Gates are those at which the token gives the permission.
func (t AccessToken) Gates(p Permission) Gates {
	switch {
	case !t.May(p):
		return Gates{}
	case len(t.At) == 0:
		return AllGates()
	}
	return SomeGates(t.At...)
}

// Operator is who is written down for what the token does.
func (t AccessToken) Operator() string { return "token-" + t.ID.String() }

// LogValue keeps everything but the id out of logs.
func (t AccessToken) LogValue() slog.Value { return slog.StringValue(t.ID.String()) }

// TokenVerifier finds the access token that a program shows.
type TokenVerifier interface {
	// VerifyToken fails with token.refused where there is none such, it has ended or was
	// revoked; which of them is not said. It MUST answer from memory, since every request
	// asks, and in a time that says nothing of how near the text was.
	VerifyToken(ctx context.Context, shown Secret) (AccessToken, error)
	// TokenCounts reports whether a token that was found still counts.
	TokenCounts(id ID) bool
}

// AccessLeaf records that an access token was made ("token-added", with its scopes and
// gates) or revoked ("token-revoked"); by is who did it.
func AccessLeaf(at time.Time, t AccessToken, event, by string) []byte {
	parts := []string{t.Name}
	for _, s := range t.Scopes {
		parts = append(parts, string(s))
	}
	for _, g := range t.At {
		parts = append(parts, "at "+string(g))
	}
	return AccountLeaf(at, t.Place, event, t.ID, by, parts...)
}
