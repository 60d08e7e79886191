package api

import (
	"fmt"
	"net/http"
	"time"

	"gatehouse/auth"
)

// answerWithin is how long a caller may take to read an answer.
const answerWithin = 30 * time.Second

// limitHeaders are of draft-ietf-httpapi-ratelimit-headers-10.
var limitHeaders = []parameter{
	{name: "RateLimit-Policy", about: "How much the caller may ask: q in w seconds.", like: ""},
	{name: "RateLimit", about: "How much is left (r), and in how many seconds all of it will be there again (t).", like: ""},
}

// counted bounds how much one caller asks: one session, one token, or one address where
// nobody has to show anything. The admin socket has no bound.
func (a *API) counted(o operation) http.HandlerFunc {
	h := o.Handler
	return func(w http.ResponseWriter, r *http.Request) {
		key := "address " + auth.AddressOf(r)
		if c, ok := auth.CallerFrom(r.Context()); ok {
			key = c.Key
		}
		if key != "" {
			level, ok, wait := a.asked.Take(key)
			w.Header().Set("RateLimit-Policy", fmt.Sprintf(`"caller";q=%d;w=60`, a.o.PerMinute))
			w.Header().Set("RateLimit", fmt.Sprintf(`"caller";r=%d;t=%d`, level.Left, int(level.Full.Seconds()+0.999)))
			if !ok {
				auth.TooMany(w, r, wait, refuse)
				return
			}
		}
		if !o.stream {
			// A caller that does not read keeps nothing busy for long. The next request of
			// the connection is another's concern.
			rc := http.NewResponseController(w)
			_ = rc.SetWriteDeadline(time.Now().Add(answerWithin))
			defer func() { _ = rc.SetWriteDeadline(time.Time{}) }()
		}
		h(w, r)
	}
}
