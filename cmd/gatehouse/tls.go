package main

import (
	"context"
	"time"

	"gatehouse/api"
	"gatehouse/api/wire"
)

// TLSCmd is about how others than this machine reach the server.
type TLSCmd struct {
	CA TLSCACmd `cmd:"" name:"ca" help:"The certificate authority that Gatehouse makes for this site."`
}

// TLSCACmd is about the site's own certificate authority.
type TLSCACmd struct {
	Init TLSCAInitCmd `cmd:"" help:"Make the authority, for the names in gatehouse.yml. The first start makes it too."`
	Show TLSCAShowCmd `cmd:"" help:"Show its fingerprint and certificate, and how phones and computers come to trust it."`
}

// TLSCAInitCmd makes the authority.
type TLSCAInitCmd struct {
	Again bool `help:"Replace the one that is there: every device has to trust the new one."`
}

// Run makes it.
func (cmd TLSCAInitCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.Authority, error) {
		return a.MakeAuthority(ctx, wire.AuthorityRequest{Again: cmd.Again})
	}, out.authority)
}

// TLSCAShowCmd shows the authority.
type TLSCAShowCmd struct{}

// Run shows it.
func (TLSCAShowCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.Authority, error) { return a.Authority(ctx) }, out.authority)
}

func (o *Out) authority(a wire.Authority) {
	o.Say("The authority vouches for %v and no other names, until %s.\n", a.Names, a.Until.Local().Format(time.DateOnly))
	o.Say("%s\n%s", a.Instructions, a.PEM)
	if a.Restart {
		o.Say("Start the server again: until then it shows certificates of the authority before.")
	}
}
