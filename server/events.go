package server

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/flow/follow"
)

// openEvents begins the events of this run behind what is committed: what is before that
// is read when somebody asks for it.
func (s *Server) openEvents(ctx context.Context) error {
	from, err := s.store.Newest(ctx)
	if err != nil {
		return err
	}
	s.events = follow.NewEvents(s.decoder(), s.store, from)
	return nil
}

func (s *Server) decoder() follow.Decoder {
	return follow.Decoder{Place: s.site.Place, Passages: s.store}
}

// followEvents tells of what was committed, at once.
func (s *Server) followEvents(ctx context.Context) {
	follow.Run(ctx, s.store, s.events, time.Second, s.eventsWake, func(err error) {
		if err != nil {
			s.log.Warn("programs are not told what happens; it is tried again", "code", gatehouse.ErrorCode(err))
		}
	})
}
