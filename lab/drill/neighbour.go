package drill

import (
	"context"
	"errors"
	"io"
	"net/http"
	"path/filepath"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
	"gatehouse/server"
)

// neighbour is another tenant's site with credentials of its own: a session, and the
// token of a device that has the name of one of the copy's.
type neighbour struct{ session, token string }

// meetNeighbour makes the other site, takes its credentials, and closes it again.
func (d *drill) meetNeighbour(ctx context.Context) error {
	c := fresh(filepath.Join(d.root, "next"), filepath.Join(d.root, "keys", "next.key")) // short, as a socket's path must be
	c.Organization, c.Site.ID, c.Gates, c.LogLevel = "neighbour", "neighbour", c.Gates[1:], "error"
	s, err := server.Open(ctx, c, server.Options{Stderr: io.Discard, NewPassphrase: []byte(auth.NewToken())})
	if err != nil {
		return err
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	ready, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- s.Run(running, func(link string) { ready <- link }) }()
	select {
	case link := <-ready:
		err = d.neighbour.enter(ctx, s, c, link)
	case err = <-ended:
		ended <- nil
	}
	stop()
	return errors.Join(err, <-ended, s.Close(context.WithoutCancel(ctx)))
}

func (n *neighbour) enter(ctx context.Context, s *server.Server, c server.Config, link string) error {
	answer, err := s.Admin().AddDevice(ctx, wire.DeviceAddRequest{ID: drillReader, Kind: "terminal", Gate: gatehouse.GateID(c.Gates[0].ID)})
	if err != nil {
		return err
	}
	n.token = answer.Token
	b := &browser{base: baseOf(link), client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	n.session, err = b.signIn(ctx, link)
	return err
}
