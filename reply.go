package gatehouse

import (
	"context"
	"time"
)

// KeptReply is what a request was answered that named itself with a key, so that sending
// it again changes nothing and gets the same answer.
type KeptReply struct {
	Place
	Key    [32]byte // digest of the caller, the route and the request's own key
	Print  [32]byte // of what was asked, keyed by the request's own key, which is not kept
	At     time.Time
	Status int    // the HTTP status; 0: it was begun, and nobody knows (any more) how it ended
	Sealed []byte // the answer, sealed under the gate key
}

// ReplyStore keeps replies for a day. It is never backed up. Errors: store.full,
// store.failed.
type ReplyStore interface {
	// BeginReply notes that a request is being carried out. Where its key is there
	// already, nothing is changed, and there says what is kept; begun is false then. It
	// MUST be durable when it returns.
	BeginReply(ctx context.Context, r KeptReply) (there KeptReply, begun bool, err error)
	// FinishReply keeps the answer of one that was begun.
	FinishReply(ctx context.Context, r KeptReply) error
	DropReply(ctx context.Context, place Place, key [32]byte) error
	// ForgetReplies takes the answers away, which may name whom an erasure is about, and
	// leaves that there were such requests.
	ForgetReplies(ctx context.Context, place Place) error
	// DropReplies forgets the finished ones that are older, and says how many those were.
	DropReplies(ctx context.Context, place Place, before time.Time) (int, error)
}
