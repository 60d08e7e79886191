package server

import (
	"context"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
	"gatehouse/console"
	"gatehouse/flow/inform"
)

// looked remembers who was shown whose hours lately, so that the disclosure log has it once
// an hour and not with every page.
type looked struct {
	mu sync.Mutex
	at map[look]time.Time
}

type look struct {
	operator string
	person   gatehouse.SubjectID
}

const (
	noteAgain = time.Hour
	mostLooks = 10_000
)

// due reports whether a look has to be written down; done is called when it was.
func (l *looked) due(k look, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	last, ok := l.at[k]
	return !ok || now.Sub(last) >= noteAgain || now.Before(last)
}

func (l *looked) done(k look, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.at == nil || len(l.at) >= mostLooks {
		l.at = map[look]time.Time{}
	}
	l.at[k] = now
}

// noteLook writes down that somebody's hours are shown: before they are. The log names the
// person by their alias, as it does for their record.
func (s *Server) noteLook(ctx context.Context, operator string, role gatehouse.Role, person gatehouse.SubjectID) error {
	k, now := look{operator, person}, time.Now()
	if !s.looks.due(k, now) {
		return nil
	}
	err := s.vault.Record(ctx, gatehouse.Disclosure{Operator: s.lend.Holder(operator), Role: string(role), Purpose: "person", Items: []string{"subjects/" + person.String() + "/hours"}})
	if err == nil {
		s.looks.done(k, now)
	}
	return err
}

// lookedAt is noteLook for whoever asks the API; one's own hours are nobody else's to note.
func (a admin) lookedAt(ctx context.Context, person gatehouse.SubjectID) error {
	if a.actor(ctx).Person == person {
		return nil
	}
	operator, role := a.operator, gatehouse.Role("")
	if c, ok := auth.CallerFrom(ctx); ok {
		operator, role = c.Operator, c.Role
	}
	return a.noteLook(ctx, operator, role, person)
}

var _ console.Looks = pages{}

// LookedAt implements console.Looks.
func (p pages) LookedAt(ctx context.Context, who console.Who, person gatehouse.SubjectID) error {
	return p.noteLook(ctx, who.Operator, who.Role, person)
}

// Looks implements console.Looks.
func (p pages) Looks(ctx context.Context, person gatehouse.SubjectID) ([]inform.Look, error) {
	return inform.Looks(ctx, p.informs(), person)
}

// OwnLooks implements api.OwnHours.
func (a admin) OwnLooks(ctx context.Context) (wire.Looks, error) {
	out := wire.Looks{Looks: []wire.Look{}}
	by, err := a.own(ctx)
	if err != nil {
		return out, err
	}
	list, err := inform.Looks(ctx, a.informs(), by.Person)
	for _, l := range list {
		out.Looks = append(out.Looks, wire.Look{At: l.At, Role: gatehouse.Role(l.Role), Purpose: l.Purpose, Items: l.Items, What: l.What})
	}
	return out, err
}
