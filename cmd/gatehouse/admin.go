package main

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"syscall"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/client"
	"gatehouse/server"
)

// withAdmin calls f with the running server or the opened store.
func (o *Out) withAdmin(ctx context.Context, f func(api.Admin) error) error {
	a, done, err := o.admin(ctx)
	if err != nil {
		return err
	}
	defer done()
	return f(a)
}

// withDesk calls f with where the vault takes its credential: the vault's machine where
// the command is run there, or else the site.
func (o *Out) withDesk(ctx context.Context, f func(api.Desk) error) error {
	if o.desk != nil {
		return f(o.desk)
	}
	return o.withAdmin(ctx, func(a api.Admin) error { return f(a) })
}

// protected is the directory that no secret may be written into.
func (o *Out) protected() (string, error) {
	if o.desk != nil {
		return o.dir, nil
	}
	c, err := o.config()
	return c.Data, err
}

// atDesk is answer at a desk.
func atDesk[T any](ctx context.Context, o *Out, ask func(api.Desk) (T, error), say func(T)) error {
	return o.withDesk(ctx, func(d api.Desk) error {
		got, err := ask(d)
		return tell(o, got, err, say)
	})
}

// answer asks and prints: the answer as JSON, or what say makes of it.
func answer[T any](ctx context.Context, o *Out, ask func(api.Admin) (T, error), say func(T)) error {
	return o.withAdmin(ctx, func(a api.Admin) error {
		got, err := ask(a)
		return tell(o, got, err, say)
	})
}

// tell prints what was answered, unless it was an error.
func tell[T any](o *Out, got T, err error, say func(T)) error {
	if err != nil {
		return err
	}
	if o.JSON {
		return o.Object(got)
	}
	say(got)
	return nil
}

// admin returns the running server, over its unix socket, or the site's store
// opened here where no server runs. done must be called.
func (o *Out) admin(ctx context.Context) (a api.Admin, done func(), err error) {
	c, err := o.config()
	if err != nil {
		return nil, nil, err
	}
	running, err := runningServer(c)
	if err != nil {
		return nil, nil, err
	}
	if running != nil {
		return running, func() {}, nil
	}
	s, err := server.Open(ctx, c, server.Options{Stderr: o.Stderr})
	if err != nil {
		return nil, nil, err
	}
	s.AwaitVault(ctx)
	return s.Admin(), func() { s.Close(context.WithoutCancel(ctx)) }, nil
}

// runningServer is the server that runs on the configuration's data; nil where none does.
func runningServer(c server.Config) (*client.Client, error) {
	socket := server.SocketPath(c)
	conn, err := net.Dial("unix", socket)
	if err == nil {
		return client.OverSocket(socket), conn.Close()
	}
	if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ECONNREFUSED) {
		return nil, gatehouse.Errorf("server.unreachable", "run it as the user that runs the server; a `data` path of more than about 90 bytes is too long for the socket",
			"it cannot be told whether a server runs on this site: %w", err)
	}
	return nil, nil
}
