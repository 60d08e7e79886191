package disclose

import (
	"context"

	"gatehouse"
)

// Record is what the vault opened of somebody's record. Rest is its JSON, without the name
// and the ID number; nil for a part that is gone.
type Record struct {
	Name       string // of a vehicle the plate
	NationalID string // "" where it was not asked for
	Rest       []byte
}

// Record opens the record of somebody who is enrolled, with the ID number where numbered
// is true: it costs more. reason is in the operator's words and MUST NOT be empty. Errors:
// vault.sealed, vault.budget, vault.reason, store.not_found.
func (d *Discloser) Record(ctx context.Context, operator string, id gatehouse.SubjectID, reason string, numbered bool) (Record, error) {
	s, err := d.Subjects.Subject(ctx, d.Place, id)
	if err != nil {
		return Record{}, err
	}
	parts, err := gatehouse.UnpackRecord(s.Record)
	if err != nil {
		return Record{}, err
	}
	var r Record
	var refs []gatehouse.SealedRef
	var into []func([]byte)
	ask := func(field string, sealed []byte, take func([]byte)) {
		if len(sealed) > 0 {
			refs = append(refs, gatehouse.SealedRef{Where: gatehouse.SealContext{Place: d.Place, Table: "subjects", Row: id, Field: field}, Sealed: sealed})
			into = append(into, take)
		}
	}
	ask("name", parts.Name, func(b []byte) { r.Name = string(b) })
	ask("record", parts.Rest, func(b []byte) { r.Rest = b })
	if numbered {
		ask("national_id", parts.NationalID, func(b []byte) { r.NationalID = string(b) })
	}
	plain, err := d.asked(ctx, operator, reason, refs)
	for i, b := range plain {
		into[i](b)
	}
	return r, err
}

// Photos opens somebody's enrolment photos, in order; nil for one that is gone. Errors:
// Record's.
func (d *Discloser) Photos(ctx context.Context, operator string, id gatehouse.SubjectID, reason string) ([][]byte, error) {
	s, err := d.Subjects.Subject(ctx, d.Place, id)
	if err != nil {
		return nil, err
	}
	return d.asked(ctx, operator, reason, d.pictures(ctx, s.Photos))
}

// asked opens what somebody gave a reason for.
func (d *Discloser) asked(ctx context.Context, operator, reason string, refs []gatehouse.SealedRef) ([][]byte, error) {
	if reason == "" {
		return nil, gatehouse.Errorf("vault.reason", "say in a few words why", "this needs a reason")
	}
	plain, sealed, err := d.open(ctx, operator, "person", reason, refs)
	if sealed {
		return nil, gatehouse.Errorf("vault.sealed", "unseal it on the live page or with `gatehouse unseal`", "the vault is sealed")
	}
	return plain, err
}
