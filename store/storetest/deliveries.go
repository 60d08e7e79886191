package storetest

import (
	"testing"
	"time"

	"gatehouse"

	"github.com/google/go-cmp/cmp"
)

func testDeliveries(t *testing.T, s *suite) {
	hook, another := gatehouse.ID{1}, gatehouse.ID{2}
	make := func(hook gatehouse.ID, after time.Duration) gatehouse.Delivery {
		return gatehouse.Delivery{Place: here, ID: gatehouse.NewID(noon.Add(after)), Webhook: hook, Kind: gatehouse.PassageHook, Passage: gatehouse.RandomID(), At: noon.Add(after), State: gatehouse.DeliveryWaits, Next: noon.Add(after)}
	}
	if _, ok, err := s.DeliveryCursor(s.ctx(), here); ok || err != nil {
		t.Errorf("a cursor before the first: %t, %v", ok, err)
	}
	a, b, c := make(hook, 0), make(another, time.Second), make(hook, time.Minute)
	s.must(s.AddDeliveries(s.ctx(), here, 7, []gatehouse.Delivery{a, b, c}))
	s.must(s.AddDeliveries(s.ctx(), here, 9, []gatehouse.Delivery{a})) // again: it is one
	s.must(s.AddDeliveries(s.ctx(), here, 0, nil))
	s.reopen()
	if at, ok, err := s.DeliveryCursor(s.ctx(), here); at != 9 || !ok || err != nil {
		t.Errorf("the cursor is %d, %t, %v", at, ok, err)
	}
	due := func(after time.Duration, want ...gatehouse.Delivery) {
		t.Helper()
		got, err := s.DueDeliveries(s.ctx(), here, noon.Add(after), 10)
		s.must(err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("due (-want +got):\n%s", diff)
		}
	}
	due(time.Second, a, b)
	due(time.Hour, a, b, c)
	if got, err := s.DueDeliveries(s.ctx(), other, noon.Add(time.Hour), 10); err != nil || len(got) != 0 {
		t.Errorf("another site sees %d, %v", len(got), err)
	}
	a.State, a.Attempts, a.Tried, a.Answer, a.Next = gatehouse.DeliveryDone, 1, noon.Add(time.Second), 204, time.Time{}
	b.Attempts, b.Next, b.Code = 1, noon.Add(time.Hour), "webhook.unreachable"
	s.must(s.PutDelivery(s.ctx(), a))
	s.must(s.PutDelivery(s.ctx(), b))
	due(time.Minute, c)
	list, err := s.Deliveries(s.ctx(), here, hook, gatehouse.ID{}, 10)
	s.must(err)
	if diff := cmp.Diff([]gatehouse.Delivery{c, a}, list); diff != "" {
		t.Errorf("a webhook's (-want +got):\n%s", diff)
	}
	if list, err := s.Deliveries(s.ctx(), here, hook, c.ID, 10); err != nil || len(list) != 1 {
		t.Errorf("behind the cursor: %d, %v", len(list), err)
	}
	s.must(s.DropDeliveries(s.ctx(), here, gatehouse.ID{}, noon.Add(time.Hour))) // those that wait stay
	due(2*time.Hour, c, b)
	s.must(s.DropDeliveries(s.ctx(), here, hook, time.Time{}))
	s.must(s.PutDelivery(s.ctx(), c)) // it does not come back
	due(2*time.Hour, b)
}
