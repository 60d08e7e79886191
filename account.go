package gatehouse

import (
	"context"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"
)

// AccountID is the random id of an account. It says nothing about whose it is, and it
// is what disclosures and the audit log name.
type AccountID = ID

// AccountState says whether somebody can sign in.
type AccountState string

// Somebody invited has nothing to sign in with yet; a disabled account keeps what it
// has and cannot use it.
const (
	Invited  AccountState = "invited"
	Enabled  AccountState = "enabled"
	Disabled AccountState = "disabled"
)

// Account is somebody who works with Gatehouse. It belongs to one organization.
type Account struct {
	Org   OrgID
	ID    AccountID
	Login string // a label for signing in, as CheckName has it: "guard-7", no name
	Name  Secret // what they are called; personal, "" where nobody said
	State AccountState
	// Person is who is enrolled and has this account; zero where nobody said. Their own hours
	// follow from it, and that they decide nothing about these.
	Person SubjectID
	Roles  []Assignment
	Made   time.Time
	// Revision grows with every change of state or roles; a session of an earlier one
	// has ended.
	Revision uint64
	// Credentials name what the account signs in with. What that is stays with Keys.
	Credentials []CredentialRef
}

// Assignment is one role and where it counts.
type Assignment struct {
	Role  Role
	Site  SiteID   // "" for every site of the organization
	Gates []GateID // of a role that is PerGate: those where it counts; none for no gate
}

// CredentialRef names something that an account signs in with.
type CredentialRef struct {
	ID    string // hexadecimal; of this account's credentials only one has it
	Kind  SignInKind
	Label string // what its owner called it
	Made  time.Time
	Used  time.Time // zero: never
}

// String is the assignment as people write it: role[@site][:gate+gate].
func (a Assignment) String() string {
	s := string(a.Role)
	if a.Site != "" {
		s += "@" + string(a.Site)
	}
	for i, g := range a.Gates {
		s += map[bool]string{true: ":", false: "+"}[i == 0] + string(g)
	}
	return s
}

// ParseAssignment reads the form that String writes. Whether the gates are there is not
// looked at. It fails with account.roles.
func ParseAssignment(s string) (Assignment, error) {
	var a Assignment
	head, gates, atGates := strings.Cut(s, ":")
	role, site, atSite := strings.Cut(head, "@")
	a.Role, a.Site = Role(role), SiteID(site)
	ok := slices.Contains(PeopleRoles, a.Role) && (!atSite || CheckName(site) == nil)
	if atGates {
		for g := range strings.SplitSeq(gates, "+") {
			ok = ok && CheckName(g) == nil
			a.Gates = append(a.Gates, GateID(g))
		}
	}
	if !ok {
		return Assignment{}, Errorf("account.roles", "write administrator, or guard:front-door+back-door; the roles are guard, site-manager, hr, parking-operator, privacy-officer, administrator, auditor, employee", "this is no role")
	}
	return a, nil
}

// SignInKind is a way to sign in.
type SignInKind string

// The ways. There are no passwords.
const (
	ByPasskey SignInKind = "passkey"
	ByTOTP    SignInKind = "totp"
	ByOIDC    SignInKind = "oidc"
	ByLink    SignInKind = "link"   // a one-time link that the admin socket gave for an account
	ByInvite  SignInKind = "invite" // the one-time link of an invitation
	BySetUp   SignInKind = "set-up" // the one-time link of a site that has no account yet
	ByLocal   SignInKind = "local"  // a demo's link: every role, on this machine only
)

// LogValue keeps everything but the id out of logs.
func (a Account) LogValue() slog.Value { return slog.StringValue(a.ID.String()) }

// String keeps it out of texts.
func (a Account) String() string { return "account " + a.ID.String() }

// LogValue keeps keys out of logs.
func (AccountKeys) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// String keeps them out of texts.
func (AccountKeys) String() string { return "[redacted]" }

// here says whether an assignment counts at a place.
func (a Account) here(as Assignment, at Place) bool {
	return a.Org == at.Org && (as.Site == "" || as.Site == at.Site)
}

// May reports whether the account's roles give the permission at the place, and by which
// role, the first in the order of Roles. State is not looked at.
func (a Account) May(p Permission, at Place) (Role, bool) {
	for _, role := range Roles {
		if !role.May(p) {
			continue
		}
		for _, as := range a.Roles {
			if as.Role == role && a.here(as, at) {
				return role, true
			}
		}
	}
	return "", false
}

// Gates are those at which the account has the permission.
func (a Account) Gates(p Permission, at Place) Gates {
	var g Gates
	for _, as := range a.Roles {
		switch {
		case !as.Role.May(p) || !a.here(as, at):
		case !as.Role.PerGate():
			return AllGates()
		default:
			g.some = append(g.some, as.Gates...)
		}
	}
	return g
}

// Gates are a set of a site's gates. The zero value is none.
type Gates struct {
	all  bool
	some []GateID
}

// AllGates are all of them; SomeGates the named ones.
func AllGates() Gates { return Gates{all: true} }

// SomeGates are the named gates.
func SomeGates(ids ...GateID) Gates { return Gates{some: slices.Clone(ids)} }

// Has reports whether the gate is among them.
func (g Gates) Has(id GateID) bool { return g.all || slices.Contains(g.some, id) }

// All reports whether every gate is, also one that is set up later.
func (g Gates) All() bool { return g.all }

// List names the gates, sorted and each once; nil where All.
func (g Gates) List() []GateID {
	if g.all {
		return nil
	}
	out := slices.Clone(g.some)
	slices.Sort(out)
	return slices.Compact(out)
}

// AccountKeys are what an account signs in with. They are sealed with the account and
// go no further than auth.
type AccountKeys struct {
	Passkeys []Passkey
	TOTP     Secret // the shared secret, RFC 6238; "" for none
	TOTPMade time.Time
	TOTPStep int64 // the last step that was used: a code works once
	Outside  []OutsideIdentity
	Invite   [32]byte  // SHA-256 of the invitation's token; zero for none
	Until    time.Time // when the invitation ends
}

// Passkey is a WebAuthn credential's public half, with what must be remembered of it.
type Passkey struct {
	ID             []byte // the authenticator's
	PublicKey      []byte // COSE
	Counter        uint32
	BackupEligible bool
	BackedUp       bool
	Transports     []string
	AAGUID         []byte
	Label          string
	Made, Used     time.Time
}

// OutsideIdentity is somebody at a provider of single sign-on.
type OutsideIdentity struct {
	Issuer     string
	Subject    Secret
	Made, Used time.Time
}

// LeafWriter adds an audit leaf that belongs to no other row, in one transaction.
type LeafWriter interface {
	// WriteLeaf MUST be durable when it returns nil. Errors: store.full, store.failed.
	WriteLeaf(ctx context.Context, leaf []byte) error
}

// AccountLeaf records a change of an account: event is added, invited, linked, roles,
// enabled, disabled, removed, passkey-added, passkey-removed, totp-set, totp-removed,
// sso-linked, person; by is who did it, an account id or "admin-socket".
func AccountLeaf(at time.Time, place Place, event string, id AccountID, by string, more ...string) []byte {
	return EventLeaf(AccountLeafKind, at, event, append([]string{string(place.Org), string(place.Site), id.String(), by}, more...)...)
}

// SignInLeaf records that a session began: how, whose (zero for a local one), and the
// session's key.
func SignInLeaf(at time.Time, place Place, how SignInKind, id AccountID, session string) []byte {
	return EventLeaf(SignInLeafKind, at, string(how), string(place.Org), string(place.Site), id.String(), session)
}

// RefusedLeaf records how many attempts to sign in were refused since the last such leaf.
func RefusedLeaf(at time.Time, place Place, count int) []byte {
	return EventLeaf(SignInLeafKind, at, "refused", string(place.Org), string(place.Site), strconv.Itoa(count))
}
