package stay_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

func TestAShopsCodeCountsOnce(t *testing.T) {
	s := open(t)
	x, err := s.PutShop(t.Context(), gatehouse.Shop{Name: "Bakery", PerStay: 1, PerDay: 3, Gives: gatehouse.Validation{Kind: gatehouse.TimeValidation, Time: time.Hour}}, "chief")
	s.must(err)
	link, err := s.LinkShop(t.Context(), x.ID, "chief")
	s.must(err)
	if got, ok := s.ShopOf(link.Reveal()); !ok || got.ID != x.ID {
		t.Fatal("its link does not open its page")
	}
	codes, err := s.MakeCodes(t.Context(), x.ID, 3)
	s.must(err)
	_, err = s.MakeCodes(t.Context(), x.ID, 1)
	s.wantCode(err, "parking.shop_budget")
	first, second := s.at("in", "AB12CDE").ID, s.at("in", "XY98ZZZ").ID
	_, err = s.UseCode(t.Context(), first, strings.ToLower(strings.ReplaceAll(codes[0].Reveal(), "-", " ")))
	s.must(err)
	_, err = s.UseCode(t.Context(), second, codes[0].Reveal())
	s.wantCode(err, "parking.code_used")
	_, err = s.UseCode(t.Context(), first, codes[1].Reveal())
	s.wantCode(err, "parking.code_most")
	_, err = s.UseCode(t.Context(), second, "AAAA-AAAA-AAAA")
	s.wantCode(err, "parking.code_unknown")
	// Cut off between the validation and the row that says "used", it is used all the same; and
	// it stays so when the validation is taken away.
	_, err = s.UseCode(t.Context(), second, codes[2].Reveal())
	s.must(err)
	items, err := s.Rights(t.Context())
	s.must(err)
	for _, i := range items {
		if i.Kind == gatehouse.ShopCodeItem && i.ID == s.given(second) {
			var c gatehouse.ShopCode
			s.must(json.Unmarshal(i.Body, &c))
			c.Used = time.Time{}
			i.Body, err = json.Marshal(c)
			s.must(err)
			s.must(s.store.PutParkingItem(t.Context(), here, i, gatehouse.ParkingLeaf(here, "shop_code-put", i.ID, "shop", i.Body, i.At)))
		}
	}
	s.restart()
	_, err = s.UseCode(t.Context(), first, codes[2].Reveal())
	s.wantCode(err, "parking.code_used")
	s.must(s.RemoveRight(t.Context(), gatehouse.ValidationItem, s.given(first), "chief"))
	s.restart()
	_, err = s.UseCode(t.Context(), second, codes[0].Reveal())
	s.wantCode(err, "parking.code_used")
	due, err := s.DueOf(t.Context(), here, first, s.now.Add(90*time.Minute))
	s.must(err)
	if due.Due != eur(400) {
		t.Errorf("without its validation: %v", due.Due)
	}
	s.now = s.now.Add(8 * 24 * time.Hour)
	_, err = s.UseCode(t.Context(), second, codes[1].Reveal())
	s.wantCode(err, "parking.code_expired")
	if _, err := s.LinkShop(t.Context(), x.ID, "chief"); err != nil {
		t.Fatal(err)
	}
	if _, ok := s.ShopOf(link.Reveal()); ok {
		t.Error("the link that was replaced still opens the page")
	}
}

func (s *site) given(stay gatehouse.ID) string {
	s.Helper()
	items, err := s.Rights(s.Context())
	s.must(err)
	for _, i := range items {
		if i.Kind == gatehouse.ValidationItem && i.Stay == stay {
			return i.ID
		}
	}
	s.Fatal("no validation")
	return ""
}

func TestValidationsAreForgotten(t *testing.T) {
	s := open(t)
	gone, stays := s.at("in", "AB12CDE").ID, s.at("in", "XY98ZZZ").ID
	for _, id := range []gatehouse.ID{gone, stays} {
		_, err := s.Validate(t.Context(), id, gatehouse.Validation{Issuer: "Bakery", Kind: gatehouse.TimeValidation, Time: time.Hour}, "chief")
		s.must(err)
	}
	s.now = s.now.Add(30 * time.Minute)
	s.at("out", "AB12CDE")
	count := func() (n int) {
		items, err := s.Rights(t.Context())
		s.must(err)
		for _, i := range items {
			if i.Kind == gatehouse.ValidationItem {
				n++
			}
		}
		return n
	}
	s.now = s.now.Add(19 * 24 * time.Hour)
	s.must(s.Tidy(t.Context()))
	if n := count(); n != 2 {
		t.Errorf("%d validations after 19 days", n)
	}
	s.now = s.now.Add(12 * 24 * time.Hour)
	s.must(s.Tidy(t.Context())) // the other stay is overdue by now
	if n := count(); n != 0 {
		t.Errorf("%d validations after a month", n)
	}
}
