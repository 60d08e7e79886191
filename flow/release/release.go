// Package release finds what a bulk release names: it lists the sealed values before
// the request is signed, and fetches them, still sealed, for the vault process, which
// alone opens them.
package release

import (
	"context"
	"slices"

	"gatehouse"
)

// Subjects finds the sealed records.
type Subjects interface {
	Subject(ctx context.Context, place gatehouse.Place, id gatehouse.SubjectID) (gatehouse.Subject, error)
}

// Passages finds the sealed details.
type Passages interface {
	Passage(ctx context.Context, place gatehouse.Place, id gatehouse.ID) (gatehouse.StoredPassage, error)
}

// Blobs finds the sealed pictures.
type Blobs interface {
	Blob(ctx context.Context, id gatehouse.BlobID) ([]byte, error)
}

// Payslips finds those of pay runs.
type Payslips interface {
	Payslips(ctx context.Context, q gatehouse.PayslipQuery) ([]gatehouse.StoredPayslip, error)
	Payslip(ctx context.Context, place gatehouse.Place, id gatehouse.ID) (gatehouse.StoredPayslip, error)
}

// Ports are what releasing needs of the rest.
type Ports struct {
	Place    gatehouse.Place
	Subjects Subjects
	Passages Passages
	Blobs    Blobs
	Payslips Payslips // nil: there are none
}

// The fields that a release may name, of subjects and of passages.
var (
	SubjectFields = []string{"name", "national_id", "record", "photos"}
	PassageFields = []string{"detail", "evidence"}
)

// Plan lists the values of these subjects and passages that there are. Errors:
// release.fields, release.items, store.not_found for a subject or passage that is not
// there.
func (p Ports) Plan(ctx context.Context, subjects []gatehouse.SubjectID, passages []gatehouse.ID, fields []string) ([]gatehouse.ReleaseItem, error) {
	for _, f := range fields {
		if !slices.Contains(SubjectFields, f) && !slices.Contains(PassageFields, f) {
			return nil, gatehouse.Errorf("release.fields", "use name, national_id, record, photos, detail, evidence", "there is no such field")
		}
	}
	var items []gatehouse.ReleaseItem
	add := func(it gatehouse.ReleaseItem) error {
		if !slices.Contains(items, it) {
			items = append(items, it)
		}
		if len(items) > gatehouse.MaxReleaseItems {
			return gatehouse.Errorf("release.items", "split it into several", "this is more than the %d values that a release may have", gatehouse.MaxReleaseItems)
		}
		return nil
	}
	for _, id := range subjects {
		s, err := p.Subjects.Subject(ctx, p.Place, id)
		if err != nil {
			return nil, err
		}
		parts, err := gatehouse.UnpackRecord(s.Record)
		if err != nil {
			return nil, err
		}
		for _, f := range fields {
			if len(partOf(parts, f)) > 0 {
				err = add(gatehouse.ReleaseItem{Table: "subjects", Row: id, Field: f})
			}
			if f == "photos" {
				err = evidence(s.Photos, add)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	for _, id := range passages {
		s, err := p.Passages.Passage(ctx, p.Place, id)
		if err != nil {
			return nil, err
		}
		for _, f := range fields {
			switch f {
			case "detail":
				err = add(gatehouse.ReleaseItem{Table: "passages", Row: id, Field: f})
			case "evidence":
				err = evidence(s.Evidence, add)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	if len(items) == 0 {
		return nil, gatehouse.Errorf("release.items", "name subjects or passages, and fields that they have", "there is nothing to release")
	}
	return items, nil
}

// PlanPay lists the payslips of a run, and with names the names of who has one. Errors:
// release.items, wages.no_slip where the run has none.
func (p Ports) PlanPay(ctx context.Context, run gatehouse.ID, names bool) (items []gatehouse.ReleaseItem, err error) {
	all, err := p.Payslips.Payslips(ctx, gatehouse.PayslipQuery{Place: p.Place, Run: run, Limit: gatehouse.MaxReleaseItems})
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if s.Sealed == nil {
			continue
		}
		items = append(items, gatehouse.ReleaseItem{Table: gatehouse.PayslipTable, Row: s.ID, Field: "slip"})
		if !names {
			continue
		}
		who, err := p.Subjects.Subject(ctx, p.Place, s.Subject)
		if gatehouse.ErrorCode(err) == "store.not_found" {
			continue
		}
		if err != nil {
			return nil, err
		}
		parts, err := gatehouse.UnpackRecord(who.Record)
		if err == nil && len(parts.Name) > 0 {
			items = append(items, gatehouse.ReleaseItem{Table: "subjects", Row: s.Subject, Field: "name"})
		}
	}
	if len(items) == 0 {
		return nil, gatehouse.Errorf("wages.no_slip", "see `gatehouse attendance pay list`", "the run has no payslips")
	}
	if len(items) > gatehouse.MaxReleaseItems {
		return nil, gatehouse.Errorf("release.items", "leave the names out", "this is more than the %d values that a release may have", gatehouse.MaxReleaseItems)
	}
	return items, nil
}

func evidence(list []gatehouse.Evidence, add func(gatehouse.ReleaseItem) error) error {
	for _, e := range list {
		if err := add(gatehouse.ReleaseItem{Table: "evidence", Row: e.Blob, Field: string(e.Kind)}); err != nil {
			return err
		}
	}
	return nil
}

func partOf(r gatehouse.SealedRecord, field string) []byte {
	switch field {
	case "name":
		return r.Name
	case "national_id":
		return r.NationalID
	case "record":
		return r.Rest
	}
	return nil
}

// Sealed fetches one value; nil where it is gone by now.
func (p Ports) Sealed(ctx context.Context, it gatehouse.ReleaseItem) (sealed []byte, err error) {
	switch it.Table {
	case "subjects":
		var s gatehouse.Subject
		if s, err = p.Subjects.Subject(ctx, p.Place, it.Row); err == nil {
			var parts gatehouse.SealedRecord
			parts, err = gatehouse.UnpackRecord(s.Record)
			sealed = partOf(parts, it.Field)
		}
	case "passages":
		var s gatehouse.StoredPassage
		s, err = p.Passages.Passage(ctx, p.Place, it.Row)
		sealed = s.Detail
	case gatehouse.PayslipTable:
		if p.Payslips == nil {
			return nil, nil
		}
		var s gatehouse.StoredPayslip
		s, err = p.Payslips.Payslip(ctx, p.Place, it.Row)
		sealed = s.Sealed
	case "evidence":
		sealed, err = p.Blobs.Blob(ctx, it.Row)
	}
	if gatehouse.ErrorCode(err) == "store.not_found" {
		return nil, nil // erased or expired since: the file says that it is gone
	}
	return sealed, err
}
