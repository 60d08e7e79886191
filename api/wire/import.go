package wire

import (
	"log/slog"

	"gatehouse"
)

// ImportRequest checks a table of people or vehicles. POST /admin/v1/imports. Nobody is
// enrolled before the import is started.
type ImportRequest struct {
	Kind     gatehouse.SubjectKind `json:"kind"`
	File     []byte                `json:"file"`               // CSV or XLSX, at most 16 MiB
	Encoding string                `json:"encoding,omitempty"` // of CSV: auto, utf-8, utf-16, gb18030, windows-1252
	Grants   []gatehouse.Grant     `json:"grants,omitempty"`   // of rows that name no gates
	Skip     bool                  `json:"skip,omitempty"`     // leave out rows with problems
}

// LogValue redacts the request.
func (ImportRequest) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// ImportStatus is how far an import is. GET /admin/v1/imports/{id}.
type ImportStatus struct {
	ID       gatehouse.ID          `json:"id"`
	Kind     gatehouse.SubjectKind `json:"kind"`
	State    string                `json:"state"` // checked, running, stopped, done
	Encoding string                `json:"encoding"`
	Rows     int                   `json:"rows"`     // of the table
	Ready    int                   `json:"ready"`    // that would be enrolled
	There    int                   `json:"there"`    // that are enrolled already, by their labels
	Bad      int                   `json:"bad"`      // with problems
	NoGates  int                   `json:"no_gates"` // of the ready ones
	Enrolled int                   `json:"enrolled"`
	Left     int                   `json:"left"`
	Problems []ImportProblem       `json:"problems"`       // of the check, at most 500
	More     int                   `json:"more,omitempty"` // beyond those
	Failed   []ImportProblem       `json:"failed"`         // of the run
	Dates    []ImportDates         `json:"dates"`
}

// ImportProblem says what is wrong with a row; the header is row 1.
type ImportProblem struct {
	Row     int    `json:"row"`
	Column  string `json:"column"`
	Code    string `json:"code"`
	Cause   string `json:"cause"`
	Earlier int    `json:"earlier,omitempty"` // the row that says the same
}

// ImportDates says in which form a column's dates were written.
type ImportDates struct {
	Column string `json:"column"`
	Form   string `json:"form"`
	Cells  int    `json:"cells"`
}
