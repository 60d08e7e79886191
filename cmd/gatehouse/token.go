package main

import (
	"context"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
)

// TokenCmd is about access tokens: what other people's programs show to the API.
type TokenCmd struct {
	Add    TokenAddCmd    `cmd:"" help:"Make an access token and print it, once."`
	List   TokenListCmd   `cmd:"" help:"List the access tokens: scopes, end, last use."`
	Revoke TokenRevokeCmd `cmd:"" help:"Refuse an access token from the next request on."`
}

// TokenAddCmd makes one.
type TokenAddCmd struct {
	Name  string        `arg:"" help:"Whom it is for: payroll, display-3."`
	Scope []string      `help:"What it may do: see-passages, see-people, enrol, suspend, edit-records, erase, devices, status, see-disclosures." default:"see-passages" placeholder:"SCOPE"`
	Gate  []string      `help:"Only of this gate; may be given again. Every gate where it is left out." placeholder:"GATE"`
	For   time.Duration `help:"How long it counts, in whole hours, at most two years." default:"8784h"`
}

// Run makes it.
func (cmd TokenAddCmd) Run(ctx context.Context, out *Out) error {
	q := wire.TokenAddRequest{Name: cmd.Name, Hours: int(cmd.For / time.Hour)}
	for _, s := range cmd.Scope {
		q.Scopes = append(q.Scopes, gatehouse.Permission(s))
	}
	for _, g := range cmd.Gate {
		q.Gates = append(q.Gates, gatehouse.GateID(g))
	}
	return answer(ctx, out, func(a api.Admin) (wire.TokenAddResponse, error) { return a.AddToken(ctx, q) }, func(got wire.TokenAddResponse) {
		out.Say("%s may %s until %s; the program shows this, which is printed this once:\n%s", got.Name, tokenScopes(got.AccessToken), got.Until.Local().Format(time.DateOnly), got.Token)
	})
}

func tokenScopes(t wire.AccessToken) string {
	var all []string
	for _, s := range t.Scopes {
		all = append(all, string(s))
	}
	words := strings.Join(all, ", ")
	for i, g := range t.Gates {
		words += map[bool]string{true: " at ", false: ", "}[i == 0] + string(g)
	}
	return words
}

// TokenListCmd lists them.
type TokenListCmd struct{}

// Run lists, one line a token.
func (TokenListCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.TokensResponse, error) { return a.Tokens(ctx) }, func(got wire.TokensResponse) {
		for _, t := range got.Tokens {
			used := "never used"
			if !t.Used.IsZero() {
				used = "used " + t.Used.Local().Format(time.DateTime)
			}
			until := "until " + t.Until.Local().Format(time.DateOnly)
			if t.Ended {
				until = "ended " + t.Until.Local().Format(time.DateOnly)
			}
			out.Say("%-20s  %s  %-26s  %s", t.Name, until, used, tokenScopes(t))
		}
	})
}

// TokenRevokeCmd revokes one.
type TokenRevokeCmd struct {
	Name string `arg:"" help:"As 'gatehouse token list' shows it."`
}

// Run revokes.
func (cmd TokenRevokeCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (map[string]any, error) {
		return map[string]any{"token": cmd.Name, "revoked": true}, a.RevokeToken(ctx, cmd.Name)
	}, func(map[string]any) { out.Say("%s is refused from its next request on", cmd.Name) })
}
