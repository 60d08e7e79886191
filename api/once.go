package api

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/auth"
)

// Replies remember what requests with a key were answered, for a day, also over a restart.
// gatehouse.ReplyStore says what the methods promise; Sealed is the answer in clear here.
type Replies interface {
	BeginReply(ctx context.Context, r gatehouse.KeptReply) (there gatehouse.KeptReply, begun bool, err error)
	FinishReply(ctx context.Context, r gatehouse.KeptReply) error
	DropReply(ctx context.Context, key [32]byte) error
}

// replayedHeader marks an answer that was given before.
const replayedHeader = "Idempotency-Replayed"

// The bounds of a key: what is shorter is likely to be somebody else's too, and the print
// of a request is only as secret as its key.
const (
	leastKey = 16
	mostKey  = 128
)

// underway are the requests that are being carried out.
type underway struct {
	mu sync.Mutex
	of map[[32]byte]bool
}

func (u *underway) take(key [32]byte) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.of[key] {
		return false
	}
	if u.of == nil {
		u.of = map[[32]byte]bool{}
	}
	u.of[key] = true
	return true
}

func (u *underway) done(key [32]byte) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.of, key)
}

// once carries a request with an Idempotency-Key out once, as
// draft-ietf-httpapi-idempotency-key-header-07 says. One without a key is carried out as
// often as it is sent.
func (a *API) once(o operation) http.HandlerFunc {
	h := o.Handler
	return func(w http.ResponseWriter, r *http.Request) {
		if len(r.Header.Values("Idempotency-Key")) == 0 {
			h(w, r)
			return
		}
		if err := a.onceOnly(w, r, o, h); err != nil {
			a.fail(w, r, err)
		}
	}
}

func (a *API) onceOnly(w http.ResponseWriter, r *http.Request, o operation, h http.HandlerFunc) error {
	named, ok := requestKey(r)
	if !ok || a.o.Replies == nil {
		return gatehouse.Errorf("request.key", "send a UUID that no other request has", "this is no Idempotency-Key: it has 16 to 128 visible characters")
	}
	caller, _ := auth.CallerFrom(r.Context())
	body, err := read(w, r, o.most)
	if err != nil {
		return err
	}
	q := gatehouse.KeptReply{Place: a.o.Place, At: a.o.Now(), Key: sha256.Sum256([]byte(caller.Operator + "\x00" + o.id + "\x00" + named)), Print: printOf(named, r, body)}
	if !a.underway.take(q.Key) {
		return inProgress(w)
	}
	defer a.underway.done(q.Key)
	there, begun, err := a.o.Replies.BeginReply(r.Context(), q)
	switch {
	case err != nil:
		return err
	case !begun && there.Print != q.Print:
		return gatehouse.Errorf("request.key_reused", "use another key for another request", "another request had this Idempotency-Key")
	case !begun && there.Status == 0:
		return gatehouse.Errorf("request.unfinished", "look whether it was done, and if not send it with another key", "the server stopped while it carried this request out")
	case !begun:
		return replay(w, there)
	}
	// The caller may go away; what was begun is carried out and remembered.
	r = r.WithContext(context.WithoutCancel(r.Context()))
	r.Body = io.NopCloser(bytes.NewReader(body))
	got := &heard{header: w.Header()}
	finished := false
	defer func() {
		if !finished { // it panicked: nobody knows how far it got
			a.o.Log.Error("a request with a key was not finished", "route", r.Pattern)
		}
	}()
	h(got, r)
	finished = true
	a.remember(r.Context(), q, got)
	w.WriteHeader(got.code())
	_, _ = w.Write(got.body.Bytes())
	return nil
}

// remember keeps an answer, unless it says that the request may well be sent again.
func (a *API) remember(ctx context.Context, q gatehouse.KeptReply, got *heard) {
	var err error
	switch code := got.code(); code {
	case http.StatusInternalServerError, http.StatusInsufficientStorage:
		return // nobody knows how far it got: it stays unfinished
	case http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestTimeout, http.StatusConflict, http.StatusLocked:
		err = a.o.Replies.DropReply(ctx, q.Key)
	default: // done, or refused for what it is
		q.Status = code
		q.Sealed, _ = json.Marshal(answered{Kind: got.header.Get("Content-Type"), Body: got.body.Bytes()}) // text and bytes: cannot fail
		err = a.o.Replies.FinishReply(ctx, q)
	}
	if err != nil {
		a.o.Log.Error("an answer could not be kept: the same request will be told that it is unfinished", "code", code(err))
	}
}

// answered is what is kept of an answer.
type answered struct {
	Kind string `json:"kind"`
	Body []byte `json:"body"`
}

func replay(w http.ResponseWriter, there gatehouse.KeptReply) error {
	var was answered
	if err := json.Unmarshal(there.Sealed, &was); err != nil {
		return gatehouse.Errorf("request.unfinished", "look whether it was done, and if not send it with another key", "the answer to this request is not kept any more")
	}
	w.Header().Set("Content-Type", was.Kind)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set(replayedHeader, "true")
	w.WriteHeader(there.Status)
	_, _ = w.Write(was.Body)
	return nil
}

func inProgress(w http.ResponseWriter) error {
	w.Header().Set("Retry-After", "1")
	return gatehouse.Errorf("request.in_progress", "wait for its answer", "this request is being carried out")
}

// requestKey is the request's key; the draft has it in quotation marks, and many programs
// send it without.
func requestKey(r *http.Request) (string, bool) {
	all := r.Header.Values("Idempotency-Key")
	key := strings.TrimSuffix(strings.TrimPrefix(all[0], `"`), `"`)
	ok := len(all) == 1 && len(key) >= leastKey && len(key) <= mostKey
	for _, c := range key {
		ok = ok && c > ' ' && c < 0x7f && c != '"'
	}
	return key, ok
}

// printOf tells a request from another with the same key. It may hold a plate or an ID
// number, of which no digest may lie anywhere that could be tried out: so it is keyed with
// what the caller made up, which is not kept.
func printOf(key string, r *http.Request, body []byte) (p [32]byte) {
	mac := hmac.New(sha256.New, []byte(key))
	for _, part := range []string{r.Method, r.URL.RequestURI(), r.Header.Get("Content-Type"), r.Header.Get("If-Match")} {
		mac.Write([]byte(part))
		mac.Write([]byte{0})
	}
	mac.Write(body)
	mac.Sum(p[:0])
	return p
}

// heard is an answer before it is sent.
type heard struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (h *heard) Header() http.Header { return h.header }

// WriteHeader implements http.ResponseWriter.
func (h *heard) WriteHeader(status int) {
	if h.status == 0 {
		h.status = status
	}
}

// Write implements http.ResponseWriter.
func (h *heard) Write(b []byte) (int, error) {
	h.WriteHeader(http.StatusOK)
	return h.body.Write(b)
}

func (h *heard) code() int { return max(h.status, http.StatusOK) }

// RepliesFor is how long replies are kept.
const RepliesFor = 24 * time.Hour
