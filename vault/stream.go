package vault

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
)

// What is too large for one message leaves the vault process as a stream: opened by
// one call, read piece by piece, ended by the reader or, where nobody reads any more,
// by itself.
const (
	methodRead = "read" // header streamRequest; attachment: the next piece, none at the end
	methodEnd  = "end"  // header streamRequest
)

type streamRequest struct{ Stream uint64 }

const (
	pieceSize  = 4 << 20
	maxStreams = 4
	streamIdle = 5 * time.Minute
)

func (s *service) streamHandlers() map[string]child.Handler {
	return map[string]child.Handler{methodRead: s.handleRead, methodEnd: s.handleEnd}
}

// streams are those that are open. Its zero value is ready for use.
type streams struct {
	mu   sync.Mutex
	last uint64
	open map[uint64]*stream
}

type stream struct {
	mu     sync.Mutex // one read at a time
	source io.ReadCloser
	idle   *time.Timer
}

// add takes the source over. Errors: vault.busy; the source is closed then.
func (all *streams) add(source io.ReadCloser) (uint64, error) {
	all.mu.Lock()
	defer all.mu.Unlock()
	if len(all.open) >= maxStreams {
		return 0, errors.Join(gatehouse.Errorf("vault.busy", "wait until the other backup has ended", "too much is being read from the vault at once"), source.Close())
	}
	if all.open == nil {
		all.open = map[uint64]*stream{}
	}
	all.last++
	id := all.last
	all.open[id] = &stream{source: source, idle: time.AfterFunc(streamIdle, func() { _ = all.end(id) })}
	return id, nil
}

func (all *streams) get(id uint64) *stream {
	all.mu.Lock()
	defer all.mu.Unlock()
	return all.open[id]
}

func (all *streams) end(id uint64) error {
	all.mu.Lock()
	st := all.open[id]
	delete(all.open, id)
	all.mu.Unlock()
	if st == nil {
		return nil
	}
	st.idle.Stop()
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.source.Close()
}

// close ends all of them.
func (all *streams) close() error {
	all.mu.Lock()
	var ids []uint64
	for id := range all.open {
		ids = append(ids, id)
	}
	all.mu.Unlock()
	var err error
	for _, id := range ids {
		err = errors.Join(err, all.end(id))
	}
	return err
}

func (s *service) handleRead(_ context.Context, r *child.Request) (any, [][]byte, error) {
	var in streamRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	st := s.streams.get(in.Stream)
	if st == nil {
		return nil, nil, gatehouse.Errorf("vault.stream", "begin again", "what was being read from the vault has ended")
	}
	st.idle.Reset(streamIdle)
	st.mu.Lock()
	defer st.mu.Unlock()
	piece := make([]byte, pieceSize)
	n, err := io.ReadFull(st.source, piece)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, nil, err
	}
	return nil, [][]byte{piece[:n]}, nil
}

func (s *service) handleEnd(_ context.Context, r *child.Request) (any, [][]byte, error) {
	var in streamRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	return nil, nil, s.streams.end(in.Stream)
}

// remote reads a stream of the vault process.
type remote struct {
	ctx    context.Context
	vault  *Vault
	stream uint64
	piece  []byte
	ended  bool
}

func (r *remote) Read(b []byte) (int, error) {
	if len(r.piece) == 0 && !r.ended {
		blobs, err := r.vault.process.Call(r.ctx, methodRead, streamRequest{r.stream}, nil, nil)
		if err != nil {
			return 0, err
		}
		if len(blobs) == 1 {
			r.piece = blobs[0]
		}
		r.ended = len(r.piece) < pieceSize
	}
	if len(r.piece) == 0 {
		return 0, io.EOF
	}
	n := copy(b, r.piece)
	r.piece = r.piece[n:]
	return n, nil
}

func (r *remote) end() error {
	_, err := r.vault.process.Call(context.WithoutCancel(r.ctx), methodEnd, streamRequest{r.stream}, nil, nil)
	return err
}
