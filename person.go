package gatehouse

import (
	"encoding/binary"
	"log/slog"
	"time"
)

// PersonRecord is what a site may hold about a person. Everything is optional,
// and all of it is archive data: sealed, opened only by the vault.
type PersonRecord struct {
	Name       string `json:"name,omitempty"`
	BirthDate  string `json:"birth_date,omitempty"` // YYYY-MM-DD
	Gender     string `json:"gender,omitempty"`
	NationalID string `json:"national_id,omitempty"`
	Number     string `json:"number,omitempty"` // employee or student number
	Phone      string `json:"phone,omitempty"`
	Email      string `json:"email,omitempty"`
	Address    string `json:"address,omitempty"`
	Unit       string `json:"unit,omitempty"` // organization unit
}

// LogValue redacts the record.
func (PersonRecord) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// SealedRecord is a record in parts that are sealed one by one, so that a name on a
// live page is opened without the ID number behind it. Each is a sealed value of
// table "subjects", row the subject's id, field "name", "national_id" or "record".
type SealedRecord struct {
	Name       []byte // of a person the name, of a vehicle the plate
	NationalID []byte // empty for vehicles
	Rest       []byte // the record without those two
}

// Pack joins the parts for storing, each with its length as 4 bytes before it.
func (r SealedRecord) Pack() []byte {
	var b []byte
	for _, part := range [][]byte{r.Name, r.NationalID, r.Rest} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return b
}

// UnpackRecord undoes Pack. It fails with record.malformed.
func UnpackRecord(b []byte) (r SealedRecord, err error) {
	for _, part := range []*[]byte{&r.Name, &r.NationalID, &r.Rest} {
		if len(b) < 4 || uint64(len(b)-4) < uint64(binary.BigEndian.Uint32(b)) {
			return SealedRecord{}, Errorf("record.malformed", "restore it from a backup", "a stored record is cut off")
		}
		n := binary.BigEndian.Uint32(b)
		*part, b = b[4:4+n], b[4+n:]
	}
	if len(b) > 0 {
		return SealedRecord{}, Errorf("record.malformed", "restore it from a backup", "a stored record is too long")
	}
	return r, nil
}

// SubjectKind tells people from vehicles.
type SubjectKind string

// What may be enrolled.
const (
	PersonSubject  SubjectKind = "person"
	VehicleSubject SubjectKind = "vehicle"
)

// SubjectStatus is metadata: whether the subject's grants count.
type SubjectStatus string

// A suspended subject keeps its enrolment and is turned away.
const (
	Active          SubjectStatus = "active"
	SuspendedStatus SubjectStatus = "suspended"
	// ErasedStatus is a tombstone: when somebody was enrolled and what they agreed to,
	// under an id that is nobody's.
	ErasedStatus SubjectStatus = "erased"
)

// Subject is the metadata row of an enrolled person or vehicle.
type Subject struct {
	Place
	ID       SubjectID
	Kind     SubjectKind
	Status   SubjectStatus
	Enrolled time.Time
	Record   []byte     // a packed SealedRecord
	Photos   []Evidence // sealed enrolment photos
}

// Badge is what the gate itself may know of a subject: a label to show while the
// vault is sealed, and what it is allowed. It lives in the working set.
type Badge struct {
	Subject SubjectID     `json:"subject"`
	Kind    SubjectKind   `json:"kind"`
	Status  SubjectStatus `json:"status"`
	Label   string        `json:"label"` // what is printed on the badge: no name unless the site chose so
	Grants  []Grant       `json:"grants"`
	// NeedSecondFactor is set for people whom a face alone cannot tell apart (twins).
	NeedSecondFactor bool      `json:"need_second_factor,omitempty"`
	FaceConsent      bool      `json:"face_consent"` // consent to face recognition at doors is in force
	ValidFrom        time.Time `json:"valid_from,omitzero"`
	ValidUntil       time.Time `json:"valid_until,omitzero"`
}

// Grant allows a subject at a gate within a schedule; Gate "*" means every gate of
// the kind that fits the subject, Schedule "always" means at any time.
type Grant struct {
	Gate     GateID `json:"gate"`
	Schedule string `json:"schedule"`
}
