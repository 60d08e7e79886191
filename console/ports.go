package console

import (
	"context"
	"time"

	"gatehouse"
)

// Who is the operator behind a request. Operator is what disclosures name;
// Session tells two of the operator's browsers apart. Proofs that the vault gave
// are kept by the Vault's implementation, by Session: the console never holds one.
type Who struct {
	Operator string
	Session  string
	Role     gatehouse.Role // by which the request was let in; "" for a local session
}

// Passages is the part of gatehouse.PassageStore that the console reads: metadata,
// and sealed content that it cannot open.
type Passages interface {
	Passages(ctx context.Context, q gatehouse.PassageQuery) ([]gatehouse.Passage, error)
	Passage(ctx context.Context, place gatehouse.Place, id gatehouse.ID) (gatehouse.StoredPassage, error)
	CountPassages(ctx context.Context, place gatehouse.Place, from, until time.Time, at gatehouse.Gates) (gatehouse.PassageCounts, error)
}

// Lender gives what is personal, each time with the disclosure written before it
// returns. All names, plates and archived pictures on any page come from here.
// Where the vault is sealed it lends badge labels and no error; a method that
// has nothing to give but archive data then fails with vault.sealed.
type Lender interface {
	// Live lends what the live window shows of these passages (at most 200): a
	// person's name, a vehicle's plate, or the badge's label while the vault is
	// sealed. A passage it can say nothing of (a stranger's face) is missing from
	// the map. The disclosure (purpose "live") covers the names and the pictures
	// that the memory ring holds of these passages, so one MUST be written while
	// the vault is sealed as well. It is called once when the page is opened, and
	// again for each batch of new passages: an implementation may gather what one
	// session was shown within a minute into one entry, as long as the entry is
	// there first.
	Live(ctx context.Context, who Who, passages []gatehouse.Passage) (map[gatehouse.ID]Lent, error)
	// Detail opens one passage (purpose "passage"). The disclosure covers the
	// pictures of the memory ring as well. While the vault is sealed: Opened with
	// a label and a nil Detail, and no error.
	Detail(ctx context.Context, who Who, p gatehouse.StoredPassage) (Opened, error)
	// Evidence opens the passage's archived pictures as JPEGs, in the order of
	// p.Evidence; nil for one that was erased or has expired. reason is in the
	// operator's words and never empty. Errors: vault.sealed, vault.forbidden.
	Evidence(ctx context.Context, who Who, p gatehouse.StoredPassage, reason string) ([][]byte, error)
	// Names lends the names or plates of enrolled subjects (purpose "person");
	// empty while the vault is sealed. At most 200 at a time.
	Names(ctx context.Context, who Who, subjects []gatehouse.SubjectID) (map[gatehouse.SubjectID]string, error)
}

// Lent is how a passage's subject may be called.
type Lent struct {
	Text  string // a name or plate where Lent is true, else a badge label
	Lent  bool   // opened by the vault, and so written to the disclosure log
	Plate bool   // Text is a number plate
}

// Opened is what the vault said of one passage.
type Opened struct {
	Lent   Lent              // who; Text "" for a stranger
	Detail *gatehouse.Detail // nil while the vault is sealed, or when it was erased or has expired
}

// Vault is sealed and unsealed from the console. Its implementation MUST call
// feed.Hub.VaultChanged whenever the vault was sealed or unsealed, by itself too:
// open pages then take names away or ask for them.
type Vault interface {
	Status(ctx context.Context) (VaultStatus, error)
	// Unseal opens the vault for this operator, for at most d. The passphrase is
	// the callee's to wipe. Errors: vault.passphrase, vault.busy.
	Unseal(ctx context.Context, who Who, passphrase []byte, d time.Duration) error
	// Seal closes it for everybody.
	Seal(ctx context.Context, who Who) error
}

// VaultStatus says whether names and archived pictures can be lent.
type VaultStatus struct {
	Unsealed bool
	Until    time.Time // when it seals by itself; zero where it does not
	Canary   bool      // a canary shut it; two operators lift that before it can be unsealed
}

// Enrolled is one row of the list of who and what is enrolled.
type Enrolled struct {
	Badge    gatehouse.Badge
	Enrolled time.Time
}

// Disclosures reads the disclosure log.
type Disclosures interface {
	// Disclosures returns at most limit entries, newest first, with an id smaller
	// than before (zero: from the newest).
	Disclosures(ctx context.Context, before gatehouse.ID, limit int) ([]gatehouse.Disclosure, error)
	// Reasons opens the sealed reasons of a page of them, which is a disclosure.
	Reasons(ctx context.Context, who Who, list []gatehouse.Disclosure) error
}
