// Package wire holds what travels over the API and the admin socket as JSON, for
// both ends: package api answers with it, package client asks with it. Photos and
// records in requests are personal: nothing here may be logged.
package wire

import (
	"log/slog"
	"time"

	"gatehouse"
)

// EnrollPersonRequest enrols one person. POST /admin/v1/people.
type EnrollPersonRequest struct {
	Label  string                 `json:"label"` // printed on the badge; the only thing that must be given
	Record gatehouse.PersonRecord `json:"record"`
	Photos [][]byte               `json:"photos,omitempty"` // JPEG or PNG files, at most MaxPhotos
	Grants []gatehouse.Grant      `json:"grants"`
	// ConsentGiven says that the person agreed to face recognition; ConsentHow is
	// "terminal" or "reference", ConsentRef where the signed form lies. Photos
	// without consent are refused.
	ConsentGiven bool   `json:"consent_given"`
	ConsentHow   string `json:"consent_how,omitempty"`
	ConsentRef   string `json:"consent_ref,omitempty"`
	// Guardian says that a guardian signed, which people below the age of the site's law need.
	Guardian bool `json:"guardian,omitempty"`
	// DistinctFrom names the enrolled person whom this one resembles: twins, who
	// then need a second factor.
	DistinctFrom gatehouse.SubjectID `json:"distinct_from,omitzero"`
	Card         string              `json:"card,omitempty"`
	PIN          string              `json:"pin,omitempty"`
	QR           string              `json:"qr,omitempty"`
	ValidFrom    time.Time           `json:"valid_from,omitzero"`
	ValidUntil   time.Time           `json:"valid_until,omitzero"`
}

// LogValue redacts the request.
func (EnrollPersonRequest) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// MaxPhotos is how many photos one enrolment takes.
const MaxPhotos = 8

// EnrollVehicleRequest enrols one vehicle. POST /admin/v1/vehicles.
type EnrollVehicleRequest struct {
	Label  string                  `json:"label"`
	Record gatehouse.VehicleRecord `json:"record"` // Plate must be given
	Grants []gatehouse.Grant       `json:"grants"`
}

// LogValue redacts the request.
func (EnrollVehicleRequest) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// EnrollResponse answers both.
type EnrollResponse struct {
	Subject   gatehouse.SubjectID `json:"subject"`
	Templates int                 `json:"templates"` // how many photos could be described
}

// Subject is one row of GET /admin/v1/subjects: the badge, no name.
type Subject struct {
	ID       gatehouse.SubjectID     `json:"id"`
	Kind     gatehouse.SubjectKind   `json:"kind"`
	Status   gatehouse.SubjectStatus `json:"status"`
	Label    string                  `json:"label"`
	Grants   []gatehouse.Grant       `json:"grants"`
	Enrolled time.Time               `json:"enrolled"`
}

// SubjectsResponse is one page of subjects; Next is the cursor for ?after=, zero at the end.
type SubjectsResponse struct {
	Subjects []Subject           `json:"subjects"`
	Next     gatehouse.SubjectID `json:"next,omitzero"`
}

// StatusRequest suspends a subject or makes it active again.
// POST /admin/v1/subjects/{id}/status.
type StatusRequest struct {
	Status gatehouse.SubjectStatus `json:"status"`
}

// DeviceAddRequest enrols a device. POST /admin/v1/devices.
type DeviceAddRequest struct {
	ID     gatehouse.DeviceID   `json:"id"`
	Kind   gatehouse.DeviceKind `json:"kind"`
	Gate   gatehouse.GateID     `json:"gate"`
	Source string               `json:"source,omitempty"` // a camera's address; may hold a password, so it is sealed
}

// LogValue redacts the source.
func (r DeviceAddRequest) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", string(r.ID)), slog.String("gate", string(r.Gate)))
}

// DeviceAddResponse holds the device's token, which is shown this once.
type DeviceAddResponse struct {
	ID    gatehouse.DeviceID `json:"id"`
	Token string             `json:"token"`
	// Again says that the device was enrolled before: its earlier token has stopped
	// working, and its gate and kind are those given now.
	Again bool `json:"again,omitempty"`
}

// LogValue redacts the token.
func (DeviceAddResponse) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// VaultStatus answers GET /admin/v1/vault, unseal and seal.
type VaultStatus struct {
	Unsealed bool      `json:"unsealed"`
	Until    time.Time `json:"until,omitzero"`
	// Rotating says that the key is open for a rotation, also while the vault is sealed.
	Rotating bool `json:"rotating,omitempty"`
	// Canary says that a canary shut the vault: two operators lift it before it can be
	// unsealed.
	Canary bool `json:"canary,omitempty"`
	// Elsewhere says that the vault is on another machine. Away is then why it cannot
	// be reached now, "" while it can; Waiting is how many chains' rows wait for it.
	Elsewhere bool   `json:"elsewhere,omitempty"`
	Away      string `json:"away,omitempty"`
	Waiting   int    `json:"waiting,omitempty"`
}

// LinkResponse holds a one-time link to the console. POST /admin/v1/link.
type LinkResponse struct {
	Link string `json:"link"`
}

// LogValue redacts the link.
func (LinkResponse) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Status answers GET /admin/v1/status.
type Status struct {
	Version string       `json:"version"`
	Running bool         `json:"running"` // false: a command opened the store, and no server runs
	Org     string       `json:"org"`
	Site    string       `json:"site"`
	Started time.Time    `json:"started"`
	Address string       `json:"address"`
	Vault   VaultStatus  `json:"vault"`
	Index   *IndexStatus `json:"index,omitempty"` // while the vault is unsealed
	Custody string       `json:"custody"`         // of the gate key: "key file", "key file on the same disk", "systemd credential", "pkcs11", "tpm"
	// CustodyMeans says in a sentence what a thief gets.
	CustodyMeans string `json:"custody_means"`
	Faces        bool   `json:"faces"` // recognition is available now
	Enrolled     int    `json:"enrolled"`
	Gates        []Gate `json:"gates"`
}

// Gate is one gate's state.
type Gate struct {
	ID     gatehouse.GateID   `json:"id"`
	Kind   gatehouse.GateKind `json:"kind"`
	Name   string             `json:"name"`
	State  string             `json:"state"`
	Camera string             `json:"camera"`
}
