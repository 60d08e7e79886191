package api

import (
	"net/http"
	"slices"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
	"gatehouse/internal/language"
)

// postedProblems are what may be wrong with whatever a device sends.
var postedProblems = []string{"image.type", "image.too_large", "vision.unavailable", "server.busy", "device.kind", "device.unknown", "store.full", "store.failed", "sealing.unavailable"}

func (a *API) deviceOperations() []operation {
	posted := slices.Clip(postedProblems)
	return []operation{{
		Route: auth.Route{Pattern: "POST /api/v1/devices/{id}/frames", Policy: auth.WithDevice, Handler: a.frames},
		id:    "postFrame", tag: tagDevices, summary: "Send a picture",
		about:    "The body is the JPEG or PNG itself. At most two pictures of a device are looked at at a time. The answer holds decisions, and never a similarity, a confidence or a name.",
		path:     []parameter{deviceInPath},
		header:   []parameter{{name: "Accept-Language", about: "The language of the sentence: en or zh.", like: ""}},
		request:  &content{kinds: []string{"image/jpeg", "image/png"}},
		replies:  answers(http.StatusAccepted, wire.FramesResponse{}, "What the picture decided; usually nothing yet."),
		problems: append(posted, "image.empty", "image.too_big", "request.content_type"),
	}, {
		Route: auth.Route{Pattern: "POST /api/v1/devices/{id}/credentials", Policy: auth.WithDevice, Handler: a.credentials},
		id:    "postCredential", tag: tagDevices, summary: "Send a card, PIN or QR code",
		path:     []parameter{deviceInPath},
		header:   []parameter{{name: "Accept-Language", about: "The language of the sentence: en or zh.", like: ""}},
		request:  inJSON(wire.CredentialRequest{}),
		replies:  answers(http.StatusAccepted, wire.FramesResponse{}, "What it decided."),
		problems: append(posted, "pin.too_many"),
	}, {
		Route: auth.Route{Pattern: "POST /api/v1/devices/enrol", Policy: auth.Public, Handler: a.enrolDevice},
		id:    "enrolDevice", tag: tagDevices, summary: "Enrol a device's key with a one-time code",
		about:    "docs/devices.md says what is signed.",
		request:  inJSON(wire.DeviceEnrolRequest{}),
		replies:  answers(http.StatusCreated, wire.DeviceEnrolResponse{}, "Who the device is from now on."),
		problems: []string{"device.code", "auth.too_many", "request.not_served", "store.full", "store.failed"},
	}}
}

// frames takes a picture: the body is the file itself.
func (a *API) frames(w http.ResponseWriter, r *http.Request) {
	a.picture(w, r, func(c gatehouse.Capture) { a.post(w, r, c) })
}

// picture parses the request's picture within the device's limits and hands it to take.
func (a *API) picture(w http.ResponseWriter, r *http.Request, take func(gatehouse.Capture)) {
	d, ok := a.admit(w, r)
	if !ok {
		return
	}
	// Before the body is read: what is refused takes no memory.
	if !a.flight.take(d.ID) {
		a.o.Metrics.FrameRefused(d.Gate)
		w.Header().Set("Retry-After", "1")
		refuse(w, r, gatehouse.Errorf("server.busy", "wait for the answers before sending more", "%d pictures of this device are being looked at already", maxInFlight))
		return
	}
	defer a.flight.done(d.ID)
	// The body is read once, with this route's limits, by what parses it.
	body := limited(w, r, a.o.MaxFrame)
	c, err := a.o.ParseFrame(r.Header, body, a.o.Now())
	if failed := body.failure(); failed != nil {
		err = failed
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	c.Device, c.Gate = d.ID, d.Gate
	take(c)
}

// credentials takes a card, PIN or QR code.
func (a *API) credentials(w http.ResponseWriter, r *http.Request) {
	d, ok := a.admit(w, r)
	if !ok {
		return
	}
	var c wire.CredentialRequest
	if err := decode(w, r, maxCredential, &c); err != nil {
		a.fail(w, r, err)
		return
	}
	if c.Kind != gatehouse.CardCapture && c.Kind != gatehouse.PINCapture && c.Kind != gatehouse.QRCapture || len(c.Value) == 0 || len(c.Value) > 512 {
		a.fail(w, r, gatehouse.Errorf("request.malformed", `send {"kind":"card"|"pin"|"qr","value":"1 to 512 bytes"}`, "this is not a credential"))
		return
	}
	a.post(w, r, gatehouse.Capture{Device: d.ID, Gate: d.Gate, Kind: c.Kind, Claimed: c.At, Received: a.o.Now(), Secret: gatehouse.Secret(c.Value)})
}

// admit applies the device's rate limit.
func (a *API) admit(w http.ResponseWriter, r *http.Request) (gatehouse.Device, bool) {
	d, ok := auth.DeviceFrom(r.Context())
	if !ok {
		a.fail(w, r, auth.Refused())
		return d, false
	}
	if ok, wait := a.limit.Allow(string(d.ID)); !ok {
		auth.TooMany(w, r, wait, refuse)
		return d, false
	}
	return d, true
}

func (a *API) post(w http.ResponseWriter, r *http.Request, c gatehouse.Capture) {
	passages, err := a.o.Captures.Post(r.Context(), c)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	lang := language.Of(r.Header.Get("Accept-Language"))
	out := wire.FramesResponse{Passages: []wire.DevicePassage{}}
	for _, p := range passages {
		out.Passages = append(out.Passages, wire.DevicePassage{ID: p.ID, Decision: wire.Decided(p.Decision),
			Reason: p.Decision.Reason, Sentence: p.Decision.Reason.Sentence(lang)})
	}
	w.Header().Set("Content-Language", lang)
	a.answer(w, http.StatusAccepted, out)
}
