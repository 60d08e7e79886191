package api

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"gatehouse"
)

// body is a request's body within its route's limits. It remembers how reading went,
// so that the reader's own words for a failure need not be known.
type body struct {
	from  io.Reader
	limit int64
	some  bool
	err   error
}

// limited returns r's body, at most limit bytes, that must arrive within readWithin.
func limited(w http.ResponseWriter, r *http.Request, limit int64) *body {
	// Over httptest's recorder there is no deadline to set; over a connection there is.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(readWithin))
	return &body{from: http.MaxBytesReader(w, r.Body, limit), limit: limit}
}

// atMost bounds what a route reads of a body, whoever reads it.
func atMost(limit int64, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		h(w, r)
	}
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.from.Read(p)
	b.some = b.some || n > 0
	if err != nil {
		b.err = err
	}
	return n, err
}

// failure says why the body could not be read to its end, or that it is empty; nil
// where nothing was wrong with it.
func (b *body) failure() error {
	var tooLarge *http.MaxBytesError
	switch {
	case b.err == nil: // the reader stopped before the end
		return nil
	case errors.As(b.err, &tooLarge):
		return gatehouse.Errorf("request.too_large", "send at most "+strconv.FormatInt(tooLarge.Limit, 10)+" bytes", "the request is too large")
	case errors.Is(b.err, os.ErrDeadlineExceeded):
		return gatehouse.Errorf("request.slow", "send it again over a better connection", "the request took too long to arrive")
	case !errors.Is(b.err, io.EOF):
		return gatehouse.Errorf("request.malformed", "send it again", "the request broke off")
	case !b.some:
		return gatehouse.Errorf("request.malformed", "send a body", "the request has no body")
	}
	return nil
}

// read takes the whole body, at most limit bytes, within readWithin.
func read(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	b := limited(w, r, limit)
	all, err := io.ReadAll(b)
	if failed := b.failure(); failed != nil {
		err = failed
	}
	return all, err
}

// maxInFlight is how many pictures of one device are taken at a time: one that is
// looked at and one that arrives meanwhile. More would only wait, in memory.
const maxInFlight = 2

// flight counts the pictures of each device that are being taken. It is safe for
// concurrent use.
type flight struct {
	mu sync.Mutex
	of map[gatehouse.DeviceID]int
}

// take returns false where the device has maxInFlight already; else done must follow.
func (f *flight) take(id gatehouse.DeviceID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of[id] >= maxInFlight {
		return false
	}
	f.of[id]++
	return true
}

// InFlight is how many posted pictures are being taken.
func (a *API) InFlight() (n int) {
	a.flight.mu.Lock()
	defer a.flight.mu.Unlock()
	for _, of := range a.flight.of {
		n += of
	}
	return n
}

func (f *flight) done(id gatehouse.DeviceID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of[id]--; f.of[id] == 0 {
		delete(f.of, id)
	}
}
