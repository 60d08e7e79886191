package wire

import "time"

// Authority is the site's own certificate authority, of which nothing here is secret.
// GET and POST /admin/v1/tls/authority.
type Authority struct {
	Names       []string  `json:"names"`
	Until       time.Time `json:"until"`
	Fingerprint string    `json:"fingerprint"` // SHA-256, as phones show it
	PEM         string    `json:"pem"`
	// Instructions say, in text, how devices come to trust it.
	Instructions string `json:"instructions"`
	// Restart says that the running server shows certificates of the one before until
	// it is started again.
	Restart bool `json:"restart,omitempty"`
}

// AuthorityRequest makes the authority; Again replaces one that is there.
type AuthorityRequest struct {
	Again bool `json:"again"`
}
