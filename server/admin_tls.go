package server

import (
	"context"
	"net"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/listen"
)

// Authority implements api.TLSAdmin.
func (a admin) Authority(ctx context.Context) (wire.Authority, error) {
	local, err := a.localAuthority(ctx)
	if err != nil {
		return wire.Authority{}, err
	}
	return a.shown(local), nil
}

// MakeAuthority implements api.TLSAdmin.
func (a admin) MakeAuthority(ctx context.Context, r wire.AuthorityRequest) (wire.Authority, error) {
	_, err := a.localAuthority(ctx)
	switch code := gatehouse.ErrorCode(err); {
	case code == "tls.not_local":
		return wire.Authority{}, err
	case code != "tls.no_authority" && !r.Again:
		return wire.Authority{}, gatehouse.Errorf("tls.authority_known", "`gatehouse tls ca show` shows it; --again makes another, which every device must trust anew", "this site has a certificate authority")
	}
	local, err := a.authority(ctx, true)
	if err != nil {
		return wire.Authority{}, err
	}
	out := a.shown(local)
	out.Restart = a.isRunning()
	return out, nil
}

// localAuthority opens the authority and makes none.
func (a admin) localAuthority(ctx context.Context) (*listen.Authority, error) {
	if a.config.TLS.Certificates != "local" {
		return nil, gatehouse.Errorf("tls.not_local", "set tls.certificates to local in gatehouse.yml", "this site's certificates do not come from an authority of its own")
	}
	safe, err := a.tlsSafe()
	if err != nil {
		return nil, err
	}
	return listen.OpenAuthority(ctx, safe, a.config.TLS.Names)
}

func (a admin) shown(local *listen.Authority) wire.Authority {
	_, port, _ := net.SplitHostPort(a.config.Listen)
	names := a.config.TLS.Names
	return wire.Authority{Names: names, Until: local.Until(), Fingerprint: local.Fingerprint(), PEM: string(local.PEM()),
		Instructions: local.Instructions(listen.URL(names[0], port))}
}
