package consoletest

import (
	"context"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/console"
)

// Controls is what disclosures are controlled by.
type Controls struct {
	Limits    console.BudgetLimits
	Used      []console.BudgetUse
	Operators []string
	Planted   []console.PlantedCanary
	Elsewhere bool // the vault is on another machine
}

func newControls() Controls {
	return Controls{Operators: []string{"anna", "bert"}, Limits: console.BudgetLimits{"operator": {Hour: 300, Day: 1500}, "role": {Hour: 600, Day: 3000}, "organization": {Hour: 1200, Day: 6000}, "live": {Hour: 300, Day: 2000}},
		Used: []console.BudgetUse{{Scope: "organization", Hour: 212, Day: 3800}, {Scope: "role", Name: "guard", Hour: 12, Day: 800}, {Scope: "role", Name: "site-manager", Hour: 200, Day: 3000}, {Scope: "operator", Name: "manager-1", Hour: 200, Day: 1480}}}
}

// control is console.Control over Site.Controls.
type control struct{ s *Site }

func (k control) with(passphrase []byte, f func(c *Controls) error) error {
	k.s.mu.Lock()
	defer k.s.mu.Unlock()
	switch {
	case k.s.broken != nil:
		return k.s.broken
	case passphrase != nil && k.s.Controls.Elsewhere:
		return gatehouse.Errorf("vault.elsewhere", "", "the vault is on another machine")
	case passphrase != nil && string(passphrase) != Passphrase:
		return gatehouse.Errorf("vault.passphrase", "try again", "this passphrase does not open the vault")
	}
	return f(&k.s.Controls)
}

func (k control) Budgets(context.Context) (out console.BudgetState, err error) {
	return out, k.with(nil, func(c *Controls) error {
		lowered := console.BudgetLimits{}
		for scope, l := range c.Limits {
			lowered[scope] = l
		}
		lowered["live"] = console.BudgetLimit{Hour: 100, Day: 500} // by gatehouse.yml
		out = console.BudgetState{Known: true, Elsewhere: c.Elsewhere, Set: c.Limits, Limits: lowered, Used: slices.Clone(c.Used)}
		return nil
	})
}

func (k control) SetBudgets(_ context.Context, _ console.Who, passphrase []byte, set console.BudgetLimits) error {
	return k.with(passphrase, func(c *Controls) error {
		for scope, l := range set {
			now := c.Limits[scope]
			if l.Hour > 0 {
				now.Hour = l.Hour
			}
			if l.Day > 0 {
				now.Day = l.Day
			}
			c.Limits[scope] = now
		}
		return nil
	})
}

func (k control) Operators(context.Context) (names []string, err error) {
	return names, k.with(nil, func(c *Controls) error { names = slices.Clone(c.Operators); return nil })
}

func (k control) PlanRelease(_ context.Context, ids []gatehouse.ID, fields []string) (subjects []gatehouse.SubjectID, passages []gatehouse.ID, items int, err error) {
	for _, id := range ids {
		if _, ok := k.s.Working.Badge(id); ok {
			subjects = append(subjects, id)
			continue
		}
		if _, err := k.s.Passage(context.Background(), Place, id); err != nil {
			return nil, nil, 0, err
		}
		passages = append(passages, id)
	}
	if items = len(ids) * len(fields); items == 0 {
		err = gatehouse.Errorf("release.items", "", "there is nothing to release")
	}
	return subjects, passages, items, err
}

func (k control) Release(_ context.Context, id gatehouse.ID) (out console.ReleaseState, err error) {
	return out, k.with(nil, func(*Controls) error {
		for _, r := range k.s.Papers.Releases {
			if r.Request.ID != id {
				continue
			}
			out.Release = r
			if k.s.unsealed {
				out.Fields = []console.ReleaseCount{{Field: "name", Count: r.Count - 2}, {Field: "picture", Count: 2}}
			}
			return nil
		}
		return gatehouse.Errorf("release.unknown", "", "there is no such release")
	})
}

func (k control) Canary(context.Context) (out console.CanaryState, err error) {
	return out, k.with(nil, func(*Controls) error {
		if k.s.canary || k.s.Papers.Tripped {
			out = console.CanaryState{Shut: true, At: k.s.now(), Operator: "site/00000000000000000000000000000001", Purpose: "person", Lifted: []string{"anna"}}
		}
		return nil
	})
}

func (k control) Canaries(_ context.Context, _ console.Who, passphrase []byte) (out []console.PlantedCanary, err error) {
	return out, k.with(passphrase, func(c *Controls) error { out = slices.Clone(c.Planted); return nil })
}

func (k control) Spare(_ context.Context, _ console.Who, kind gatehouse.SubjectKind) (console.SpareCanary, error) {
	if kind != gatehouse.PersonSubject && kind != gatehouse.VehicleSubject {
		return console.SpareCanary{}, gatehouse.Errorf("canary.kind", "", "a spare is a person or a vehicle")
	}
	id := k.s.Enrol(kind, "B-4711", "Somebody made up", gatehouse.Active)
	return console.SpareCanary{Kind: kind, Label: "B-4711", Subject: id}, nil
}

func (k control) Plant(_ context.Context, _ console.Who, passphrase []byte, subjects []gatehouse.SubjectID, note string) (token gatehouse.Secret, err error) {
	return token, k.with(passphrase, func(c *Controls) error {
		if len(c.Operators) < 2 {
			return gatehouse.Errorf("canary.operators", "", "there are too few operators")
		}
		if len(subjects) == 0 {
			token = "canary-token-of-a-test"
			c.Planted = append(c.Planted, console.PlantedCanary{Kind: "token", Note: note, Planted: k.s.now()})
		}
		for _, id := range subjects {
			b, ok := k.s.Working.Badge(id)
			if !ok {
				return gatehouse.Errorf("store.not_found", "", "there is no such subject")
			}
			c.Planted = append(c.Planted, console.PlantedCanary{Kind: string(b.Kind), Label: b.Label, Subject: id, Note: note, Planted: k.s.now().Truncate(time.Second)})
		}
		return nil
	})
}
