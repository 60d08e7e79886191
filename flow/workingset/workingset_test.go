package workingset

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"

	"gatehouse"

	"github.com/google/go-cmp/cmp"
)

var site = gatehouse.Place{Org: "acme", Site: "hq"}

// disk keeps items as a store does, and seals by turning the bytes around with their
// place in front, so that a moved item does not open.
type disk struct {
	items   []gatehouse.WorkingItem
	gallery map[gatehouse.SubjectID]int
}

func label(where gatehouse.SealContext) []byte {
	return []byte(where.Table + where.Row.String() + where.Field)
}

func (d *disk) SealWorking(where gatehouse.SealContext, b []byte) ([]byte, error) {
	c := slices.Clone(b)
	slices.Reverse(c)
	return append(label(where), c...), nil
}
func (d *disk) OpenWorking(where gatehouse.SealContext, b []byte) ([]byte, error) {
	c, ok := bytes.CutPrefix(b, label(where))
	if !ok {
		return nil, errors.New("moved or altered")
	}
	c = slices.Clone(c)
	slices.Reverse(c)
	return c, nil
}
func (d *disk) PutWorking(_ context.Context, items []gatehouse.WorkingItem) error {
	for _, item := range items {
		d.items = slices.DeleteFunc(d.items, func(i gatehouse.WorkingItem) bool { return i.Kind == item.Kind && i.Row == item.Row })
		d.items = append(d.items, item)
	}
	return nil
}
func (d *disk) DeleteWorking(_ context.Context, _ gatehouse.Place, s gatehouse.SubjectID, kinds ...gatehouse.WorkingKind) error {
	d.items = slices.DeleteFunc(d.items, func(i gatehouse.WorkingItem) bool {
		return i.Subject == s && (len(kinds) == 0 || slices.Contains(kinds, i.Kind))
	})
	return nil
}
func (d *disk) Working(_ context.Context, f func(gatehouse.WorkingItem) error) error {
	for _, i := range d.items {
		if err := f(i); err != nil {
			return err
		}
	}
	return nil
}
func (d *disk) Add(_ gatehouse.Place, s gatehouse.SubjectID, _ gatehouse.ID, _ []float32) error {
	d.gallery[s]++
	return nil
}
func (d *disk) Rotate(gatehouse.Place, [32]byte)          {}
func (d *disk) Turn(t []float32, _, _ [32]byte) []float32 { return t }
func (d *disk) ReplaceWorking(ctx context.Context, items []gatehouse.WorkingItem) error {
	return d.PutWorking(ctx, slices.DeleteFunc(slices.Clone(items), func(i gatehouse.WorkingItem) bool {
		return !slices.ContainsFunc(d.items, func(j gatehouse.WorkingItem) bool { return i.Kind == j.Kind && i.Row == j.Row })
	}))
}
func (d *disk) Remove(_ gatehouse.Place, s gatehouse.SubjectID) int { delete(d.gallery, s); return 0 }

func load(t *testing.T, d *disk) *Set {
	t.Helper()
	d.gallery = map[gatehouse.SubjectID]int{}
	s, err := Load(t.Context(), site, d, d, d)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEverythingSurvivesARestart(t *testing.T) {
	d := &disk{}
	s := load(t, d)
	ana := gatehouse.SubjectID{1}
	badge := gatehouse.Badge{Subject: ana, Kind: gatehouse.PersonSubject, Status: gatehouse.Active, Label: "B-1", FaceConsent: true, Grants: []gatehouse.Grant{{Gate: "*", Schedule: "always"}}}
	var items []gatehouse.WorkingItem
	add := func(i gatehouse.WorkingItem, err error) {
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, i)
	}
	add(s.BadgeItem(badge))
	add(s.TemplateItem(ana, []float32{1, 0, 0, 0}))
	add(s.PlateItem(ana, "ab-12 cde"))
	add(s.CredentialItem(gatehouse.CardItem, ana, "4711"))
	for range 2 { // an interrupted enrolment puts the same items again
		if err := s.Put(t.Context(), items); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.PutDevice(t.Context(), "cam", "token-1", "rtsp://u:p@localhost/1"); err != nil {
		t.Fatal(err)
	}
	if err := s.PutDevice(t.Context(), "cam", "token-2", ""); err != nil {
		t.Fatal(err)
	}
	for _, i := range d.items {
		plain, _ := d.OpenWorking(i.Context(), i.Sealed)
		if bytes.Contains(plain, []byte("4711")) || bytes.Contains(plain, []byte("token-")) {
			t.Errorf("an item of kind %s holds a credential", i.Kind)
		}
	}
	for range 2 {
		got, ok := s.Badge(ana)
		if diff := cmp.Diff(badge, got); diff != "" || !ok {
			t.Error(diff)
		}
		if id, ok := s.ByPlate("AB 12-CDE"); !ok || id != ana {
			t.Error("the plate is lost")
		}
		if id, ok := s.ByCredential(gatehouse.CardItem, "4711"); !ok || id != ana {
			t.Error("the card is lost")
		}
		if _, ok := s.ByCredential(gatehouse.PINItem, "4711"); ok {
			t.Error("a card is a PIN")
		}
		if s.DeviceToken("cam", "token-1") || !s.DeviceToken("cam", "token-2") || s.DeviceToken("other", "token-2") || s.DeviceToken("other", "") {
			t.Error("the wrong token counts")
		}
		if src, ok := s.Source("cam"); !ok || src != "rtsp://u:p@localhost/1" {
			t.Error("the source is lost")
		}
		if d.gallery[ana] == 0 {
			t.Error("the template is lost")
		}
		if people, vehicles := s.Count(); people != 1 || vehicles != 0 {
			t.Errorf("%d people, %d vehicles", people, vehicles)
		}
		s = load(t, d)
	}
	if err := s.RemoveItems(t.Context(), ana, gatehouse.TemplateItem); err != nil {
		t.Fatal(err)
	}
	s = load(t, d)
	if _, ok := s.Badge(ana); !ok || d.gallery[ana] != 0 {
		t.Error("removing the templates took the badge, or left a template")
	}
}

func TestAnItemThatDoesNotOpenStopsTheStart(t *testing.T) {
	for name, spoil := range map[string]func(*gatehouse.WorkingItem){
		"altered":         func(i *gatehouse.WorkingItem) { i.Sealed[0] ^= 1 },
		"moved":           func(i *gatehouse.WorkingItem) { i.Subject = gatehouse.SubjectID{2} },
		"of another kind": func(i *gatehouse.WorkingItem) { i.Kind = gatehouse.PlateItem },
	} {
		d := &disk{}
		s := load(t, d)
		if err := s.PutBadge(t.Context(), gatehouse.Badge{Subject: gatehouse.SubjectID{1}, Label: "B"}); err != nil {
			t.Fatal(err)
		}
		spoil(&d.items[len(d.items)-1])
		if _, err := Load(t.Context(), site, d, d, d); gatehouse.ErrorCode(err) != "workingset.damaged" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
