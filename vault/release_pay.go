package vault

import (
	"encoding/json"

	"gatehouse"
)

// A release with a form makes one file of payslips: it can be made only when the last of
// them is open, so they are gathered in this process until then.

// payFile gathers what a form is made of.
type payFile struct {
	names map[gatehouse.SubjectID]string
	slips []gatehouse.Payslip
}

// formable are the places that a release with a form may name.
func formable(it gatehouse.ReleaseItem) bool {
	return it.Table == gatehouse.PayslipTable && it.Field == "slip" || it.Table == "subjects" && it.Field == "name"
}

// gather takes over a value that was opened; nil is one that is gone, which is not in the
// file.
func (f *payFile) gather(it gatehouse.ReleaseItem, plain []byte) {
	if plain == nil {
		return
	}
	if it.Table == "subjects" {
		if f.names == nil {
			f.names = map[gatehouse.SubjectID]string{}
		}
		f.names[it.Row] = string(plain)
		return
	}
	var slip gatehouse.Payslip
	if json.Unmarshal(plain, &slip) == nil {
		f.slips = append(f.slips, slip)
	}
}

// write makes the file. Errors: wages.none, export.template, export.cell.
func (f *payFile) write(p Payroll, form gatehouse.PayForm) ([]byte, error) {
	if p == nil {
		return nil, errNoPayroll()
	}
	rows := make([]gatehouse.PayRow, len(f.slips))
	for i, slip := range f.slips {
		rows[i] = gatehouse.PayRow{Payslip: slip, Name: f.names[slip.Subject]}
	}
	return p.File(form, rows)
}
