package vault

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/internal/sealeddb"
)

// RunChild is the vault process: the hidden command __vault calls it, and exits
// when it returns, which it does when the parent goes away. Errors: child.alone
// where a person runs the command.
func RunChild(ctx context.Context) error { return runChild(ctx, nil, nil) }

// service is the vault process's side of the socket.
type service struct {
	memory       string
	afterLogging func() // for tests: between the disclosure's commit and the release

	payroll Payroll // nil: this process reckons no pay

	started time.Time

	destroying sync.Mutex  // erasing, expiring and ending holds, one after the other
	erasedAt   []time.Time // within the last hour
	clock      clockGuard

	tries       attempts
	letterboxes letterboxes

	mu      sync.Mutex // init is called once, and not after unbundle
	unbound bool       // unbundle was called: this process opens bundles and no vault
	shared  bool       // other sites' vault processes use the same key pair
	moves   sync.Mutex // one batch of a rotation at a time
	release func() error
	keys    *keyStore
	audit   *auditDB
	room    *strongroom
	guard   *guard
	index   *archive
	ready   chan struct{} // closed when init has succeeded
	reports sync.WaitGroup

	verification verification

	releasing sync.Mutex // bulk releases
	writing   map[gatehouse.ID]*writing

	streams   streams
	frozenLog [32]byte // the key of the audit file that was frozen last, for the bundle
}

func runChild(ctx context.Context, afterLogging func(), payroll Payroll) error {
	if os.Getenv(isolatedEnv) != "" {
		return runIsolated(ctx)
	}
	holdsKeys.Store(true)
	memory, err := hardenProcess()
	if err != nil {
		return err
	}
	s := &service{memory: memory, afterLogging: afterLogging, payroll: payroll, started: time.Now(), ready: make(chan struct{})}
	return errors.Join(child.Serve(ctx, s.handlers()), s.close())
}

// handlers are the vault process's calls, each group in the file that answers it.
func (s *service) handlers() map[string]child.Handler {
	all := map[string]child.Handler{methodInit: s.handleInit, methodUnbundle: s.handleUnbundle, methodLetterbox: s.handleLetterbox}
	for _, group := range []map[string]child.Handler{s.coreHandlers(), s.auditHandlers(), s.controlHandlers(), s.releaseHandlers(), s.payHandlers(), s.indexHandlers(), s.keysHandlers(),
		s.erasureHandlers(), s.expiryHandlers(), s.holdHandlers(), s.bundleHandlers(), s.rewriteHandlers(), s.streamHandlers(), s.snapshotHandlers(), s.rebuildHandlers(), s.gateRestoreHandlers(), s.templateHandlers()} {
		for method, h := range group {
			all[method] = s.whenReady(h)
		}
	}
	return all
}

func (s *service) coreHandlers() map[string]child.Handler {
	return map[string]child.Handler{
		methodAppend:      s.handleAppend,
		methodUnseal:      s.handleUnseal,
		methodSeal:        s.handleSeal,
		methodStatus:      s.handleStatus,
		methodOpen:        s.handleOpen,
		methodRecord:      s.handleRecord,
		methodDisclosures: s.handleDisclosures,
	}
}

func (s *service) whenReady(h child.Handler) child.Handler {
	return func(ctx context.Context, r *child.Request) (any, [][]byte, error) {
		select {
		case <-s.ready:
			return h(ctx, r)
		default:
			return nil, nil, gatehouse.Errorf("vault.unavailable", "try in a moment", "the vault was not given its files yet")
		}
	}
}

// handleInit opens the vault's files with the keys that the gate unwrapped.
func (s *service) handleInit(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in initRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	if len(r.Blobs) != len(in.Files) || !filepath.IsAbs(in.Dir) || !filepath.IsAbs(in.Keys) {
		return nil, nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "the vault needs a directory and a key for each of its files")
	}
	fileKeys := map[string][32]byte{}
	for i, key := range r.Blobs {
		if len(key) != 32 {
			return nil, nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "a file's key has 32 bytes")
		}
		fileKeys[in.Files[i]] = [32]byte(key)
		clear(key)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.release != nil || s.unbound {
		return nil, nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "the vault was given its files already, or opens bundles")
	}
	public, err := readPublicKey(in.Keys)
	if err != nil {
		return nil, nil, err
	}
	release, err := lock(ctx, in.Dir)
	if err != nil {
		return nil, nil, err
	}
	s.release, s.shared = release, in.Keys != in.Dir
	ctx = context.WithoutCancel(ctx) // half an opening is no use
	if s.keys, err = openKeyStore(ctx, in.Dir, fileKeys[keyStoreFile], public); err != nil {
		return nil, nil, err
	}
	if s.audit, err = openAudit(ctx, in.Dir, fileKeys[auditFile]); err != nil {
		return nil, nil, err
	}
	if err := s.clock.begin(ctx, s.keys, s.audit, s.started); err != nil {
		return nil, nil, err
	}
	if err := s.audit.begin(ctx, in.Dir, in.Place, newRemovalName(s.keys).removals); err != nil {
		return nil, nil, err
	}
	if s.room, err = newStrongroom(in.Keys, public); err != nil {
		return nil, nil, err
	}
	s.audit.reasons = &reasons{place: in.Place, keys: s.keys, room: s.room}
	if err := s.audit.sealOlderReleases(ctx); err != nil {
		return nil, nil, err
	}
	s.room.ended, s.room.tries = s.sealedByTime, &s.tries
	s.tries.noteBy(s.recordWrong)
	if s.guard, err = newGuard(ctx, in.Dir, s.audit, s.keys, s.room, in.Limits); err != nil {
		return nil, nil, err
	}
	s.index = &archive{dir: in.Dir, room: s.room, keys: s.keys}
	s.room.wiped = func() { go s.index.sealed() }
	close(s.ready)
	return nil, nil, nil
}

// lock waits a moment for a vault process that is just dying with its gate.
func lock(ctx context.Context, dir string) (release func() error, err error) {
	for range 20 {
		release, err = sealeddb.Lock(dir)
		if gatehouse.ErrorCode(err) != "store.locked" || ctx.Err() != nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	return release, err
}

// close is called when nothing is under way any more.
func (s *service) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.streams.close() // before their databases
	if s.room != nil && s.room.seal() {
		err = errors.Join(err, s.recordSealed(context.Background(), "stopped"))
	}
	s.verification.end()
	s.reports.Wait()
	if s.index != nil {
		err = errors.Join(err, s.index.close())
	}
	if s.audit != nil {
		err = errors.Join(err, s.audit.close())
	}
	if s.keys != nil {
		err = errors.Join(err, s.keys.db.Close())
	}
	if s.release != nil {
		err = errors.Join(err, s.release())
	}
	return err
}

func (s *service) handleAppend(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var rows []chainRow
	if err := r.Decode(&rows); err != nil {
		return nil, nil, err
	}
	if len(r.Blobs) != 2*len(rows) {
		return nil, nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "every chain needs two attachments")
	}
	for i := range rows {
		rows[i].Enc, rows[i].Sealed = r.Blobs[2*i], r.Blobs[2*i+1]
	}
	return nil, nil, s.keys.append(ctx, rows)
}

func (s *service) handleUnseal(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in unsealRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	if len(r.Blobs) != 1 {
		return nil, nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "the credential is missing")
	}
	c, err := s.credential(in.With, r.Blobs[0])
	if err != nil {
		return nil, nil, err
	}
	defer clear(c.Secret)
	if err := s.guard.unlifted(ctx); err != nil {
		return nil, nil, err
	}
	proof, until, err := s.room.unseal(ctx, in.Operator, c, in.Lasts)
	if err := s.recordUnseal(ctx, in.Operator, until, err); err != nil {
		return nil, nil, err
	}
	return unsealReply{Until: until}, [][]byte{proof}, nil
}

func (s *service) handleSeal(ctx context.Context, _ *child.Request) (any, [][]byte, error) {
	if !s.room.seal() {
		return nil, nil, nil // it was sealed
	}
	return nil, nil, s.recordSealed(ctx, "command")
}

func (s *service) handleStatus(_ context.Context, _ *child.Request) (any, [][]byte, error) {
	operators, until, pageLocked := s.room.open()
	st := Status{Sealed: len(operators) == 0, Operators: operators, Until: until, WrongUnseals: s.tries.count(),
		PublicKey: publicKeyName(s.room.current()), Memory: s.memory, Canary: s.guard.shut() != nil, Rotating: s.room.rotates()}
	if st.Memory == memoryOpen && pageLocked {
		st.Memory = memoryKeyPage
	}
	return st, nil, nil
}

func (s *service) handleOpen(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in openRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	if len(r.Blobs) == 0 {
		return nil, nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "the proof is missing")
	}
	plain, err := s.open(ctx, in, r.Blobs[0], r.Blobs[1:])
	if err != nil {
		return nil, nil, err
	}
	reply := openReply{Opened: make([]bool, len(plain))}
	for i := range plain {
		reply.Opened[i] = plain[i] != nil
	}
	return reply, plain, nil
}

func (s *service) handleDisclosures(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in listRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	list, err := s.audit.disclosures(ctx, in.Before, max(1, min(in.Limit, maxListing)))
	if err == nil {
		err = s.audit.withLiveItems(ctx, list)
	}
	if err == nil {
		err = s.audit.unaliased(ctx, list)
	}
	return list, nil, err
}
