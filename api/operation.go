package api

import (
	"net/http"

	"gatehouse/auth"
)

// operation is a route that others may call, and what they are told of it. The OpenAPI
// document is made of these: a route without one is no part of the API. Tests compare what
// the handlers answer with what is said here.
type operation struct {
	auth.Route
	id      string // names the methods of generated clients; never changed
	tag     string
	summary string
	about   string // more, where the summary does not say it all
	path    []parameter
	query   []parameter
	header  []parameter
	request *content // nil: no body
	// keyed says that a request may name itself with an Idempotency-Key; most is then how
	// long its body may be, in bytes.
	keyed bool
	most  int64
	// tagged says that its answer has an ETag, and If-None-Match is understood.
	tagged bool
	// stream says that its answer does not end.
	stream  bool
	replies []reply
	// problems are the codes that the operation itself gives; those of its policy, of its
	// body and of a server that fails are added.
	problems []string
}

// parameter is a part of a path, query or header.
type parameter struct {
	name, about string
	like        any // a value of its type: an id and a name have patterns of their own
	required    bool
	enum        []string
	least, most int // of a number; both 0 for no bounds
	standard    any // what counts where it is missing
}

// content is a body.
type content struct {
	kinds []string // media types; nil is JSON alone
	like  any      // a value of the type that JSON is decoded into; nil for bytes and text
}

// reply is an answer that is no problem.
type reply struct {
	status int
	about  string
	body   *content // nil: none
	header []parameter
}

// headers are the operation's own, and those that come with what it is.
func (o operation) headers() []parameter {
	out := o.header
	if o.tagged {
		out = append(out, parameter{name: "If-None-Match", about: "The ETag that is known: 304 where it still is right.", like: ""})
	}
	if o.keyed {
		out = append(out, parameter{name: "Idempotency-Key", about: "16 to 128 characters that no other request of the caller has, such as a UUID. The same request with the same key is carried out once, and answered the same way for a day.", like: ""})
	}
	return out
}

// everyReply are the operation's, and those that come with what it is.
func (o operation) everyReply() []reply {
	var out []reply
	for _, r := range o.replies {
		if o.tagged && r.status == http.StatusOK {
			r.header = append(r.header, parameter{name: "ETag", about: "Changes with the answer.", like: ""})
		}
		if o.keyed {
			r.header = append(r.header, parameter{name: replayedHeader, about: "true: this was answered before, and nothing was done now.", like: ""})
		}
		if o.counted() {
			r.header = append(r.header, limitHeaders...)
		}
		out = append(out, r)
	}
	if o.tagged {
		out = append(out, reply{status: http.StatusNotModified, about: "It is what is known."})
	}
	return out
}

// inJSON is a body that is JSON.
func inJSON(like any) *content { return &content{like: like} }

// answers is the one answer that most operations have.
func answers(status int, like any, about string) []reply {
	return []reply{{status: status, body: inJSON(like), about: about}}
}

// policyProblems are the codes that a policy refuses with.
func policyProblems(p auth.Policy) (codes []string) {
	switch {
	case p == auth.WithDevice:
		codes = []string{"device.refused", "device.key_needed", "device.proof", "device.proof_time", "device.proof_again", "auth.too_many"}
	case p == auth.Loopback:
		codes = []string{"auth.loopback_only"}
	case p.ForSessions():
		codes = []string{"auth.session_needed", "auth.forbidden", "auth.set_up", "auth.passkey_needed"}
	}
	if p.Fresh() {
		codes = append(codes, "auth.again")
	}
	if p.ForTokens() {
		codes = append(codes, "token.refused", "token.scope", "auth.too_many")
	}
	return codes
}

// bodyProblems are the codes of a body that is wrong, too large or late.
func (o operation) bodyProblems() []string {
	switch {
	case o.request == nil:
		return nil
	case o.request.like == nil:
		return []string{"request.malformed", "request.too_large", "request.slow"}
	}
	return []string{"request.type", "request.malformed", "request.too_large", "request.slow"}
}

// counted reports whether what callers ask in a minute is limited and said: devices have
// a limit of their own, and the machine itself has none.
func (o operation) counted() bool { return o.Policy != auth.WithDevice && o.Policy != auth.Loopback }

// failures are what the server may say to everybody.
var failures = []string{"server.failed", "request.slow"}

// allProblems are every code that the operation may answer with.
func (o operation) allProblems() (codes []string) {
	codes = append(codes, o.problems...)
	codes = append(codes, policyProblems(o.Policy)...)
	codes = append(codes, o.bodyProblems()...)
	if o.keyed {
		codes = append(codes, "request.key", "request.key_reused", "request.in_progress", "request.unfinished")
	}
	if o.counted() {
		codes = append(codes, "auth.too_many")
	}
	return append(codes, failures...)
}
