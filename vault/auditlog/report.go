package auditlog

import (
	"errors"
	"fmt"

	"gatehouse"
)

// Finding is one thing that does not hold.
type Finding struct {
	Code string `json:"code"` // what kind of thing, stable
	What string `json:"what"` // a sentence
}

// maxFindings bounds a report: a log that was altered at its beginning differs in all
// that follows.
const maxFindings = 100

// Report is what verifying a log found out. As JSON it is what `gatehouse audit verify`
// prints.
type Report struct {
	OK          bool      `json:"ok"`
	Origin      string    `json:"origin"`
	Size        int64     `json:"size"`        // leaves
	Root        string    `json:"root"`        // of all of them, base64
	Checkpoints int       `json:"checkpoints"` // that are signed and fit
	Unsigned    int64     `json:"unsigned"`    // leaves behind the newest checkpoint: at most a second's, after a crash
	Witnessed   int64     `json:"witnessed"`   // leaves that a witness has confirmed
	Disclosures int       `json:"disclosures"`
	Removals    int64     `json:"removals"`       // entries of the erasure list
	GateLeaves  int64     `json:"gate_leaves"`    // leaves of the gate's files, in the log
	Pending     int64     `json:"pending"`        // leaves of the gate's files that the log does not have yet
	Passages    int64     `json:"passages"`       // whose row, sealed detail and evidence fit their leaf
	Gone        int64     `json:"gone"`           // passages whose sealed content was erased or has expired
	Lost        int64     `json:"lost,omitempty"` // leaves of the gate that were lost with its machine, before it was restored
	Blobs       int64     `json:"blobs"`          // sealed pictures that were read, with --deep
	Findings    []Finding `json:"findings"`
	More        int       `json:"more,omitempty"` // findings that are not listed
}

// Add notes a finding.
func (r *Report) Add(code, format string, args ...any) {
	if len(r.Findings) == maxFindings {
		r.More++
		return
	}
	r.Findings = append(r.Findings, Finding{code, fmt.Sprintf(format, args...)})
}

// AddError notes an error as a finding; nil adds none.
func (r *Report) AddError(err error) {
	if err == nil {
		return
	}
	var e *gatehouse.Error
	if errors.As(err, &e) {
		r.Add(e.Code, "%s", e.Message)
	} else {
		r.Add("audit.failed", "%v", err)
	}
}

// Close settles OK.
func (r *Report) Close() {
	r.OK = len(r.Findings) == 0
	if r.Findings == nil {
		r.Findings = []Finding{}
	}
}
