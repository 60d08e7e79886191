package sealeddb

import (
	"context"
	"database/sql/driver"
	"net/url"
	"sync"
	"time"

	"gatehouse"

	"github.com/ncruces/go-sqlite3"
	sqlite "github.com/ncruces/go-sqlite3/driver"
)

// gate stands where connections to one database are opened. While it is shut none is
// opened, those in use are closed when they are given back, and so the file can be
// exchanged beneath a program that goes on asking for connections: it waits.
type gate struct {
	path string

	mu     sync.Mutex
	key    string        // the name of the file's key
	live   int           // connections that are open
	opened chan struct{} // not nil while the gate is shut; closed when it opens
	empty  chan struct{} // not nil while somebody waits for the last connection to close
}

// enter waits until a connection may be opened, and counts it.
func (g *gate) enter(ctx context.Context) (keyName string, err error) {
	for {
		g.mu.Lock()
		if g.opened == nil {
			g.live++
			keyName = g.key
			g.mu.Unlock()
			return keyName, nil
		}
		opened := g.opened
		g.mu.Unlock()
		select {
		case <-opened:
		case <-ctx.Done():
			return "", ctx.Err()
		}
	}
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.live--; g.live == 0 && g.empty != nil {
		close(g.empty)
		g.empty = nil
	}
}

func (g *gate) keyName() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.key
}

func (g *gate) isShut() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.opened != nil
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.opened = make(chan struct{})
}

// open lets connections in again, under the key of that name.
func (g *gate) open(keyName string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.key = keyName
	close(g.opened)
	g.opened = nil
}

// drained waits until no connection is open any more; it fails with store.busy where
// somebody keeps one for longer than patience.
func (g *gate) drained(ctx context.Context, patience time.Duration) error {
	g.mu.Lock()
	if g.live == 0 {
		g.mu.Unlock()
		return nil
	}
	empty := make(chan struct{})
	g.empty = empty
	g.mu.Unlock()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return gatehouse.Errorf("store.busy", "try again", "somebody reads the database for too long")
	}
}

// connector opens a database's connections, all of one kind.
type connector struct {
	gate *gate
	// what the connections are: their pragmas in order, and further options of the URI.
	pragmas []string
	options url.Values
}

// Driver implements driver.Connector.
func (c *connector) Driver() driver.Driver { return &sqlite.SQLite{} }

// Connect implements driver.Connector.
func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	keyName, err := c.gate.enter(ctx)
	if err != nil {
		return nil, err
	}
	inner, err := c.open(ctx, keyName)
	if err != nil {
		c.gate.leave()
		return nil, err
	}
	return &gatedConn{sealedConn: inner, gate: c.gate}, nil
}

func (c *connector) open(ctx context.Context, keyName string) (sealedConn, error) {
	one, err := (&sqlite.SQLite{}).OpenConnector(location(c.gate.path, keyName, c.pragmas, c.options))
	if err != nil {
		return nil, err
	}
	conn, err := one.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return conn.(sealedConn), nil
}

// location is the URI of a database. The pragmas are carried out in their order.
func location(path, keyName string, pragmas []string, options url.Values) string {
	query := url.Values{"vfs": {vfsName}, "textkey": {keyName}, "modeof": {path}, "_txlock": {"immediate"}, "_pragma": pragmas}
	for name, values := range options {
		query[name] = values
	}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}).String()
}

// sealedConn is what the driver's connections can do.
type sealedConn interface {
	Raw() *sqlite3.Conn
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.NamedValueChecker
}

// gatedConn is a connection that is given up when its gate is shut.
type gatedConn struct {
	sealedConn
	gate  *gate
	leave sync.Once
}

// IsValid implements driver.Validator: asked when the connection is given back.
func (c *gatedConn) IsValid() bool { return !c.gate.isShut() }

// ResetSession implements driver.SessionResetter: asked before it is used again.
func (c *gatedConn) ResetSession(context.Context) error {
	if c.gate.isShut() {
		return driver.ErrBadConn
	}
	return nil
}

// Close implements driver.Conn.
func (c *gatedConn) Close() error {
	err := c.sealedConn.Close()
	c.leave.Do(c.gate.leave)
	return err
}
