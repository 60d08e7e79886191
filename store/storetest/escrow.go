package storetest

import (
	"bytes"
	"slices"
	"testing"

	"gatehouse"
)

func (s *suite) escrow() (all []gatehouse.EscrowItem) {
	s.Helper()
	s.must(s.Escrow(s.ctx(), func(e gatehouse.EscrowItem) error { all = append(all, e); return nil }))
	return all
}

func testEscrow(t *testing.T, s *suite) {
	subject, device := gatehouse.RandomID(), gatehouse.ID{15: 7}
	items := []gatehouse.EscrowItem{
		{Place: here, Kind: gatehouse.BadgeItem, Subject: subject, Row: subject, Sealed: []byte("badge")},
		{Place: here, Kind: gatehouse.TemplateItem, Subject: subject, Row: gatehouse.RandomID(), Sealed: []byte("face")},
		{Place: here, Kind: gatehouse.TokenItem, Row: device, Sealed: []byte("token")},
		{Place: there, Kind: gatehouse.BadgeItem, Subject: subject, Row: subject, Sealed: []byte("elsewhere")},
	}
	s.must(s.PutEscrow(s.ctx(), items))
	items[0].Sealed = []byte("another badge")
	s.must(s.PutEscrow(s.ctx(), items[:1]))
	s.reopen()
	got := s.escrow()
	if len(got) != len(items) {
		s.Fatalf("%d items came back of %d", len(got), len(items))
	}
	for _, want := range items {
		if !slices.ContainsFunc(got, func(e gatehouse.EscrowItem) bool {
			return e.Place == want.Place && e.Kind == want.Kind && e.Subject == want.Subject && e.Row == want.Row && bytes.Equal(e.Sealed, want.Sealed)
		}) {
			t.Errorf("the %s of %v did not come back", want.Kind, want.Place)
		}
	}
	gone := gatehouse.EscrowItem{Place: here, Kind: gatehouse.TemplateItem, Subject: subject, Row: gatehouse.RandomID(), Sealed: []byte("gone")}
	items[0].Sealed = []byte("a third badge")
	s.must(s.ReplaceEscrow(s.ctx(), []gatehouse.EscrowItem{items[0], gone}))
	if again := s.escrow(); len(again) != len(items) || !slices.ContainsFunc(again, func(e gatehouse.EscrowItem) bool { return bytes.Equal(e.Sealed, items[0].Sealed) }) {
		t.Error("replacing put what was not there, or left what was")
	}
	s.must(s.DeleteEscrow(s.ctx(), here, subject, gatehouse.TemplateItem))
	if got := s.escrow(); len(got) != 3 {
		t.Errorf("%d items are left when a kind was deleted", len(got))
	}
	s.must(s.DeleteEscrow(s.ctx(), here, subject))
	if got := s.escrow(); len(got) != 2 || got[0].Kind != gatehouse.TokenItem || got[1].Place != there {
		t.Errorf("%+v are left", got)
	}
	s.wantCode(s.DeleteEscrow(s.ctx(), here, gatehouse.SubjectID{}), "store.invalid")
	s.wantCode(s.PutEscrow(s.ctx(), []gatehouse.EscrowItem{{Place: here, Kind: gatehouse.BadgeItem}}), "store.invalid")
}
