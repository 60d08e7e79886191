package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"gatehouse"
	"gatehouse/store/sqlite"
)

// TestResealWorking: every item gets its new form once, over many transactions; what
// is put meanwhile comes out new as well, and what is deleted stays so.
func TestResealWorking(t *testing.T) {
	fresh := func(w gatehouse.WorkingItem) ([]byte, error) { return append([]byte("new"), w.Sealed[3:]...), nil }
	s, err := sqlite.Open(t.Context(), sqlite.Options{Dir: t.TempDir(), Key: fileKeys{}.key, Current: func(w gatehouse.WorkingItem) ([]byte, error) {
		if w.Kind == gatehouse.PINItem { // put while the key is replaced
			return fresh(w)
		}
		return w.Sealed, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var items []gatehouse.WorkingItem
	for range 1234 {
		row := gatehouse.RandomID()
		items = append(items, gatehouse.WorkingItem{Place: here, Kind: gatehouse.CardItem, Subject: gatehouse.RandomID(), Row: row, Sealed: append([]byte("old"), row[:]...)})
	}
	if err := s.PutWorking(t.Context(), items); err != nil {
		t.Fatal(err)
	}

	// What fails in the middle leaves whole items, and is done by the next.
	broken, n := errors.New("broken"), 0
	err = s.ResealWorking(t.Context(), func(w gatehouse.WorkingItem) ([]byte, error) {
		if n++; n == 700 {
			return nil, broken
		}
		return fresh(w)
	}, func(int, int) {})
	if !errors.Is(err, broken) {
		t.Fatal(err)
	}
	before := 0
	each(t, s, func(w gatehouse.WorkingItem) {
		if bytes.HasPrefix(w.Sealed, []byte("new")) {
			before++
		}
	})
	if before != 500 {
		t.Errorf("%d items are new after the failure, want the first transaction's 500", before)
	}

	gone, changed, last := items[3].Subject, 0, 0
	err = s.ResealWorking(t.Context(), func(w gatehouse.WorkingItem) ([]byte, error) {
		if bytes.HasPrefix(w.Sealed, []byte("new")) {
			return nil, nil
		}
		changed++
		return fresh(w)
	}, func(done, all int) {
		if last == 0 {
			put := gatehouse.WorkingItem{Place: here, Kind: gatehouse.PINItem, Subject: gone, Row: gatehouse.RandomID(), Sealed: []byte("old pin")}
			if err := errors.Join(s.DeleteWorking(context.Background(), here, gone), s.PutWorking(context.Background(), []gatehouse.WorkingItem{put})); err != nil {
				t.Error(err)
			}
		}
		if done <= last || done > all {
			t.Errorf("%d of %d after %d", done, all, last)
		}
		last = done
	})
	if err != nil || changed < 1234-500-1 || changed > 1234-500 {
		t.Errorf("%d items were sealed anew, %v", changed, err)
	}
	left := 0
	each(t, s, func(w gatehouse.WorkingItem) {
		left++
		if !bytes.HasPrefix(w.Sealed, []byte("new")) || w.Kind == gatehouse.CardItem && (w.Subject == gone || !bytes.Equal(w.Sealed[3:], w.Row[:])) {
			t.Errorf("an item is %q", w.Sealed)
		}
	})
	if left != 1234 {
		t.Errorf("%d items, want 1233 and the one that was put", left)
	}
}

func each(t *testing.T, s *sqlite.Store, f func(gatehouse.WorkingItem)) {
	t.Helper()
	if err := s.Working(t.Context(), func(w gatehouse.WorkingItem) error { f(w); return nil }); err != nil {
		t.Fatal(err)
	}
}
