package release

import (
	"context"
	"testing"

	"gatehouse"

	"github.com/google/go-cmp/cmp"
)

// store holds one person with a photo, one passage with a crop, and their blobs.
type store struct{ gone bool }

var (
	site    = gatehouse.Place{Org: "acme", Site: "hq"}
	ana     = gatehouse.SubjectID{1}
	passage = gatehouse.ID{2}
	photo   = gatehouse.BlobID{3}
	crop    = gatehouse.BlobID{4}
)

func missing() error { return gatehouse.Errorf("store.not_found", "", "gone") }

func (s store) Subject(_ context.Context, p gatehouse.Place, id gatehouse.SubjectID) (gatehouse.Subject, error) {
	if s.gone || id != ana || p != site {
		return gatehouse.Subject{}, missing()
	}
	return gatehouse.Subject{ID: id, Record: gatehouse.SealedRecord{Name: []byte("sealed name"), Rest: []byte("sealed rest")}.Pack(),
		Photos: []gatehouse.Evidence{{Blob: photo, Kind: gatehouse.CropEvidence}}}, nil
}

func (s store) Passage(_ context.Context, p gatehouse.Place, id gatehouse.ID) (gatehouse.StoredPassage, error) {
	if s.gone || id != passage || p != site {
		return gatehouse.StoredPassage{}, missing()
	}
	return gatehouse.StoredPassage{Detail: []byte("sealed detail"), Evidence: []gatehouse.Evidence{{Blob: crop, Kind: gatehouse.CropEvidence}}}, nil
}

func (s store) Blob(_ context.Context, id gatehouse.BlobID) ([]byte, error) {
	if s.gone {
		return nil, missing()
	}
	return []byte("sealed blob " + id.String()[:2]), nil
}

func TestPlanAndSealed(t *testing.T) {
	p := Ports{Place: site, Subjects: store{}, Passages: store{}, Blobs: store{}}
	all := append(append([]string{}, SubjectFields...), PassageFields...)
	items, err := p.Plan(t.Context(), []gatehouse.SubjectID{ana, ana}, []gatehouse.ID{passage}, all)
	if err != nil {
		t.Fatal(err)
	}
	// What is not there (an ID number here) is not asked for; nothing twice.
	want := []gatehouse.ReleaseItem{{Table: "subjects", Row: ana, Field: "name"}, {Table: "subjects", Row: ana, Field: "record"}, {Table: "evidence", Row: photo, Field: "crop"},
		{Table: "passages", Row: passage, Field: "detail"}, {Table: "evidence", Row: crop, Field: "crop"}}
	if diff := cmp.Diff(want, items); diff != "" {
		t.Error(diff)
	}
	var got []string
	for _, it := range items {
		b, err := p.Sealed(t.Context(), it)
		if err != nil {
			t.Error(err)
		}
		got = append(got, string(b))
	}
	if diff := cmp.Diff([]string{"sealed name", "sealed rest", "sealed blob 03", "sealed detail", "sealed blob 04"}, got); diff != "" {
		t.Error(diff)
	}
	gone := Ports{Place: site, Subjects: store{gone: true}, Passages: store{gone: true}, Blobs: store{gone: true}}
	for _, it := range items {
		if b, err := gone.Sealed(t.Context(), it); b != nil || err != nil {
			t.Errorf("gone: %q, %v", b, err)
		}
	}
}

func TestPlanRefuses(t *testing.T) {
	p := Ports{Place: site, Subjects: store{}, Passages: store{}, Blobs: store{}}
	for code, f := range map[string]func() error{
		"release.fields": func() error {
			_, err := p.Plan(t.Context(), []gatehouse.SubjectID{ana}, nil, []string{"template"})
			return err
		},
		"release.items": func() error {
			_, err := p.Plan(t.Context(), []gatehouse.SubjectID{ana}, nil, []string{"detail"})
			return err
		},
		"store.not_found": func() error {
			_, err := p.Plan(t.Context(), []gatehouse.SubjectID{{9}}, nil, []string{"name"})
			return err
		},
	} {
		if err := f(); gatehouse.ErrorCode(err) != code {
			t.Errorf("%s: %v", code, err)
		}
	}
}
