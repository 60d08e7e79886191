package api

import (
	"context"
	"io"
	"net"
	"net/http"
	"strconv"

	"gatehouse"
	"gatehouse/auth"
)

// Witness cosigns other logs' checkpoints (c2sp.org/tlog-witness).
type Witness interface {
	// AddCheckpoint answers a request. conflict says that the witness has another size
	// than the request names, which is has. Errors: request.malformed,
	// audit.unknown_log, audit.signature, audit.rolled_back.
	AddCheckpoint(ctx context.Context, body []byte) (cosignature string, has int64, conflict bool, err error)
}

// maxWitness bounds a request to the witness.
const maxWitness = 64 << 10

// addCheckpoint needs no session: what it takes is signed by a log whose key is
// configured, and what it answers is public.
func (a *API) addCheckpoint(w http.ResponseWriter, r *http.Request) {
	if a.o.Witness == nil {
		a.fail(w, r, notServed())
		return
	}
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	if ok, wait := a.limit.Allow("witness " + host); !ok {
		auth.TooMany(w, r, wait, refuse)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxWitness))
	if err != nil {
		a.fail(w, r, gatehouse.Errorf("request.too_large", "send one checkpoint and its proof", "the request is too long or broke off"))
		return
	}
	cosignature, has, conflict, err := a.o.Witness.AddCheckpoint(r.Context(), body)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	if conflict {
		w.Header().Set("Content-Type", "text/x.tlog.size")
		w.WriteHeader(http.StatusConflict)
		_, _ = io.WriteString(w, strconv.FormatInt(has, 10)+"\n")
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = io.WriteString(w, cosignature)
}
