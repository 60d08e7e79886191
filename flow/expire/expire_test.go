package expire

import (
	"context"
	"slices"
	"testing"
	"time"

	"gatehouse"
)

type archive struct {
	passages []gatehouse.StoredPassage // newest first
	expired  []time.Time
	deleted  []gatehouse.BlobID
}

func (a *archive) Expire(_ context.Context, _ gatehouse.Place, class gatehouse.RetentionClass, day time.Time) (int, error) {
	if class == gatehouse.StrangerClass {
		a.expired = append(a.expired, day)
	}
	return 1, nil
}
func (a *archive) Passages(_ context.Context, q gatehouse.PassageQuery) (out []gatehouse.Passage, _ error) {
	for _, s := range a.passages {
		if slices.Compare(s.Passage.ID[:], q.Before[:]) < 0 && !s.Passage.At.Before(q.Since) && len(out) < q.Limit {
			out = append(out, s.Passage)
		}
	}
	return out, nil
}
func (a *archive) Passage(_ context.Context, _ gatehouse.Place, id gatehouse.ID) (gatehouse.StoredPassage, error) {
	i := slices.IndexFunc(a.passages, func(s gatehouse.StoredPassage) bool { return s.Passage.ID == id })
	return a.passages[i], nil
}
func (a *archive) DeleteBlob(_ context.Context, id gatehouse.BlobID) error {
	a.deleted = append(a.deleted, id)
	return nil
}

func TestStrangersAreGoneAfter72Hours(t *testing.T) {
	now := time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC)
	a := &archive{}
	var must, mustNot []gatehouse.BlobID
	for h := 0; h < 240; h += 7 { // newest first
		for _, known := range []bool{false, true} {
			at := now.Add(-time.Duration(h) * time.Hour)
			s := gatehouse.StoredPassage{Passage: gatehouse.Passage{ID: gatehouse.NewID(at), At: at, Known: known}, Evidence: []gatehouse.Evidence{{Blob: gatehouse.RandomID()}}}
			a.passages = append(a.passages, s)
			switch {
			case !known && h > 72:
				must = append(must, s.Evidence[0].Blob)
			case known:
				mustNot = append(mustNot, s.Evidence[0].Blob)
			}
		}
	}
	if err := (Expirer{Keys: a, Passages: a, Blobs: a}).Strangers(t.Context(), now, 10); err != nil {
		t.Fatal(err)
	}
	for _, b := range must {
		if !slices.Contains(a.deleted, b) {
			t.Error("a stranger's picture is kept for more than 72 hours")
		}
	}
	for _, b := range mustNot {
		if slices.Contains(a.deleted, b) {
			t.Error("an enrolled subject's picture was deleted")
		}
	}
	for age, want := range map[int]bool{4: true, 3: true, 2: false, 0: false} {
		day := now.Truncate(24*time.Hour).AddDate(0, 0, -age)
		if slices.Contains(a.expired, day) != want {
			t.Errorf("the day %d days ago: expired %t, want %t", age, !want, want)
		}
	}
}
