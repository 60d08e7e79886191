package machine

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/vault"
)

// What one gate may cost this machine. Pictures of a passage are some hundred
// kilobytes; a request names at most 200 values.
var gateLimits = child.Limits{MaxFrame: vault.MaxRemoteMessage, Concurrent: 32, Memory: 3 * vault.MaxRemoteMessage / 2, Idle: time.Minute, Stall: 2 * time.Minute}

const (
	handshakes     = 64 // at a time
	handshakeLimit = 10 * time.Second
	connsPerGate   = 2 // a gate that comes back may not have noticed yet that it was gone
)

// listener is the machine's side of the network.
type listener struct {
	m      *Machine
	config *tls.Config
	begun  chan struct{} // a token for each handshake
	wait   sync.WaitGroup

	mu    sync.Mutex
	paces map[gatehouse.Place]*pace
	conns map[gatehouse.Place][]net.Conn // oldest first
}

// Serve starts every paired site's vault process and answers gates at address and
// commands at the socket until ctx ends. ready is told the address that it listens at.
// Errors: listen.taken, machine.failed.
func (m *Machine) Serve(ctx context.Context, address string, ready func(net.Addr)) error {
	for _, g := range m.Gates() {
		if g.Revoked {
			continue
		}
		if _, err := m.process(ctx, g.Place()); err != nil { // it is tried again when the gate asks
			m.o.Log.Error("a site's vault could not be opened", "org", g.Org, "site", g.Site, "error", err)
		}
	}
	tcp, err := net.Listen("tcp", address)
	if err != nil {
		return gatehouse.Errorf("listen.taken", "stop the other program, or use another port", "nothing can listen at %s: %w", address, err)
	}
	socket, err := m.listenSocket()
	if err != nil {
		return errors.Join(err, tcp.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l := &listener{m: m, config: m.authority.tlsConfig(), begun: make(chan struct{}, handshakes), paces: map[gatehouse.Place]*pace{}, conns: map[gatehouse.Place][]net.Conn{}}
	defer context.AfterFunc(ctx, func() { tcp.Close(); socket.Close(); l.closeAll() })()
	ended := make(chan error, 2)
	l.wait.Go(func() { ended <- l.accept(ctx, tcp, l.gate) })
	l.wait.Go(func() { ended <- l.accept(ctx, socket, l.command) })
	ready(tcp.Addr())
	err = <-ended
	stopped := ctx.Err() != nil
	cancel()
	l.wait.Wait()
	if stopped {
		return nil
	}
	return err
}

// accept hands every connection to serve, until the listener is closed.
func (l *listener) accept(ctx context.Context, from net.Listener, serve func(context.Context, net.Conn)) error {
	for {
		c, err := from.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return err
		case err != nil: // as out of descriptors: it passes
			l.m.o.Log.Error("a connection could not be accepted", "error", err)
			select {
			case <-time.After(100 * time.Millisecond):
				continue
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		l.wait.Go(func() {
			defer c.Close()
			serve(ctx, c)
		})
	}
}

// gate serves one gate's connection.
func (l *listener) gate(ctx context.Context, raw net.Conn) {
	select {
	case l.begun <- struct{}{}:
	default:
		return // more than so many at a time are no gates
	}
	c := tls.Server(raw, l.config)
	shaking, cancel := context.WithTimeout(ctx, handshakeLimit)
	err := c.HandshakeContext(shaking)
	cancel()
	<-l.begun
	if err != nil {
		l.m.o.Log.Warn("a connection without a good identity was refused", "from", host(raw), "reason", err)
		return
	}
	certificate := c.ConnectionState().PeerCertificates[0]
	place, ok := placeOf(certificate)
	if !ok {
		return
	}
	serial := serialText(certificate.SerialNumber)
	limits := gateLimits
	if err := l.m.admit(place, serial); err != nil {
		l.m.o.Log.Warn("a gate was refused", "org", place.Org, "site", place.Site, "code", gatehouse.ErrorCode(err))
		limits = child.Limits{MaxFrame: 4 << 10, Concurrent: 1, Memory: 4 << 10, Idle: handshakeLimit, Stall: handshakeLimit} // it is told why, and no more
	} else {
		l.m.o.Log.Info("a gate connected", "org", place.Org, "site", place.Site)
		defer l.add(place, c)()
	}
	client := &client{m: l.m, place: place, serial: serial, pace: l.pace(place)}
	_ = child.ServeConn(ctx, c, client.answer, limits) // however it ends: the gate comes back, or does not
}

func host(c net.Conn) string {
	h, _, _ := net.SplitHostPort(c.RemoteAddr().String())
	return h
}

// add counts a gate's connection; a new one ends the oldest beyond connsPerGate.
func (l *listener) add(place gatehouse.Place, c net.Conn) (remove func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	conns := append(l.conns[place], c)
	for len(conns) > connsPerGate {
		conns[0].Close()
		conns = conns[1:]
	}
	l.conns[place] = conns
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		for i, other := range l.conns[place] {
			if other == c {
				l.conns[place] = append(l.conns[place][:i:i], l.conns[place][i+1:]...)
				return
			}
		}
	}
}

func (l *listener) closeAll() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, conns := range l.conns {
		for _, c := range conns {
			c.Close()
		}
	}
}

// connected says how many connections a gate has.
func (l *listener) connected(place gatehouse.Place) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.conns[place])
}

// pace is a gate's own, over all its connections.
func (l *listener) pace(place gatehouse.Place) *pace {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.paces[place] == nil {
		l.paces[place] = &pace{now: time.Now}
	}
	return l.paces[place]
}

// client is one gate's connection.
type client struct {
	m      *Machine
	place  gatehouse.Place
	serial string
	pace   *pace
}

// answer judges a gate's call and passes it on to its site's vault process.
func (c *client) answer(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	if err := c.m.admit(c.place, c.serial); err != nil {
		return nil, nil, err
	}
	if r.Ready() {
		return nil, nil, nil
	}
	if err := c.pace.wait(ctx); err != nil {
		return nil, nil, err
	}
	if !vault.OfMachine(r.Method) {
		if err := vault.Forwarded(r.Method); err != nil { // a gate of ours does not ask
			return nil, nil, err
		}
	}
	if err := checkPlace(r.Header, c.place); err != nil {
		c.m.o.Log.Warn("a gate asked about another site", "org", c.place.Org, "site", c.place.Site)
		return nil, nil, err
	}
	p, err := c.m.process(ctx, c.place)
	if err != nil {
		return nil, nil, err
	}
	switch r.Method {
	case vault.MethodClaim:
		proof, until, err := p.claim(c.m.o.Now())
		if err != nil {
			return nil, nil, err
		}
		return vault.ClaimReply(until), [][]byte{proof}, nil
	case vault.MethodClaimRebuild:
		proof, until, err := p.claimRebuild(c.m.o.Now())
		if err != nil {
			return nil, nil, err
		}
		return vault.ClaimReply(until), [][]byte{proof}, nil
	case vault.MethodRewriteFile:
		var file string
		if err := r.Decode(&file); err != nil {
			return nil, nil, err
		}
		if !p.rewriting.TryLock() { // whole files are copied: one at a time for each site
			return nil, nil, gatehouse.Errorf("vault.busy", "wait until it has ended", "a file of this site's vault is being rewritten already")
		}
		defer p.rewriting.Unlock()
		held, err := p.vault.Load().Rewrite(ctx, file)
		return held, nil, err
	}
	reply, blobs, err := p.vault.Load().Forward(ctx, r.Method, r.Header, r.Blobs)
	if vault.Seals(r.Method) {
		p.drop()
	}
	return reply, blobs, err
}
