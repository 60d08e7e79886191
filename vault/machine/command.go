package machine

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/vault"
)

// Admin is what a person at the vault's machine does: the Machine itself, or over its
// socket the one that serves. Errors are the Machine's.
type Admin interface {
	Pair(ctx context.Context, r PairRequest) (identity []byte, err error)
	Revoke(ctx context.Context, place gatehouse.Place) error
	// Unseal and Seal need a machine that serves: machine.not_serving.
	Unseal(ctx context.Context, r UnsealRequest, with gatehouse.Credential) error
	Seal(ctx context.Context, places []gatehouse.Place) error
	Status(ctx context.Context) ([]GateStatus, error)
	// RotateKey exchanges the vault key of all sites, also while the vault is sealed. It
	// may be interrupted, the machine killed: the next one goes on with it. tell hears how
	// far it is. Errors: gate.none, vault.Desk's PrepareRotation, BeginRotation and
	// RotateBatch, machine.failed.
	RotateKey(ctx context.Context, with gatehouse.Credential, tell func(RotationStep)) (KeyRotation, error)
	// Desk is where a site's vault takes the vault's credential, also while the machine
	// does not serve. Its calls fail with gate.unknown for a site that is not paired.
	Desk(place gatehouse.Place) vault.Desk
}

// PairRequest asks for a gate's identity.
type PairRequest struct {
	Place   gatehouse.Place
	Address string
	Lasts   time.Duration
}

// UnsealRequest asks to open the vault for some sites; none are all.
type UnsealRequest struct {
	Places []gatehouse.Place
	Lasts  time.Duration
	// Rebuild grants no lease, but lets each of the gates rebuild its working set once,
	// within the hour.
	Rebuild bool
}

// GateStatus is what is known of one paired gate.
type GateStatus struct {
	Gate
	Serving   bool      `json:"serving"` // otherwise the next three are unknown
	Connected bool      `json:"connected"`
	Unsealed  bool      `json:"unsealed"`
	Until     time.Time `json:"until,omitzero"`
}

// Dial returns the machine that serves dir, or else the machine opened here; done
// must be called. Errors: machine.unreachable, and those of Open.
func Dial(o Options) (a Admin, done func() error, err error) {
	path := filepath.Join(o.Dir, socketFile)
	c, err := net.Dial("unix", path)
	switch {
	case err == nil:
		_ = c.Close()
		r := child.Connect(child.RemoteSpec{Name: "vault", Called: "the vault's machine", Log: o.Log, DialLimit: time.Minute, CallLimit: 10 * time.Minute,
			Dial: func(ctx context.Context) (net.Conn, error) {
				var d net.Dialer
				return d.DialContext(ctx, "unix", path)
			}})
		return &overSocket{r}, func() error { r.Stop(); return nil }, nil
	case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ECONNREFUSED):
		return nil, nil, gatehouse.Errorf("machine.unreachable", "run it as the user that runs the vault; a directory of more than about 90 bytes is too long for the socket",
			"it cannot be told whether the vault serves: %w", err)
	}
	m, err := Open(o)
	if err != nil {
		return nil, nil, err
	}
	return local{m}, m.Close, nil
}

// local is the machine while it does not serve.
type local struct{ m *Machine }

func notServing() error {
	return gatehouse.Errorf("machine.not_serving", "start it with `gatehouse vault serve`", "no vault is serving from this directory")
}

func (l local) Pair(_ context.Context, r PairRequest) ([]byte, error) {
	return l.m.Pair(r.Place, r.Address, r.Lasts)
}
func (l local) Revoke(_ context.Context, place gatehouse.Place) error { return l.m.Revoke(place) }
func (l local) Unseal(context.Context, UnsealRequest, gatehouse.Credential) error {
	return notServing()
}
func (l local) Seal(context.Context, []gatehouse.Place) error { return notServing() }
func (l local) Desk(place gatehouse.Place) vault.Desk {
	return vault.NewDesk(func(ctx context.Context, method string, header any, blobs [][]byte, reply any) ([][]byte, error) {
		asked, err := json.Marshal(header)
		if err != nil {
			return nil, err
		}
		return l.m.desk(ctx, deskRequest{place, method, asked}, blobs, reply)
	})
}
func (l local) Status(context.Context) (list []GateStatus, err error) {
	for _, g := range l.m.Gates() {
		list = append(list, GateStatus{Gate: g})
	}
	return list, nil
}

// The socket's methods, which are Admin's.
const (
	pairCommand   = "pair"
	revokeCommand = "revoke"
	unsealCommand = "unseal"
	sealCommand   = "seal"
	statusCommand = "status"
	deskCommand   = "desk"

	publishCommand = "publish" // header string, the new key's name
	finishCommand  = "finish"  // header string, the new key's name
)

// unsealCommand's header; the credential's secret, sealed to a letterbox of the place's
// vault process, is the attachment.
type unsealHeader struct {
	UnsealRequest
	Kind   gatehouse.CredentialKind
	Source string
}

// deskCommand's header, and a call's attachments.
type deskRequest struct {
	Place  gatehouse.Place
	Method string
	Header json.RawMessage
}

// overSocket is the machine that serves.
type overSocket struct{ r *child.Remote }

func (s *overSocket) call(ctx context.Context, method string, header any, blobs [][]byte, reply any) ([][]byte, error) {
	// Whoever stands at the machine is told that it stopped, and does not wait for it.
	if s.r.Status().State == child.Down {
		return nil, gatehouse.Errorf("machine.unreachable", "start it with `gatehouse vault serve`, and run the command again", "the vault's machine has stopped")
	}
	if err := s.r.Wait(ctx); err != nil {
		return nil, err
	}
	return s.r.Call(ctx, method, header, blobs, reply)
}

func (s *overSocket) Pair(ctx context.Context, r PairRequest) ([]byte, error) {
	blobs, err := s.call(ctx, pairCommand, r, nil, nil)
	if err != nil {
		return nil, err
	}
	if len(blobs) != 1 {
		return nil, gatehouse.Errorf("vault.protocol", "this is a fault of the program", "the vault's machine gave no identity")
	}
	return blobs[0], nil
}

func (s *overSocket) Revoke(ctx context.Context, place gatehouse.Place) error {
	_, err := s.call(ctx, revokeCommand, place, nil, nil)
	return err
}

func (s *overSocket) Unseal(ctx context.Context, r UnsealRequest, with gatehouse.Credential) error {
	places := r.Places
	if len(places) == 0 {
		gates, err := s.Status(ctx)
		if err != nil {
			return err
		}
		for _, g := range gates {
			if !g.Revoked {
				places = append(places, g.Place())
			}
		}
	}
	if len(places) == 0 {
		return gatehouse.Errorf("gate.none", "pair one with `gatehouse vault pair`", "no gate is paired with this vault")
	}
	// Site after site, for a letterbox does not wait for long: the machine passes
	// ciphertext on to each one's vault process.
	for _, place := range places {
		box, err := s.Desk(place).Letterbox(ctx)
		if err != nil {
			return err
		}
		sealed, err := with.Seal(box)
		if err != nil {
			return err
		}
		one := unsealHeader{UnsealRequest{Places: []gatehouse.Place{place}, Lasts: r.Lasts, Rebuild: r.Rebuild}, with.Kind, with.Source}
		if _, err := s.call(ctx, unsealCommand, one, [][]byte{sealed.Secret}, nil); err != nil {
			return err
		}
	}
	return nil
}

func (s *overSocket) Desk(place gatehouse.Place) vault.Desk {
	return vault.NewDesk(func(ctx context.Context, method string, header any, blobs [][]byte, reply any) ([][]byte, error) {
		asked, err := json.Marshal(header)
		if err != nil {
			return nil, err
		}
		return s.call(ctx, deskCommand, deskRequest{place, method, asked}, blobs, reply)
	})
}

func (s *overSocket) Seal(ctx context.Context, places []gatehouse.Place) error {
	_, err := s.call(ctx, sealCommand, places, nil, nil)
	return err
}

func (s *overSocket) Status(ctx context.Context) (list []GateStatus, err error) {
	_, err = s.call(ctx, statusCommand, nil, nil, &list)
	return list, err
}

// listenSocket makes the socket, which only this user and root can open. One that a
// killed process left is replaced: the directory's lock is held.
func (m *Machine) listenSocket() (net.Listener, error) {
	path := filepath.Join(m.o.Dir, socketFile)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, failed(err)
	}
	l, err := net.Listen("unix", path)
	if err == nil {
		if err = os.Chmod(path, 0o600); err == nil { // its directory is 0700 already
			return l, nil
		}
		_ = l.Close() // the first error says why
	}
	return nil, gatehouse.Errorf("machine.failed", "a directory of more than about 90 bytes is too long for the socket", "the socket for commands cannot be made: %w", err)
}

// A keyring of the largest size fits into an answer.
var commandLimits = child.Limits{MaxFrame: 4 << 20, Concurrent: 4, Memory: 8 << 20, Idle: 15 * time.Minute, Stall: time.Minute}

// command serves a person's connection.
func (l *listener) command(ctx context.Context, c net.Conn) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	_ = child.ServeConn(ctx, c, l.answer, commandLimits) // whoever asked has gone
}

func (l *listener) answer(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	if r.Ready() {
		return nil, nil, nil
	}
	switch r.Method {
	case pairCommand:
		var q PairRequest
		if err := r.Decode(&q); err != nil {
			return nil, nil, err
		}
		identity, err := l.m.Pair(q.Place, q.Address, q.Lasts)
		return nil, [][]byte{identity}, err
	case revokeCommand:
		var place gatehouse.Place
		if err := r.Decode(&place); err != nil {
			return nil, nil, err
		}
		return nil, nil, l.m.Revoke(place)
	case unsealCommand:
		var q unsealHeader
		if err := r.Decode(&q); err != nil || len(r.Blobs) != 1 {
			return nil, nil, errors.Join(err, gatehouse.Errorf("request.malformed", "this is a fault of the program", "the credential is missing"))
		}
		defer clear(r.Blobs[0])
		return nil, nil, l.m.Unseal(ctx, q.UnsealRequest, gatehouse.Credential{Kind: q.Kind, Source: q.Source, Secret: r.Blobs[0], Sealed: true})
	case deskCommand:
		var q deskRequest
		if err := r.Decode(&q); err != nil {
			return nil, nil, err
		}
		for _, b := range r.Blobs {
			defer clear(b)
		}
		var reply json.RawMessage
		blobs, err := l.m.desk(ctx, q, r.Blobs, &reply)
		if len(reply) == 0 {
			return nil, blobs, err
		}
		return reply, blobs, err
	case sealCommand:
		var places []gatehouse.Place
		if err := r.Decode(&places); err != nil {
			return nil, nil, err
		}
		return nil, nil, l.m.Seal(ctx, places)
	case publishCommand, finishCommand:
		var name string
		if err := r.Decode(&name); err != nil {
			return nil, nil, err
		}
		if r.Method == publishCommand {
			return nil, nil, l.m.publish(ctx, name)
		}
		return nil, nil, l.m.finish(ctx, name)
	case statusCommand:
		list, err := l.status(ctx)
		return list, nil, err
	}
	return nil, nil, gatehouse.Errorf("request.unknown", "use the same version of the program", "the vault's machine knows no such command")
}

// desk passes a call with the vault's credential on to a site's vault process. Errors:
// gate.unknown, request.unknown, and the process's.
func (m *Machine) desk(ctx context.Context, q deskRequest, blobs [][]byte, reply any) ([][]byte, error) {
	if err := vault.AtDesk(q.Method); err != nil {
		return nil, err
	}
	p, err := m.process(ctx, q.Place)
	if err != nil {
		return nil, err
	}
	got, answer, err := p.vault.Load().Forward(ctx, q.Method, q.Header, blobs)
	if err != nil || got == nil || reply == nil {
		return answer, err
	}
	raw, ok := got.(json.RawMessage)
	if !ok {
		return answer, nil
	}
	return answer, json.Unmarshal(raw, reply)
}

// status asks every site's vault process.
func (l *listener) status(ctx context.Context) ([]GateStatus, error) {
	list := []GateStatus{}
	running := l.m.runningOf(nil)
	for _, g := range l.m.Gates() {
		s := GateStatus{Gate: g, Connected: l.connected(g.Place()) > 0}
		if r := running[g.Place()]; r != nil {
			st, err := r.vault.Load().Status(ctx)
			if err != nil {
				return nil, err
			}
			s.Serving, s.Unsealed, s.Until = true, !st.Sealed, st.Until
		}
		list = append(list, s)
	}
	return list, nil
}
