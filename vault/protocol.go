package vault

import (
	"time"

	"gatehouse"
	"gatehouse/vault/budget"
)

// The vault process's methods. All but open and unseal work while it is sealed.
const (
	methodInit        = "init"        // header initRequest, attachments: the databases' keys; first of all
	methodAppend      = "append"      // header []chainRow, attachments: enc and sealed of each
	methodUnseal      = "unseal"      // header unsealRequest, attachment: the credential's secret; reply unsealReply, proof
	methodSeal        = "seal"        //
	methodStatus      = "status"      // reply Status
	methodOpen        = "open"        // header openRequest, attachments: proof, sealed values; reply openReply, plaintexts
	methodRecord      = "record"      // header gatehouse.Disclosure
	methodDisclosures = "disclosures" // header listRequest; reply []gatehouse.Disclosure
)

type initRequest struct {
	Dir    string          // absolute
	Keys   string          // absolute: where vault.key and vault.pub are
	Files  []string        // the databases whose keys are attached, in this order
	Place  gatehouse.Place // goes into the audit log's name when it is begun
	Limits budget.Limits   // what the budgets may be at most; 0 bounds nothing
}

type unsealRequest struct {
	Operator string
	With     shown
	Lasts    time.Duration
}

// shown is a credential without its secret, which travels as an attachment.
type shown struct {
	Kind   gatehouse.CredentialKind
	Source string
}

func (s shown) credential(secret []byte) gatehouse.Credential {
	return gatehouse.Credential{Kind: s.Kind, Source: s.Source, Secret: secret}
}

func show(c gatehouse.Credential) shown { return shown{Kind: c.Kind, Source: c.Source} }

type unsealReply struct{ Until time.Time }

type openRequest struct {
	Operator, Role, Purpose, Reason string
	Refs                            []gatehouse.SealContext
}

type openReply struct{ Opened []bool } // false: the plaintext is nil

type listRequest struct {
	Before gatehouse.ID
	Limit  int
}

// Status is the vault's state.
type Status struct {
	Sealed       bool
	Operators    []string  // who unsealed it
	Until        time.Time // when it seals itself at the latest; zero while sealed
	WrongUnseals int       // wrong credentials since the vault process started
	PublicKey    string    // a short name of the public key, hexadecimal
	Memory       string    // what is kept out of swap: "locked", "key page", "not locked"
	Rotating     bool      // the keys of a rotation are open, also while it is sealed
	Canary       bool      // a canary shut the vault; two people must lift it
}

// Limits of one request.
const (
	maxRefs    = 200
	maxReason  = 500 // bytes
	maxListing = 1000
	maxMessage = 256 << 20
)
