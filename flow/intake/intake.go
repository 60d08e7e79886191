// Package intake takes in many people or vehicles from a table: every row is checked
// before one is enrolled, what is wrong is said by row, column and cause, and a run can be
// stopped and gone on with. Who is there already, by the label, is left alone, so that the
// same table twice changes nothing.
package intake

import (
	"context"
	"time"

	"gatehouse"
)

// Table is what was read of a file; see internal/sheet.
type Table struct {
	Header   []string
	Rows     []Row
	Encoding string // how its text was read
	Date1904 bool   // from when a workbook counts its days
}

// Row is one row below the header, which is row 1.
type Row struct {
	N        int
	Cells    []string // may be fewer than the header has
	Formulas []int    // columns that hold a formula
}

// Newcomer is one row that was understood.
type Newcomer struct {
	Label         string
	Person        *gatehouse.PersonRecord  // or
	Vehicle       *gatehouse.VehicleRecord // one of the two
	Grants        []gatehouse.Grant
	Groups        []gatehouse.GroupID
	Card, PIN, QR gatehouse.Secret
	ValidFrom     time.Time
	ValidUntil    time.Time // the first moment that counts no more
}

// Desk is where newcomers are enrolled. Check does all that Enrol does before it writes;
// both fail with enroll.* and grant.* codes.
type Desk interface {
	Check(ctx context.Context, n Newcomer) error
	// Enrol does it in the name of by.
	Enrol(ctx context.Context, by string, n Newcomer) (gatehouse.SubjectID, error)
	// Groups are those that a newcomer may be put into.
	Groups() []gatehouse.Group
	// Labels are those of a kind that are in use.
	Labels(kind gatehouse.SubjectKind) map[string]bool
}

// Options are how a table is to be taken.
type Options struct {
	Kind     gatehouse.SubjectKind
	Grants   []gatehouse.Grant // of rows that name no gates
	Skip     bool              // enrol the rows that are right and leave out the others
	Location *time.Location    // whose days the table means
}

// Problem says what is wrong with one row, or with the header (row 1), and quotes nothing.
type Problem struct {
	Row    int
	Column string // the name of a column as this package knows it; "F" and the like for one that is not known
	Code   string // of a closed list, with a sentence for people: see Causes
	Other  int    // the row that says the same, for a duplicate
}

// Report is what checking found.
type Report struct {
	Rows     int // in the table
	Ready    int // that would be enrolled
	There    int // that are enrolled already, by their labels
	Bad      int // that have something wrong
	NoGates  int // of the ready ones, who have no gates and no groups and may pass nowhere yet
	Problems []Problem
	More     int // problems beyond those listed
	Dates    []DateForm
	Encoding string
}

// DateForm says in how many cells of a column a date was written in one form.
type DateForm struct {
	Column string
	Form   string // of Forms
	Cells  int
}

// MaxProblems is how many are listed.
const MaxProblems = 500

// Clean reports whether the table may be run as it is.
func (r Report) Clean() bool { return r.Bad == 0 && len(r.Problems) == 0 }

func (r *Report) add(p Problem) {
	if len(r.Problems) == MaxProblems {
		r.More++
		return
	}
	r.Problems = append(r.Problems, p)
}
