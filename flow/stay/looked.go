package stay

import (
	"context"
	"time"

	"gatehouse"
)

// lookKept is for how long it is kept that somebody looked: longer than anybody may still be
// asked for the money of a stay.
const lookKept = 366 * 24 * time.Hour

// Look notes what somebody saw who looked at the pictures of both gates of a stay that left and
// owes something: whether it is one vehicle. Without it the stay is in no report. It can be
// changed. Errors: parking.unknown_stay, parking.not_unpaid.
func (s *Stays) Look(ctx context.Context, stay gatehouse.ID, same bool, by string) (gatehouse.StayLook, error) {
	r, err := s.stay(ctx, stay)
	if err != nil {
		return gatehouse.StayLook{}, err
	}
	if r.State != gatehouse.StayLeft || r.Owed <= 0 {
		return gatehouse.StayLook{}, gatehouse.Errorf("parking.not_unpaid", "see `gatehouse parking stays --state unpaid`", "nothing is owed for this stay")
	}
	l := gatehouse.StayLook{Stay: stay, Same: same, By: by, At: s.Now().UTC()}
	return l, s.putItem(ctx, gatehouse.ParkingItem{Kind: gatehouse.LookItem, ID: stay.String(), Subject: r.Subject}, l, by)
}

// Looked says what somebody saw; false where nobody has looked.
func (s *Stays) Looked(stay gatehouse.ID) (gatehouse.StayLook, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	l, ok := s.data.looks[stay]
	return l, ok
}

// tidyLooks forgets those that nobody needs any more.
func (s *Stays) tidyLooks(ctx context.Context) error {
	s.mu.RLock()
	var over []gatehouse.ID
	for id, l := range s.data.looks {
		if s.Now().Sub(l.At) > lookKept {
			over = append(over, id)
		}
	}
	s.mu.RUnlock()
	for _, id := range over[:min(len(over), 100)] { // the others in a minute
		if err := s.RemoveRight(ctx, gatehouse.LookItem, id.String(), "retention"); err != nil {
			return err
		}
	}
	return nil
}
