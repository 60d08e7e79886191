package server

import (
	"context"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/flow/tokens"
)

// openTokens reads which programs may ask. When they last did is kept at the end.
func (s *Server) openTokens() (err error) {
	s.tokens, err = tokens.Load(tokens.Ports{Place: s.site.Place, Working: s.working, Log: leafLog{s},
		HasGate: func(id gatehouse.GateID) bool { _, ok := s.site.Gates[id]; return ok }})
	if err == nil {
		s.onClose(func(ctx context.Context) error { return s.tokens.KeepUsed(ctx, true) })
	}
	return err
}

// tokensKept is how often it is looked whether a token's last use must be kept.
const tokensKept = 10 * time.Minute

func (s *Server) keepTokens(ctx context.Context) {
	beat := time.NewTicker(tokensKept)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
		}
		if err := s.tokens.KeepUsed(ctx, false); err != nil && ctx.Err() == nil {
			s.log.Warn("when access tokens were used could not be kept", "code", gatehouse.ErrorCode(err))
		}
	}
}

// shownTokens implements gatehouse.TokenVerifier: what is no token may be a canary.
type shownTokens struct{ *Server }

// VerifyToken implements gatehouse.TokenVerifier.
func (t shownTokens) VerifyToken(ctx context.Context, shown gatehouse.Secret) (gatehouse.AccessToken, error) {
	found, err := t.tokens.VerifyToken(ctx, shown)
	if err != nil {
		t.admin().noteCanary(ctx, shown, "")
	}
	return found, err
}

// TokenCounts implements gatehouse.TokenVerifier.
func (t shownTokens) TokenCounts(id gatehouse.ID) bool { return t.tokens.TokenCounts(id) }

// noteCanary shuts the vault where what somebody showed in vain is a canary's.
func (a admin) noteCanary(ctx context.Context, shown gatehouse.Secret, device gatehouse.DeviceID) {
	if err := a.vault.ShowToken(ctx, shown, device); gatehouse.ErrorCode(err) == "vault.canary" {
		a.shutByCanary(ctx)
	}
}

// AddToken implements api.TokensAdmin.
func (a admin) AddToken(ctx context.Context, r wire.TokenAddRequest) (wire.TokenAddResponse, error) {
	if r.Hours < 0 || r.Hours > int(tokens.Longest/time.Hour) {
		r.Hours = 0 // which is refused
	}
	made, shown, err := a.tokens.Add(ctx, a.asker(ctx), tokens.New{Name: r.Name, Scopes: r.Scopes, At: r.Gates, For: time.Duration(r.Hours) * time.Hour})
	if err != nil {
		return wire.TokenAddResponse{}, err
	}
	return wire.TokenAddResponse{AccessToken: accessToken(made), Token: shown.Reveal()}, nil
}

func accessToken(t gatehouse.AccessToken) wire.AccessToken {
	return wire.AccessToken{ID: t.ID, Name: t.Name, Scopes: slices.Clone(t.Scopes), Gates: t.At, By: t.By, Made: t.Made, Until: t.Until, Used: t.Used, Ended: !time.Now().Before(t.Until)}
}

// Tokens implements api.TokensAdmin.
func (a admin) Tokens(context.Context) (wire.TokensResponse, error) {
	out := wire.TokensResponse{Tokens: []wire.AccessToken{}}
	for _, t := range a.tokens.List() {
		out.Tokens = append(out.Tokens, accessToken(t))
	}
	return out, nil
}

// RevokeToken implements api.TokensAdmin.
func (a admin) RevokeToken(ctx context.Context, name string) error {
	return a.tokens.Revoke(ctx, a.asker(ctx), name)
}
