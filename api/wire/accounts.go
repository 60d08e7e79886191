package wire

import (
	"log/slog"
	"time"

	"gatehouse"
)

// Account is somebody who works with Gatehouse. Name is personal.
type Account struct {
	ID          gatehouse.AccountID    `json:"id"`
	Login       string                 `json:"login"`
	Name        string                 `json:"name,omitempty"`
	State       gatehouse.AccountState `json:"state"`
	Roles       []string               `json:"roles"` // as gatehouse.Assignment writes them
	Made        time.Time              `json:"made"`
	Credentials []AccountCredential    `json:"credentials"`
	Sessions    int                    `json:"sessions"`
}

// LogValue keeps the name out of logs.
func (a Account) LogValue() slog.Value { return slog.StringValue(a.ID.String()) }

// AccountCredential is something that an account signs in with.
type AccountCredential struct {
	Kind gatehouse.SignInKind `json:"kind"`
	Made time.Time            `json:"made"`
	Used time.Time            `json:"used,omitzero"`
}

// AccountsResponse answers GET /admin/v1/accounts, by login.
type AccountsResponse struct {
	Accounts []Account `json:"accounts"`
}

// AccountAddRequest makes an account. POST /admin/v1/accounts.
type AccountAddRequest struct {
	Login string   `json:"login"`
	Name  string   `json:"name,omitempty"` // personal
	Roles []string `json:"roles"`
}

// LogValue redacts the request.
func (AccountAddRequest) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// InviteResponse holds an invitation, shown once.
type InviteResponse struct {
	Account Account   `json:"account"`
	Link    string    `json:"link"`
	Until   time.Time `json:"until"`
}

// LogValue redacts the link.
func (InviteResponse) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// AccountRolesRequest gives an account these roles and no others.
type AccountRolesRequest struct {
	Roles []string `json:"roles"`
}

// AccountDisableRequest disables an account, or enables it again.
type AccountDisableRequest struct {
	Disabled bool `json:"disabled"`
}

// IdentityRequest names somebody at a provider of single sign-on.
type IdentityRequest struct {
	Issuer  string `json:"issuer"`
	Subject string `json:"subject"` // personal
}

// LogValue redacts the request.
func (IdentityRequest) LogValue() slog.Value { return slog.StringValue("[redacted]") }
