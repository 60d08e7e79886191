package server

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/auth"
	"gatehouse/flow/accounts"
)

// openAccounts reads who may sign in.
func (s *Server) openAccounts() (err error) {
	s.accounts, err = accounts.Load(accounts.Ports{Place: s.site.Place, Working: s.working, Log: leafLog{s},
		HasGate: func(id gatehouse.GateID) bool { _, ok := s.site.Gates[id]; return ok }})
	return err
}

// leafLog adds leaves that belong to no row, and wakes what follows the log.
type leafLog struct{ *Server }

// WriteLeaf implements gatehouse.LeafWriter.
func (l leafLog) WriteLeaf(ctx context.Context, leaf []byte) error {
	err := l.store.WriteLeaf(ctx, leaf)
	if err == nil {
		l.committed()
	}
	return err
}

// authOptions are how people and devices sign in at a port.
func (s *Server) authOptions(t *transport) (auth.Options, error) {
	c := s.config.SignIn
	o := auth.Options{Place: s.site.Place, BaseURL: s.config.baseURL(t.port), Hosts: t.hosts, Idle: c.Idle, Absolute: c.Absolute, Fresh: c.Fresh,
		RelyingParty: s.config.relyingParty(), SiteName: s.config.Site.Name, TOTP: c.TOTP, Accounts: s.accounts, Log: leafLog{s}, Devices: s.newDevices(t), Tokens: shownTokens{s}}
	if c.OIDC.Issuer == "" {
		return o, nil
	}
	roles, err := c.OIDC.roles()
	if err != nil {
		return o, err
	}
	o.OIDC = &auth.OIDC{Issuer: c.OIDC.Issuer, ClientID: c.OIDC.ClientID, Domains: c.OIDC.Domains, RolesClaim: c.OIDC.RolesClaim, Roles: roles}
	if c.OIDC.Secret != "" {
		o.OIDC.Secret = func() gatehouse.Secret {
			secret, _ := s.Secret(c.OIDC.Secret)
			return secret
		}
	}
	return o, nil
}

// entrance is the address that a start prints: a one-time link while the site is to be
// set up, or to a local session where one was asked for; otherwise the console's own.
func (s *Server) entrance() string {
	switch {
	case s.opts.LocalSession:
		return s.auth.Mint()
	case !s.accounts.Ready():
		return s.auth.MintSetUp()
	}
	return s.auth.BaseURL()
}

// noteRefusals writes down how many attempts to sign in were refused.
func (s *Server) noteRefusals(ctx context.Context) {
	beat := time.NewTicker(time.Minute)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			s.auth.NoteRefusals(context.WithoutCancel(ctx))
			return
		case <-beat.C:
			s.auth.NoteRefusals(ctx)
		}
	}
}
