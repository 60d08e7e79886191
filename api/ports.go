package api

import (
	"context"
	"io"
	"net/http"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
)

// Captures takes what a device sent. A frame may end a track and lead to
// passages, a credential leads to one.
type Captures interface {
	// Post returns the passages that the capture decided, which are committed.
	// None is usual for a frame. It must be safe for concurrent use. Errors: the
	// image.* codes, vision.unavailable, server.busy, device.kind for what such a
	// device does not send, pin.too_many.
	Post(ctx context.Context, c gatehouse.Capture) ([]gatehouse.Passage, error)
}

// ParseFrame makes a capture of a posted picture, of its request's headers and body:
// Kind, Claimed, Received and Image are set. It fails with an image.* or request.*
// code. ingest/frames has it.
type ParseFrame func(h http.Header, body io.Reader, received time.Time) (gatehouse.Capture, error)

// Passages is the part of gatehouse.PassageStore that the API reads.
type Passages interface {
	Passage(ctx context.Context, place gatehouse.Place, id gatehouse.ID) (gatehouse.StoredPassage, error)
	Passages(ctx context.Context, q gatehouse.PassageQuery) ([]gatehouse.Passage, error)
}

// Admin carries out what comes over the admin socket. Its caller is the server's
// own user or root. Errors are *gatehouse.Error and hold nothing personal.
type Admin interface {
	EraseAdmin
	ImportAdmin
	SearchAdmin
	AuditAdmin
	KeysAdmin
	SecretsAdmin
	BackupAdmin
	GateKeyAdmin
	TLSAdmin
	DeviceAdmin
	HealthAdmin
	AccountsAdmin
	RulesAdmin
	WhyAdmin
	OpeningAdmin
	AlarmsAdmin
	TokensAdmin
	WebhooksAdmin
	Parking
	Hours
	Wages
	BooksAdmin
	// EnrollPerson: face.none, face.several, face.poor, face.known (the hint names
	// the subject), consent.missing, label.missing, grant.unknown_gate.
	EnrollPerson(ctx context.Context, r wire.EnrollPersonRequest) (wire.EnrollResponse, error)
	// EnrollVehicle: plate.malformed, plate.known.
	EnrollVehicle(ctx context.Context, r wire.EnrollVehicleRequest) (wire.EnrollResponse, error)
	// Subjects pages by id, ascending, behind after.
	Subjects(ctx context.Context, after gatehouse.SubjectID, limit int) (wire.SubjectsResponse, error)
	// SetStatus: store.not_found.
	SetStatus(ctx context.Context, id gatehouse.SubjectID, to gatehouse.SubjectStatus) error
	// WithdrawConsent ends the consent to face recognition and removes the templates:
	// store.not_found, consent.none.
	WithdrawConsent(ctx context.Context, id gatehouse.SubjectID) error
	// AddDevice: device.known, name.malformed, grant.unknown_gate. Adding a device
	// again gives it a new token, and the old one stops working.
	AddDevice(ctx context.Context, r wire.DeviceAddRequest) (wire.DeviceAddResponse, error)
	Seal(ctx context.Context) (wire.VaultStatus, error)
	// Link mints a one-time link to a console that has no account yet: account.ready.
	Link(ctx context.Context) (wire.LinkResponse, error)
	Status(ctx context.Context) (wire.Status, error)
	GalleryAdmin

	DisclosureAdmin
}

// Ready says that the server is ready, and what it does without, or fails with the
// reason why it is not; for /readyz.
type Ready func(ctx context.Context) (wire.Readiness, error)
