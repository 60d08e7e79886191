package gatehouse

import "context"

// EscrowItem is the archive's copy of a working-set item, sealed to the vault: from
// these the working set is rebuilt after a loss, since it is never backed up.
type EscrowItem struct {
	Place
	Kind    WorkingKind
	Subject SubjectID // zero for devices
	Row     ID
	Sealed  []byte
}

// EscrowTable begins the table of every escrow item's place; the vault opens nothing
// else for rebuilding a working set.
const EscrowTable = "escrow/"

// Context is where the item's sealed value belongs.
func (e EscrowItem) Context() SealContext {
	return SealContext{Place: e.Place, Table: EscrowTable + string(e.Kind), Row: e.Row, Field: e.Subject.String()}
}

// EscrowStore keeps the copies, beside the subjects' records.
type EscrowStore interface {
	// PutEscrow writes all items or none; one of the same kind and row is replaced.
	PutEscrow(ctx context.Context, items []EscrowItem) error
	// ReplaceEscrow is PutEscrow for items that are there; those that are not stay away.
	ReplaceEscrow(ctx context.Context, items []EscrowItem) error
	// DeleteEscrow removes a subject's items of the named kinds, all of them where none
	// is named.
	DeleteEscrow(ctx context.Context, place Place, subject SubjectID, kinds ...WorkingKind) error
	Escrow(ctx context.Context, f func(EscrowItem) error) error
}
