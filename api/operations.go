package api

import (
	"net/http"
	"slices"
	"strconv"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
)

// The groups that the document's reader finds operations in.
const (
	tagPassages = "Passages"
	tagSubjects = "People and vehicles"
	tagArchive  = "Archive"
	tagDevices  = "Devices"
	tagServer   = "Server"
	tagWitness  = "Witness"
)

// operations are everything that is asked for beside the admin socket.
func (a *API) operations() []operation {
	return slices.Concat(a.passageOperations(), a.eventOperations(), a.gateOperations(), a.parkingOperations(), a.subjectOperations(), a.archiveOperations(), a.deviceOperations(), a.terminalOperations(), a.siteOperations(), a.bookOperations(), a.hoursOperations(), a.wagesOperations(), a.serverOperations(), a.documentOperations())
}

// Parameters that several operations take.
var (
	deviceInPath = parameter{name: "id", about: "The device.", like: gatehouse.DeviceID(""), required: true}
	aBefore      = parameter{name: "before", about: "The cursor: next of the page before.", like: gatehouse.ID{}}
	aLimit       = parameter{name: "limit", about: "The most rows of a page.", like: 0, least: 1, most: maxPage, standard: usualPage}
)

// maxPage is the most rows that a page has, usualPage how many one has that nobody
// asked for more.
const (
	maxPage   = 200
	usualPage = 50
)

// limitOf is how many rows are asked for.
func limitOf(r *http.Request) (int, error) {
	s := r.URL.Query().Get("limit")
	if s == "" {
		return usualPage, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > maxPage {
		return 0, gatehouse.Errorf("request.malformed", "limit is 1 to 200", "this is no limit")
	}
	return n, nil
}

// cursorOf is the cursor of that name, zero for none.
func cursorOf(r *http.Request, name string) (gatehouse.ID, error) {
	s := r.URL.Query().Get(name)
	if s == "" {
		return gatehouse.ID{}, nil
	}
	return gatehouse.ParseID(s)
}

func (a *API) archiveOperations() []operation {
	return []operation{{
		Route: auth.Route{Pattern: "POST /api/v1/search", Policy: auth.NeedsFresh(gatehouse.SearchArchive), Handler: a.search},
		id:    "searchArchive", tag: tagArchive, summary: "Search the archive",
		about:   "A search is a disclosure: it is written down before anything is answered, and costs budget also where nothing is found. It needs an unsealed vault and a reason. The query is in the body, since addresses are logged in many places.",
		request: inJSON(wire.SearchRequest{}),
		replies: answers(http.StatusOK, wire.SearchResponse{}, "One page, newest first."),
		problems: []string{"vault.sealed", "vault.reason", "vault.forbidden", "vault.budget", "vault.canary", "vault.altered", "vault.unavailable", "vault.timeout", "search.malformed",
			"index.opening", "index.damaged"},
	}}
}

func (a *API) serverOperations() []operation {
	return []operation{{
		Route: auth.Route{Pattern: "GET /healthz", Policy: auth.Public, Handler: a.health},
		id:    "getLiveness", tag: tagServer, summary: "Whether the server answers",
		replies: answers(http.StatusOK, wire.Liveness{}, "It does."),
	}, {
		Route: auth.Route{Pattern: "GET /readyz", Policy: auth.Loopback, Handler: a.ready},
		id:    "getReadiness", tag: tagServer, summary: "Whether the server is ready, and what it does without",
		about:    "For programs on the same machine.",
		replies:  answers(http.StatusOK, wire.Readiness{}, "It is."),
		problems: []string{"server.not_ready"},
	}, {
		Route: auth.Route{Pattern: "GET /metrics", Policy: auth.Loopback, Handler: a.metrics},
		id:    "getMetrics", tag: tagServer, summary: "Numbers for Prometheus",
		about:    "For programs on the same machine. Labels are gates, devices and reasons, never anybody.",
		replies:  []reply{{status: http.StatusOK, body: &content{kinds: []string{"text/plain"}}, about: "In Prometheus' text format."}},
		problems: []string{"request.not_served"},
	}, {
		Route: auth.Route{Pattern: "POST /api/v1/witness/add-checkpoint", Policy: auth.Public, Handler: a.addCheckpoint},
		id:    "addCheckpoint", tag: tagWitness, summary: "Show another log's checkpoint to this site",
		about:   "As c2sp.org/tlog-witness says. A log that is not listed in gatehouse.yml is refused; the size that this witness has is answered where the request names another.",
		request: &content{kinds: []string{"text/plain"}},
		replies: []reply{{status: http.StatusOK, body: &content{kinds: []string{"text/plain"}}, about: "The cosignature."},
			{status: http.StatusConflict, body: &content{kinds: []string{"text/x.tlog.size"}}, about: "The witness has another size than the request names: this one."}},
		problems: []string{"audit.unknown_log", "audit.signature", "audit.rolled_back", "auth.too_many", "request.not_served"},
	}}
}
