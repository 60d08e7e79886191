package vault

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"path/filepath"
	"sync/atomic"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
)

// Remote says that the vault process runs on another machine (see vault/machine).
type Remote struct {
	Identity *Identity
	Address  string // HOST:PORT; empty for the identity's own
	// Reread reads the identity again, which may have been exchanged by a new pairing: a
	// running gate takes it up. nil keeps the one that there is. Its errors are logged.
	Reread func() (*Identity, error)
}

// process is the vault process: a supervised child, or one on another machine.
type process interface {
	Call(ctx context.Context, method string, header any, blobs [][]byte, reply any) ([][]byte, error)
	Wait(ctx context.Context) error
	Status() child.Status
	Stop()
}

// MaxRemoteMessage bounds a message between a gate and a vault's machine, in bytes.
const MaxRemoteMessage = 64 << 20

// What the vault's machine answers itself.
const (
	// MethodClaim gives the proof of the lease that somebody there granted this site,
	// and until when, as Unseal gives them here.
	MethodClaim = "claim"
	// MethodClaimRebuild gives, once, the proof for rebuilding the working set that
	// somebody there granted this site.
	MethodClaimRebuild = "claim-rebuild"
	// MethodRewriteFile is Rewrite of the file that its header names: the key that wraps
	// the file's key lies there.
	MethodRewriteFile = "rewrite-file"
)

// openRemote is Open where the vault process runs elsewhere. It does not wait for the
// other machine: doors work without it, and the spool keeps what it must have.
func openRemote(ctx context.Context, v *Vault, dir string, o Options) error {
	id := o.Remote.Identity
	if err := id.Pin(dir); err != nil {
		return err
	}
	public, err := readPublicKey(dir)
	if err != nil {
		return err
	}
	key, err := o.Gate.FileKey(filepath.Join(dir, spoolFile))
	if err != nil {
		return err
	}
	s, err := openSpool(ctx, dir, key, o.Log)
	clear(key[:])
	if err != nil {
		return err
	}
	s.seals(publicKeyName(public), func() { v.sealTo(public) })
	r := &remoteProcess{spool: s, dir: dir, spec: *o.Remote, log: o.Log, ended: make(chan struct{})}
	r.identity.Store(id)
	r.ctx, r.stop = context.WithCancel(context.Background())
	r.Remote = child.Connect(child.RemoteSpec{Name: "vault", Called: "the vault on the other machine", Dial: r.dial(o.Now),
		MaxFrame: MaxRemoteMessage, OnState: s.vaultChanged, Log: o.Log})
	s.start(r.sendRows, r.Away)
	v.process, v.remote = r, r
	go v.follow(r, o.Log)
	return nil
}

// remoteProcess is the vault process on another machine. Before it is asked anything
// that may depend on them, it has the rows that were made before.
type remoteProcess struct {
	*child.Remote
	spool *spool

	dir      string // the vault's, of the gate
	spec     Remote
	log      *slog.Logger
	identity atomic.Pointer[Identity]
	unread   string // the code of why the identity could not be read again; for the log

	ctx   context.Context // ends with Stop
	stop  context.CancelFunc
	ended chan struct{} // closed when follow has ended
}

// dial connects with the identity of the moment.
func (r *remoteProcess) dial(now func() time.Time) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) {
		id := r.identity.Load()
		address := r.spec.Address
		if address == "" {
			address = id.Address
		}
		return id.dial(address, now)(ctx)
	}
}

// renew takes up the identity of a new pairing, and connects with it. One that cannot be
// used leaves the one that there is.
func (r *remoteProcess) renew() {
	if r.spec.Reread == nil {
		return
	}
	id, err := r.spec.Reread()
	if err == nil && id.Certificate == r.identity.Load().Certificate {
		r.unread = ""
		return
	}
	if err == nil {
		err = id.Pin(r.dir)
	}
	if err != nil {
		if code := gatehouse.ErrorCode(err); code != r.unread {
			r.unread = code
			r.log.Warn("the identity for the vault cannot be used; the gate goes on with the one that it has", "error", err)
		}
		return
	}
	r.unread = ""
	r.identity.Store(id)
	r.log.Info("a new identity for the vault was taken up")
	r.Reconnect()
}

// Call is child.Remote's, behind a flush of the spool. What the machine would refuse
// does not leave this one: it may carry a credential.
func (r *remoteProcess) Call(ctx context.Context, method string, header any, blobs [][]byte, reply any) ([][]byte, error) {
	if !OfMachine(method) {
		if err := Forwarded(method); err != nil {
			return nil, err
		}
	}
	switch method {
	case methodAppend, methodStatus, methodFiles, methodSeal, MethodClaim, MethodClaimRebuild: // which no row changes
	default:
		if err := r.spool.flush(ctx); err != nil {
			return nil, err
		}
	}
	return r.Remote.Call(ctx, method, header, blobs, reply)
}

// save makes rows durable in the spool. Its errors are Vault.sendRows's.
func (r *remoteProcess) save(ctx context.Context, rows []chainRow) error {
	if err := r.spool.add(ctx, rows); err != nil {
		return unavailable(err)
	}
	return nil
}

// sendRows is what the spool delivers with.
func (r *remoteProcess) sendRows(ctx context.Context, rows []chainRow) error {
	_, err := r.Remote.Call(ctx, methodAppend, rows, attachments(rows), nil)
	return err
}

// Away says why the vault cannot be asked now.
func (r *remoteProcess) Away() error {
	if r.Status().State == child.Up {
		return nil
	}
	return r.Remote.Away()
}

// Stop ends the connection and the spool.
func (r *remoteProcess) Stop() {
	r.stop()
	<-r.ended
	r.Remote.Stop()
	// An error here is one of emptying the log of a file that opens as it is.
	_ = r.spool.close()
}

// Elsewhere reports whether the vault process runs on another machine, where it is
// unsealed, and how many chains' rows wait for that machine.
func (v *Vault) Elsewhere() (elsewhere bool, waiting int) {
	if v.remote == nil {
		return false, 0
	}
	return true, v.remote.spool.count()
}

func errElsewhere() error {
	return gatehouse.Errorf("vault.elsewhere", "on the vault's machine, run `gatehouse vault unseal`, or `gatehouse vault budget|operator|canary|keys`; what opens the vault belongs nowhere else", "this site's vault is on another machine")
}

// OfMachine reports whether the vault's machine answers a method itself.
func OfMachine(method string) bool {
	return method == MethodClaim || method == MethodClaimRebuild || method == MethodRewriteFile
}

// Claim asks for the lease that somebody granted this site at the vault's machine.
// Errors: vault.sealed where there is none, vault.unavailable, vault.timeout.
func (v *Vault) Claim(ctx context.Context) (proof []byte, until time.Time, err error) {
	return v.claim(ctx, MethodClaim)
}

// ClaimRebuild asks for BeginRebuild's proof that somebody granted this site there; it
// is given once. Errors: Claim's.
func (v *Vault) ClaimRebuild(ctx context.Context) (proof []byte, until time.Time, err error) {
	return v.claim(ctx, MethodClaimRebuild)
}

func (v *Vault) claim(ctx context.Context, method string) (proof []byte, until time.Time, err error) {
	if v.remote == nil {
		return nil, until, gatehouse.Errorf("vault.sealed", "unseal it with the vault's passphrase", "the vault is on this machine")
	}
	var reply unsealReply
	blobs, err := v.process.Call(ctx, method, nil, nil, &reply)
	if err != nil {
		return nil, until, err
	}
	if len(blobs) != 1 || len(blobs[0]) != proofSize {
		return nil, until, gatehouse.Errorf("vault.protocol", "this is a fault of the program", "the vault gave no proof")
	}
	return blobs[0], reply.Until, nil
}

// ClaimReply is the header of the answer to MethodClaim and MethodClaimRebuild; its attachment is the proof.
func ClaimReply(until time.Time) any { return unsealReply{Until: until} }

// Forward hands a gate's call on to the vault process as it is, and its answer back.
// The vault's machine has judged it by then (see Forwarded). Errors are the process's.
func (v *Vault) Forward(ctx context.Context, method string, header json.RawMessage, blobs [][]byte) (any, [][]byte, error) {
	var reply json.RawMessage
	var asked any
	if len(header) > 0 {
		asked = header
	}
	answer, err := v.process.Call(ctx, method, asked, blobs, &reply)
	if len(reply) == 0 {
		return nil, answer, err
	}
	return reply, answer, err
}

// forwarded are the calls that a gate on another machine may make. Those that take the
// vault's credential, or give its wrapped private keys, are not among them: they are
// made at the vault's machine. TestForwarded judges every call that there is.
var forwarded = map[string]bool{
	methodAppend: true, methodSeal: true, methodStatus: true, methodOpen: true, methodRecord: true, methodDisclosures: true,
	methodErase: true, methodForgetTemplates: true, methodNoise: true, methodCertify: true, methodErasable: true,
	methodExpire: true, methodRetention: true, methodRemovals: true, methodDays: true,
	methodHold: true, methodHoldItems: true, methodHolds: true, methodHoldUntil: true, methodHoldsEnd: true,
	methodIndexState: true, methodIndex: true, methodSearch: true,
	methodAuditCursor: true, methodAuditFollow: true, methodAuditCheckpoint: true, methodAuditKeys: true, methodAuditProve: true,
	methodAuditConsistency: true, methodAuditLeaves: true, methodAuditFind: true, methodAuditVerify: true, methodAuditGate: true, methodAuditSign: true,
	methodWitnessSize: true, methodWitnessTook: true, methodWitnessForget: true, methodWitnessCosign: true,
	methodBudget: true, methodOperators: true, methodTrip: true, methodLift: true, methodToken: true, methodAlarms: true, methodTaken: true,
	methodReleases: true, methodPay: true, methodRelease: true, methodRequestRelease: true, methodApproveRelease: true, methodBeginRelease: true, methodWriteRelease: true,
	methodKeysStatus: true, methodNote: true, methodCheckKeys: true, methodFiles: true,
	methodRecordBundle: true, methodBundles: true, methodHoldBundle: true, methodRead: true, methodEnd: true, methodFreezeLog: true, methodSealBundle: true, methodSign: true,
	methodSuccessor: true, methodFollowed: true,
	methodErasureList: true, methodLogRoot: true, methodBackupDone: true, methodRebuild: true, methodGateBundle: true, methodGateRestored: true,
}

// Forwarded reports whether a gate on another machine may call a method of the vault
// process. What takes a secret that only people at the vault's machine know may not
// come from there: vault.elsewhere.
func Forwarded(method string) error {
	if !forwarded[method] {
		return errElsewhere()
	}
	return nil
}

// Seals reports whether a method ends every lease.
func Seals(method string) bool { return method == methodSeal }

// WriteDurably puts b into a file of mode 0600 that appears whole or not at all, and
// is on disk when it returns nil. Without replace it fails with fs.ErrExist where the
// file is there.
func WriteDurably(path string, b []byte, replace bool) error { return writeDurably(path, b, replace) }

// Harden forbids this process core dumps and debuggers, and keeps it out of swap where
// the system permits, as the vault process does. Errors: vault.failed.
func Harden() error {
	_, err := hardenProcess()
	return err
}
