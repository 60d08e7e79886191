package api

import (
	"context"
	"net/http"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
)

// Resources are what callers read and change of a site besides its passages. Who asks is
// the caller that ctx carries. Errors are *gatehouse.Error and hold nothing personal.
type Resources interface {
	Parking
	Gates(ctx context.Context) (wire.GatesResponse, error)
	// Subjects pages by id, ascending, behind after.
	Subjects(ctx context.Context, after gatehouse.SubjectID, limit int) (wire.SubjectsResponse, error)
	// Subject: store.not_found.
	Subject(ctx context.Context, id gatehouse.SubjectID) (wire.Subject, error)
	// EnrollPerson and EnrollVehicle: the codes of an enrolment.
	EnrollPerson(ctx context.Context, r wire.EnrollPersonRequest) (wire.EnrollResponse, error)
	EnrollVehicle(ctx context.Context, r wire.EnrollVehicleRequest) (wire.EnrollResponse, error)
	// SetStatus: store.not_found.
	SetStatus(ctx context.Context, id gatehouse.SubjectID, to gatehouse.SubjectStatus) error
	// WithdrawConsent: store.not_found, consent.none.
	WithdrawConsent(ctx context.Context, id gatehouse.SubjectID) error
	// Erase: erase.unknown, erase.again, vault.held, vault.erase_limit, erase.unfinished.
	Erase(ctx context.Context, r wire.EraseRequest) (wire.Erasure, error)
	// Erasure: erase.unknown, erase.unfinished.
	Erasure(ctx context.Context, id gatehouse.ID) (wire.Erasure, error)
	Devices(ctx context.Context) (wire.DevicesResponse, error)
	// DeviceCode: name.malformed, grant.unknown_gate.
	DeviceCode(ctx context.Context, r wire.DeviceAddRequest) (wire.DeviceCodeResponse, error)
	// RevokeDevice: store.not_found.
	RevokeDevice(ctx context.Context, id gatehouse.DeviceID) error
	// DisclosureFacts pages by id, descending, before before (zero: from the newest).
	DisclosureFacts(ctx context.Context, before gatehouse.ID, limit int) (wire.DisclosuresResponse, error)
	Health(ctx context.Context) (wire.Health, error)
}

// Parameters of paths.
var (
	subjectInPath = parameter{name: "id", about: "The subject's opaque id.", like: gatehouse.ID{}, required: true}
	ifMatch       = parameter{name: "If-Match", about: "The subject's ETag: nothing is changed where it has another by now.", like: ""}
)

// about is an operation of Resources; one that a server has none of answers
// request.not_served.
func (a *API) about(o operation) operation {
	if a.o.Resources == nil {
		o.Handler = func(w http.ResponseWriter, r *http.Request) { a.fail(w, r, notServed()) }
	}
	o.problems = append(o.problems, "request.not_served", "store.failed")
	return o
}

func (a *API) gateOperations() []operation {
	return []operation{a.about(operation{
		Route: auth.Route{Pattern: "GET /api/v1/gates", Policy: auth.Needs(gatehouse.SeePassages).OrToken(), Handler: a.gates},
		id:    "listGates", tag: tagPassages, summary: "List the gates and their states", tagged: true,
		about:   "Those that the caller may see.",
		replies: answers(http.StatusOK, wire.GatesResponse{}, "The gates, in the order of the configuration."),
	}), a.about(operation{
		Route: auth.Route{Pattern: "GET /api/v1/gates/{gate}", Policy: auth.Needs(gatehouse.SeePassages).OrToken(), Handler: a.gate},
		id:    "getGate", tag: tagPassages, summary: "One gate and its state", tagged: true,
		path:     []parameter{{name: "gate", about: "The gate.", like: gatehouse.GateID(""), required: true}},
		replies:  answers(http.StatusOK, wire.GateInfo{}, "The gate."),
		problems: []string{"store.not_found"},
	})}
}

// seen are the gates of the answer that the caller may see.
func (a *API) seen(ctx context.Context) (wire.GatesResponse, error) {
	all, err := a.o.Resources.Gates(ctx)
	mine := auth.Gates(ctx, gatehouse.SeePassages)
	out := wire.GatesResponse{Gates: []wire.GateInfo{}}
	for _, g := range all.Gates {
		if mine.Has(g.ID) {
			out.Gates = append(out.Gates, g)
		}
	}
	return out, err
}

func (a *API) gates(w http.ResponseWriter, r *http.Request) { show(a, w, r, a.seen) }

func (a *API) gate(w http.ResponseWriter, r *http.Request) {
	show(a, w, r, func(ctx context.Context) (wire.GateInfo, error) {
		mine, err := a.seen(ctx)
		for _, g := range mine.Gates {
			if string(g.ID) == r.PathValue("gate") {
				return g, err
			}
		}
		if err == nil {
			err = gatehouse.Errorf("store.not_found", "GET /api/v1/gates lists them", "there is no such gate")
		}
		return wire.GateInfo{}, err
	})
}

func (a *API) siteOperations() []operation {
	return []operation{a.about(operation{
		Route: auth.Route{Pattern: "GET /api/v1/devices", Policy: auth.Needs(gatehouse.ManageDevices).OrToken(), Handler: a.devices},
		id:    "listDevices", tag: tagDevices, summary: "List the devices", tagged: true,
		replies: answers(http.StatusOK, wire.DevicesResponse{}, "The devices, by id."),
	}), a.about(operation{
		Route: auth.Route{Pattern: "POST /api/v1/devices/codes", Policy: auth.NeedsFresh(gatehouse.ManageDevices).OrToken(), Handler: a.deviceCode},
		id:    "makeDeviceCode", tag: tagDevices, summary: "Get a one-time code that a device enrols its key with", keyed: true, most: maxSmall,
		request:  inJSON(wire.DeviceAddRequest{}),
		replies:  answers(http.StatusCreated, wire.DeviceCodeResponse{}, "The code, shown this once."),
		problems: []string{"name.malformed", "grant.unknown_gate", "device.unknown_kind", "device.source", "server.not_running"},
	}), a.about(operation{
		Route: auth.Route{Pattern: "DELETE /api/v1/devices/{id}", Policy: auth.NeedsFresh(gatehouse.ManageDevices).OrToken(), Handler: a.dropDevice},
		id:    "revokeDevice", tag: tagDevices, summary: "Refuse a device from its next request on",
		path:     []parameter{deviceInPath},
		replies:  []reply{{status: http.StatusNoContent, about: "It is refused."}},
		problems: []string{"name.malformed", "store.not_found", "store.full"},
	}), a.about(operation{
		Route: auth.Route{Pattern: "GET /api/v1/disclosures", Policy: auth.Needs(gatehouse.SeeDisclosures).OrToken(), Handler: a.disclosures},
		id:    "listDisclosures", tag: tagArchive, summary: "List what was opened of the archive, newest first", tagged: true,
		about:    "By whom, for what purpose and how much; what it said, and the reason that was given, stay sealed.",
		query:    []parameter{aBefore, aLimit},
		replies:  answers(http.StatusOK, wire.DisclosuresResponse{}, "One page."),
		problems: []string{"request.malformed", "id.malformed", "vault.unavailable"},
	}), a.about(operation{
		Route: auth.Route{Pattern: "GET /api/v1/health", Policy: auth.Needs(gatehouse.SeeStatus).OrToken(), Handler: func(w http.ResponseWriter, r *http.Request) { show(a, w, r, a.o.Resources.Health) }},
		id:    "getHealth", tag: tagServer, summary: "How the site's parts are doing", tagged: true,
		about:    "Numbers, states and dates, and nothing about anybody.",
		replies:  answers(http.StatusOK, wire.Health{}, "The health."),
		problems: []string{"vault.unavailable"},
	})}
}

func (a *API) devices(w http.ResponseWriter, r *http.Request) { show(a, w, r, a.o.Resources.Devices) }

func (a *API) deviceCode(w http.ResponseWriter, r *http.Request) {
	carry(a, w, r, http.StatusCreated, a.o.Resources.DeviceCode)
}

func (a *API) dropDevice(w http.ResponseWriter, r *http.Request) {
	id := gatehouse.DeviceID(r.PathValue("id"))
	err := gatehouse.CheckName(string(id))
	if err == nil {
		err = a.o.Resources.RevokeDevice(r.Context(), id)
	}
	a.done(w, r, err)
}

func (a *API) disclosures(w http.ResponseWriter, r *http.Request) {
	limit, err := limitOf(r)
	before, err2 := cursorOf(r, "before")
	if err == nil {
		err = err2
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	show(a, w, r, func(ctx context.Context) (wire.DisclosuresResponse, error) {
		return a.o.Resources.DisclosureFacts(ctx, before, limit)
	})
}

// done answers a change that has nothing to say.
func (a *API) done(w http.ResponseWriter, r *http.Request, err error) {
	if err != nil {
		a.fail(w, r, err)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
}
