package server

import (
	"context"
	"slices"

	"gatehouse"
	"gatehouse/flow/rulebook"
	"gatehouse/flow/why"
)

// openRules reads the site's rule book.
func (s *Server) openRules(ctx context.Context) (err error) {
	fixed, err := s.config.schedules()
	if err != nil {
		return err
	}
	s.rules, err = rulebook.Load(ctx, rulebook.Ports{Place: s.site.Place, Store: ruleStore{s}, Subjects: s.store, Fixed: fixed,
		HasGate: func(id gatehouse.GateID) bool { _, ok := s.site.Gates[id]; return ok }, Granted: s.working.Granted})
	if err != nil {
		return err
	}
	s.why = why.New(why.Ports{Gates: s.site.Gates, Location: s.site.Location, Badges: s.working, Rules: s.rules})
	for _, name := range s.rules.Shadowed() {
		s.log.Warn("gatehouse.yml has a schedule of the same name as the rule book; the file's counts", "schedule", name)
	}
	return nil
}

// ruleStore is the store, and wakes what follows the log.
type ruleStore struct{ *Server }

// Rules implements gatehouse.RuleStore.
func (r ruleStore) Rules(ctx context.Context, place gatehouse.Place) (gatehouse.StoredRules, error) {
	return r.store.Rules(ctx, place)
}

// ChangeRules implements gatehouse.RuleStore.
func (r ruleStore) ChangeRules(ctx context.Context, c gatehouse.RuleChange) error {
	err := r.store.ChangeRules(ctx, c)
	if err == nil {
		r.committed()
	}
	return err
}

// RuleChanges implements gatehouse.RuleStore.
func (r ruleStore) RuleChanges(ctx context.Context, place gatehouse.Place, before uint64, limit int) ([]gatehouse.RuleChange, error) {
	return r.store.RuleChanges(ctx, place, before, limit)
}

// erasedOne is called when somebody's id was replaced: pages draw every row anew, and the
// rule book forgets who it was.
func (s *Server) erasedOne() {
	s.hub.VaultChanged()
	if s.rules == nil {
		return // an interrupted erasure is finished at the start
	}
	if err := s.rules.Reload(context.Background()); err != nil {
		s.log.Error("the rule book cannot be read again", "code", gatehouse.ErrorCode(err))
	}
	s.forgetStays()
	if s.hours != nil {
		if err := s.hours.Reload(context.Background()); err != nil {
			s.log.Error("the book of hours cannot be read again", "code", gatehouse.ErrorCode(err))
		}
	}
}

// joinGroup puts a subject that was just enrolled into a group, unless it is in it: what a
// crash interrupted is done again.
func (s *Server) joinGroup(ctx context.Context, by string, group gatehouse.GroupID, id gatehouse.SubjectID) error {
	if slices.ContainsFunc(s.rules.GroupsOf(id), func(g gatehouse.Group) bool { return g.ID == group }) {
		return nil
	}
	return s.rules.AddMembers(ctx, by, group, []gatehouse.SubjectID{id})
}
