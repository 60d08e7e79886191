package gatehouse

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"time"
)

// LeafKind says what an audit leaf records.
type LeafKind string

// Every change is a leaf. Leaves commit to ciphertexts, never to personal data,
// so that an erasure does not break a proof.
const (
	PassageLeafKind LeafKind = "passage"
	OutcomeLeafKind LeafKind = "outcome"
	SubjectLeafKind LeafKind = "subject"
	StatusLeafKind  LeafKind = "status"
	ConsentLeafKind LeafKind = "consent"
	DeviceLeafKind  LeafKind = "device"
	AccountLeafKind LeafKind = "account" // made, invited, given roles, disabled, removed, a key added or removed
	SignInLeafKind  LeafKind = "sign-in" // a session began, or how many attempts were refused
	RuleLeafKind    LeafKind = "rules"   // a group, rule, schedule or holiday was changed
	AlarmLeafKind   LeafKind = "alarm"   // somebody acknowledged an alarm
	RequestLeafKind LeafKind = "request" // of a person about their data: opened, extended, answered
	SettingLeafKind LeafKind = "setting" // changed while the server runs
	PlanLeafKind    LeafKind = "plan"    // a floor plan was drawn, arranged or removed
	ParkingLeafKind LeafKind = "parking" // a tariff, pass or list was changed, a stay attached or corrected
	HoursLeafKind   LeafKind = "hours"   // plans and rules of hours, punches by hand, corrections, leave, pay periods
	BookLeafKind    LeafKind = "books"   // an entry of the books was made, or a day closed

	// What the vault process records itself.
	DisclosureLeafKind LeafKind = "disclosure"
	RefusalLeafKind    LeafKind = "refusal" // a disclosure that the budget or a canary stopped
	LiveLeafKind       LeafKind = "live"    // what a guard's live window showed beyond its disclosure
	VaultLeafKind      LeafKind = "vault"   // unsealed, sealed, a wrong passphrase
	EraseLeafKind      LeafKind = "erase"
	ExpireLeafKind     LeafKind = "expire"
	HoldLeafKind       LeafKind = "hold"
	KeyLeafKind        LeafKind = "key" // made, rotated, split, exported, a slot added or removed
	CanaryLeafKind     LeafKind = "canary"
	ReleaseLeafKind    LeafKind = "release" // bulk: asked for, approved, written
	BackupLeafKind     LeafKind = "backup"
	PolicyLeafKind     LeafKind = "policy" // budgets and retention that were set
)

// LeafKinds lists them all.
var LeafKinds = []LeafKind{PassageLeafKind, OutcomeLeafKind, SubjectLeafKind, StatusLeafKind, ConsentLeafKind, DeviceLeafKind, AccountLeafKind, SignInLeafKind, RuleLeafKind, AlarmLeafKind, RequestLeafKind, SettingLeafKind, PlanLeafKind, BookLeafKind, ParkingLeafKind, HoursLeafKind, DisclosureLeafKind, RefusalLeafKind,
	LiveLeafKind, VaultLeafKind, EraseLeafKind, ExpireLeafKind, HoldLeafKind, KeyLeafKind, CanaryLeafKind, ReleaseLeafKind, BackupLeafKind, PolicyLeafKind}

// leafVersion begins every leaf, so that an old leaf can be told from a new one.
const leafVersion = 1

// leaf encodes its parts, each with a 4-byte big-endian length before it, so that
// no two different lists give the same bytes.
func leaf(kind LeafKind, at time.Time, parts ...[]byte) []byte {
	stamp := binary.BigEndian.AppendUint64(nil, uint64(at.UnixMilli()))
	all := append([][]byte{{leafVersion}, []byte(kind), stamp}, parts...)
	var b []byte
	for _, p := range all {
		b = binary.BigEndian.AppendUint32(b, uint32(len(p)))
		b = append(b, p...)
	}
	return b
}

// EventLeaf records an event that has no leaf of its own shape: event names it
// ("sealed", "rotated"), parts are opaque ids, numbers and digests, never personal data.
func EventLeaf(kind LeafKind, at time.Time, event string, parts ...string) []byte {
	all := [][]byte{[]byte(event)}
	for _, p := range parts {
		all = append(all, []byte(p))
	}
	return leaf(kind, at, all...)
}

// StateDigest commits a leaf to a state that lies beside the log and is replaced:
// its name, of at most 255 bytes, and the SHA-256 of its bytes.
type StateDigest struct {
	Name   string
	Digest [sha256.Size]byte
}

// statesMark begins the last part of a leaf that commits to states.
const statesMark = "\x00states/1\x00"

// WithStates adds to a leaf the states that were written in its transaction.
func WithStates(leaf []byte, states []StateDigest) []byte {
	if len(states) == 0 {
		return leaf
	}
	part := []byte(statesMark)
	for _, s := range states {
		part = append(part, byte(len(s.Name)))
		part = append(part, s.Name...)
		part = append(part, s.Digest[:]...)
	}
	out := append([]byte(nil), leaf...)
	out = binary.BigEndian.AppendUint32(out, uint32(len(part)))
	return append(out, part...)
}

// SplitStates undoes WithStates: plain is the leaf before, and the leaf itself where it
// commits to no state.
func SplitStates(leaf []byte) (plain []byte, states []StateDigest) {
	last := 0
	for b := 0; b < len(leaf); {
		if len(leaf)-b < 4 {
			return leaf, nil
		}
		n := uint64(binary.BigEndian.Uint32(leaf[b:]))
		if uint64(len(leaf)-b) < 4+n {
			return leaf, nil
		}
		last, b = b, b+4+int(n)
	}
	if len(leaf) < last+4 {
		return leaf, nil
	}
	part, ok := bytes.CutPrefix(leaf[last+4:], []byte(statesMark))
	for ok && len(part) > 0 {
		n := 1 + int(part[0])
		if len(part) < n+sha256.Size {
			return leaf, nil
		}
		states = append(states, StateDigest{Name: string(part[1:n]), Digest: [sha256.Size]byte(part[n:])})
		part = part[n+sha256.Size:]
	}
	if len(states) == 0 {
		return leaf, nil
	}
	return leaf[:last], states
}

// LeafParts undoes the encoding: version, kind, time and the leaf's own parts, without
// the states that it commits to. It fails with audit.malformed.
func LeafParts(b []byte) (kind LeafKind, at time.Time, parts [][]byte, err error) {
	b, _ = SplitStates(b)
	malformed := Errorf("audit.malformed", "the audit log was altered or cut", "this is no audit leaf")
	var all [][]byte
	for len(b) > 0 {
		if len(b) < 4 {
			return "", at, nil, malformed
		}
		n := binary.BigEndian.Uint32(b)
		if uint64(len(b)) < 4+uint64(n) {
			return "", at, nil, malformed
		}
		all = append(all, b[4:4+n])
		b = b[4+n:]
	}
	if len(all) < 3 || len(all[0]) != 1 || all[0][0] != leafVersion || len(all[2]) != 8 {
		return "", at, nil, malformed
	}
	return LeafKind(all[1]), time.UnixMilli(int64(binary.BigEndian.Uint64(all[2]))).UTC(), all[3:], nil
}

// LeafOfGate reports whether a leaf is of a kind that the gate's own files hold: what
// happens at gates, subjects, consents, devices, accounts, who signs in, rules, alarms,
// people's requests, settings, plans, parking, the books and hours. Every other leaf is written by the vault process
// alone; so that whoever runs as the server can
// put no certificate, disclosure or key of their own into the log, it takes none of them
// from the gate.
func LeafOfGate(leaf []byte) bool {
	kind, _, parts, err := LeafParts(leaf)
	if err != nil {
		return false
	}
	switch kind {
	case PassageLeafKind, OutcomeLeafKind, SubjectLeafKind, StatusLeafKind, ConsentLeafKind, DeviceLeafKind, AccountLeafKind, SignInLeafKind, RuleLeafKind, AlarmLeafKind, RequestLeafKind, SettingLeafKind, PlanLeafKind, ParkingLeafKind, BookLeafKind, HoursLeafKind:
		return true
	case EraseLeafKind:
		return len(parts) > 0 && string(parts[0]) == eventReplaced
	}
	return false
}

func digest(b []byte) []byte {
	d := sha256.Sum256(b)
	return d[:]
}

// PassageLeaf commits to a passage, its sealed detail and its evidence. The
// subject is not in it: erasing a subject replaces its id.
func PassageLeaf(p Passage, detail []byte, evidence []Evidence) []byte {
	parts := [][]byte{[]byte(p.Org), []byte(p.Site), p.ID[:], []byte(p.Gate), []byte(p.Device), []byte(p.Direction),
		[]byte(p.Kind), []byte(p.Decision.Reason), []byte(p.Decision.Rule), digest(detail)}
	for _, e := range evidence {
		parts = append(parts, e.Digest[:])
	}
	return leaf(PassageLeafKind, p.At, parts...)
}

// OutcomeLeaf commits to what happened at the gate.
func OutcomeLeaf(o PassageOutcome) []byte {
	return leaf(OutcomeLeafKind, o.At, []byte(o.Org), []byte(o.Site), o.ID[:], []byte(o.Outcome))
}

// SubjectLeaf commits to an enrolment: to the sealed record and photos, not to who it is.
func SubjectLeaf(s Subject, at time.Time) []byte {
	parts := [][]byte{[]byte(s.Org), []byte(s.Site), []byte(s.Kind), digest(s.Record)}
	for _, e := range s.Photos {
		parts = append(parts, e.Digest[:])
	}
	return leaf(SubjectLeafKind, at, parts...)
}

// StatusLeaf commits to a change of a subject's status, named by its sealed record.
func StatusLeaf(s Subject, to SubjectStatus, at time.Time) []byte {
	return leaf(StatusLeafKind, at, []byte(s.Org), []byte(s.Site), digest(s.Record), []byte(to))
}

// ConsentLeaf commits to a consent given or withdrawn, by its sealed reference. How it was
// recorded follows where that was noted.
func ConsentLeaf(c Consent, at time.Time) []byte {
	state := "given"
	if !c.Withdrawn.IsZero() {
		state = "withdrawn"
	}
	parts := [][]byte{[]byte(c.Org), []byte(c.Site), []byte(c.Purpose), []byte(state), digest(c.Reference)}
	if c.Notice != "" || c.Guardian || c.By != "" {
		parts = append(parts, []byte(c.Notice), []byte(strconv.FormatBool(c.Guardian)), []byte(c.By))
	}
	return leaf(ConsentLeafKind, at, parts...)
}

// DisclosureLeaf commits to a disclosure and to its sealed reason (empty for none),
// which is in the operator's words and may name somebody.
func DisclosureLeaf(d Disclosure, reason []byte) []byte {
	parts := [][]byte{d.ID[:], []byte(d.Operator), []byte(d.Role), []byte(d.Purpose), digest(reason), binary.BigEndian.AppendUint32(nil, uint32(d.Units))}
	for _, item := range d.Items {
		parts = append(parts, []byte(item))
	}
	return leaf(DisclosureLeafKind, d.At, parts...)
}

// DeviceLeaf commits to the enrolment of a device.
func DeviceLeaf(d Device, at time.Time) []byte {
	return leaf(DeviceLeafKind, at, []byte(d.Org), []byte(d.Site), []byte(d.ID), []byte(d.Kind), []byte(d.Gate))
}

// DeviceChangeLeaf commits to what became of a device later: change is "key" with the
// digest of the key that it enrolled, or "revoked".
func DeviceChangeLeaf(d Device, operator, change string, key []byte, at time.Time) []byte {
	parts := [][]byte{[]byte(d.Org), []byte(d.Site), []byte(d.ID), []byte(d.Kind), []byte(d.Gate), []byte(operator), []byte(change)}
	if key != nil {
		parts = append(parts, digest(key))
	}
	return leaf(DeviceLeafKind, at, parts...)
}

// ParkingLeaf commits to a change that somebody made to a car park's data: what happened
// ("tariff-put", "stay-attached"), to which opaque id or name, by whom, and to the digest
// of what it is now (nil: it was removed).
func ParkingLeaf(place Place, event, id, by string, now []byte, at time.Time) []byte {
	parts := [][]byte{[]byte(place.Org), []byte(place.Site), []byte(event), []byte(id), []byte(by)}
	if now != nil {
		parts = append(parts, digest(now))
	}
	return leaf(ParkingLeafKind, at, parts...)
}
