package api

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
)

// Terminals tells terminals what to say. after is the newest news that the terminal has;
// 0 asks for none but those to come.
type Terminals interface {
	// Look takes a terminal's picture. Errors: those of Captures.Post, device.kind for a
	// device without a screen. While faces cannot be recognized it answers all the same.
	Look(ctx context.Context, c gatehouse.Capture, after uint64) (wire.TerminalState, error)
	// Terminal is the same without a picture: device.kind.
	Terminal(ctx context.Context, d gatehouse.Device, after uint64) (wire.TerminalState, error)
}

func (a *API) terminalOperations() []operation {
	after := []parameter{{name: "after", about: "The newest news that the terminal has: last of an answer. Without it only news to come are told.", like: 0}}
	return []operation{{
		Route: auth.Route{Pattern: "POST /api/v1/devices/{id}/looks", Policy: auth.WithDevice, Handler: a.look},
		id:    "postLook", tag: tagDevices, summary: "Send a terminal's picture, and learn what to say",
		about:    "For devices with a screen. The body is the JPEG or PNG itself, within the bounds of a frame. The answer says how whoever stands there would be seen better and what became of people; never a similarity, a confidence, a reason or a name.",
		path:     []parameter{deviceInPath},
		query:    after,
		request:  &content{kinds: []string{"image/jpeg", "image/png"}},
		replies:  answers(http.StatusOK, wire.TerminalState{}, "What to say now."),
		problems: append(slices.Clone(postedProblems), "image.empty", "image.too_big", "request.content_type", "request.not_served"),
	}, {
		Route: auth.Route{Pattern: "GET /api/v1/devices/{id}/terminal", Policy: auth.WithDevice, Handler: a.terminal},
		id:    "getTerminal", tag: tagDevices, summary: "What a terminal has to say",
		about:    "The same without a picture: while nobody is there, or after a card, PIN or QR code was sent.",
		path:     []parameter{deviceInPath},
		query:    after,
		replies:  answers(http.StatusOK, wire.TerminalState{}, "What to say now."),
		problems: []string{"device.kind", "request.malformed", "request.not_served"},
	}}
}

// look takes a picture, as frames does, and says what whoever stands there should do.
func (a *API) look(w http.ResponseWriter, r *http.Request) {
	after, err := afterOf(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.picture(w, r, func(c gatehouse.Capture) {
		if a.o.Terminals == nil {
			a.fail(w, r, notServed())
			return
		}
		tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.TerminalState, error) {
			return a.o.Terminals.Look(ctx, c, after)
		})
	})
}

// terminal says what there is to say without a picture.
func (a *API) terminal(w http.ResponseWriter, r *http.Request) {
	d, ok := a.admit(w, r)
	if !ok {
		return
	}
	after, err := afterOf(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	if a.o.Terminals == nil {
		a.fail(w, r, notServed())
		return
	}
	tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.TerminalState, error) {
		return a.o.Terminals.Terminal(ctx, d, after)
	})
}

func afterOf(r *http.Request) (uint64, error) {
	s := r.URL.Query().Get("after")
	if s == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, gatehouse.Errorf("request.malformed", "after is the last of an answer", "this is no number of news")
	}
	return n, nil
}
