package console

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/flow/disclose"
	"gatehouse/flow/enroll"
	"gatehouse/flow/erase"
	"gatehouse/flow/intake"
)

// Registry is who and what is enrolled, and by what it is changed.
type Registry struct {
	Enroller *enroll.Enroller
	Badges   Badges
	Store    RegistryStore
	Records  Records
	Erasures Erasures
	Imports  *intake.Jobs
	// ReadTable reads a file that somebody gave. It fails with sheet.*.
	ReadTable func(file []byte, encoding string) (intake.Table, error)
	// CheckGrants refuses gates and schedules that do not exist: grant.*.
	CheckGrants func([]gatehouse.Grant) error
	// Schedules are the names of those that can be granted, "always" left out.
	Schedules func() []string
}

// Badges is what the gates know of subjects; flow/workingset has it.
type Badges interface {
	Badge(gatehouse.SubjectID) (gatehouse.Badge, bool)
	Badges() []gatehouse.Badge
	// FindBadges gives at most limit whose labels hold the text, by label.
	FindBadges(text string, limit int) []gatehouse.Badge
	Kinds(gatehouse.SubjectID) []gatehouse.WorkingKind
}

// RegistryStore is the part of the stores that the pages about subjects read.
type RegistryStore interface {
	Subject(ctx context.Context, place gatehouse.Place, id gatehouse.SubjectID) (gatehouse.Subject, error)
	Roll(ctx context.Context, place gatehouse.Place, f func(gatehouse.Subject) error) error
	Consents(ctx context.Context, place gatehouse.Place, id gatehouse.SubjectID) ([]gatehouse.Consent, error)
	SubjectPassages(ctx context.Context, place gatehouse.Place, id gatehouse.SubjectID, since time.Time, f func(passage gatehouse.ID, pictures []gatehouse.BlobID) error) error
}

// Records opens what is sealed of somebody who is enrolled, with the disclosure written
// first. Errors: vault.sealed, vault.reason, vault.budget, vault.canary, store.not_found.
type Records interface {
	Record(ctx context.Context, who Who, id gatehouse.SubjectID, reason string, numbered bool) (disclose.Record, error)
	Photos(ctx context.Context, who Who, id gatehouse.SubjectID, reason string) ([][]byte, error)
}

// Erasures erases for good; flow/erase says how, by which errors it refuses, and until when
// the end of ctx stops it. Privacy shows the certificate, which has the erasure's id.
type Erasures interface {
	// Erase erases; money says what becomes of what passes of it hold: refund, keep, or "" where
	// there is none (erase.money otherwise).
	Erase(ctx context.Context, who Who, erasure gatehouse.ID, id gatehouse.SubjectID, reason, money string) error
	// HeldMoney says what passes of it hold, by currency.
	HeldMoney(ctx context.Context, id gatehouse.SubjectID) ([]gatehouse.Money, error)
	// Known reports whether there is anything of a subject: also of one that is not enrolled.
	Known(ctx context.Context, id gatehouse.SubjectID) (bool, error)
	// Erasing are those that have not ended, whoever asked.
	Erasing(ctx context.Context) ([]erase.Progress, error)
}
