package api

import "gatehouse/auth"

// documentWords begin the document.
const documentWords = `What a site's gates did, and what others may ask of the site. Everything is about one site: the one whose server answers.

Errors are problems as RFC 9457 has them, with a stable code and a hint; programs compare the code. Beside the codes of an operation a server answers 421 to a Host that is not its own, 403 to a request of another site's page, and 405 or 404 to what is no operation.

Times are RFC 3339. Lists are pages: next is the cursor of the page behind it, and is missing at the end. Unknown members of a request are refused; answers may get new members.

Nothing here says a name, a plate or a number of anybody, but for the search of the archive, which writes the disclosure down first.`

// tagWords say what belongs together.
var tagWords = map[string]string{
	tagPassages: "What happened at the gates: facts under opaque ids.",
	tagSubjects: "Who and what is enrolled: by opaque id and badge label.",
	tagArchive:  "What is sealed, for people with a reason.",
	tagHours:    "Hours worked: plans, timesheets, corrections, leave and pay periods, under opaque ids and badge labels.",
	tagDevices:  "What cameras, readers, terminals and kiosks send.",
	tagServer:   "How the server is, and this document.",
	tagWitness:  "One site's log, seen by another.",
}

func securitySchemes() *object {
	return (&object{}).
		put("accessToken", (&object{}).put("type", "http").put("scheme", "bearer").put("description", "What `gatehouse token add` printed, with the scope that is named.")).
		put("session", (&object{}).put("type", "apiKey").put("in", "cookie").put("name", auth.SecureCookieName).put("description", "A browser that signed in at the console; without TLS, on the machine itself, the cookie is "+auth.CookieName+".")).
		put("deviceKey", (&object{}).put("type", "http").put("scheme", auth.ProofScheme).put("description", "A signature of each request by the device's own key: docs/devices.md.")).
		put("deviceToken", (&object{}).put("type", "http").put("scheme", "bearer").put("description", "A device's token: on the machine itself, or over TLS where the site allows it."))
}

// security is who an operation lets in, as the document has it.
func security(p auth.Policy) []any {
	one := func(name string, scopes ...string) any { return (&object{}).put(name, append([]string{}, scopes...)) }
	switch {
	case p == auth.WithDevice:
		return []any{one("deviceKey"), one("deviceToken")}
	case p.ForTokens():
		return []any{one("accessToken", string(p.Permission())), one("session", string(p.Permission()))}
	case p.ForSessions():
		return []any{one("session", string(p.Permission()))}
	}
	return []any{}
}
