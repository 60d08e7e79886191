package wire

import (
	"log/slog"
	"time"

	"gatehouse"
)

// TokenAddRequest makes an access token. POST /admin/v1/tokens.
type TokenAddRequest struct {
	Name   string                 `json:"name"`
	Scopes []gatehouse.Permission `json:"scopes,omitempty"` // none: see-passages
	Gates  []gatehouse.GateID     `json:"gates,omitempty"`  // where they count; none: every gate
	Hours  int                    `json:"hours"`            // how long it counts, at most 17568
}

// TokenAddResponse holds what the program shows, which is given this once.
type TokenAddResponse struct {
	AccessToken
	Token string `json:"token"`
}

// LogValue redacts the token.
func (TokenAddResponse) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// AccessToken is one without what the program shows.
type AccessToken struct {
	ID     gatehouse.ID           `json:"id"`
	Name   string                 `json:"name"`
	Scopes []gatehouse.Permission `json:"scopes"`
	Gates  []gatehouse.GateID     `json:"gates,omitempty"` // none: every gate
	By     string                 `json:"by"`
	Made   time.Time              `json:"made"`
	Until  time.Time              `json:"until"`
	Ended  bool                   `json:"ended,omitempty"`
	Used   time.Time              `json:"used,omitzero"` // never, where it is missing
}

// TokensResponse answers GET /admin/v1/tokens, by name.
type TokensResponse struct {
	Tokens []AccessToken `json:"tokens"`
}
