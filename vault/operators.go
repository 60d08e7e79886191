package vault

import (
	"context"
	"maps"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/vault/approval"
)

func (s *service) addOperator(ctx context.Context, keys openKeys, r operatorRequest) (any, error) {
	o := r.Subject
	if err := o.Check(); err != nil {
		return nil, err
	}
	return nil, s.guard.change(ctx, keys, operatorAlarm(o.Name), func(c *control) error {
		if err := s.agreed(c, approval.AddOperator, r, o.Body()); err != nil {
			return err
		}
		if _, ok := c.Operators[o.Name]; ok {
			return gatehouse.Errorf("operator.exists", "choose another id, or remove this one first", "there is an operator %q already", o.Name)
		}
		for _, other := range c.Operators {
			if other.Public.Equal(o.Public) {
				return gatehouse.Errorf("operator.exists", "two people need two passphrases", "another operator has this key")
			}
		}
		if len(c.Operators) >= maxOperators {
			return gatehouse.Errorf("operator.too_many", "remove those who left", "there are %d operators already", len(c.Operators))
		}
		c.Operators[o.Name] = registered{Salt: o.Salt, Work: o.Work, Public: o.Public, Added: time.Now().UTC().Truncate(time.Millisecond)}
		return nil
	})
}

func (s *service) endOperator(ctx context.Context, keys openKeys, r operatorRequest) (any, error) {
	name := clip(r.Subject.Name)
	return nil, s.guard.change(ctx, keys, operatorAlarm(name), func(c *control) error {
		if _, ok := c.Operators[name]; !ok {
			return errNoOperator()
		}
		if err := s.agreed(c, approval.EndOperator, r, approval.Operator{Name: name}.Body()); err != nil {
			return err
		}
		if len(c.Operators) <= lifters && len(c.Canaries)+len(c.Tokens) > 0 {
			return gatehouse.Errorf("operator.needed", "add another operator first", "two operators are needed to lift a canary")
		}
		delete(c.Operators, name)
		return nil
	})
}

func operatorAlarm(name string) *gatehouse.Alarm {
	return &gatehouse.Alarm{At: time.Now(), Kind: gatehouse.OperatorAlarm, Operator: name}
}

// agreed fails where who the operators are may not be changed: while a canary keeps the
// vault shut, or, once two of them exist, without the signature of one who counts. The
// signature serves for a few minutes. Called by change, with the guard's lock held.
func (s *service) agreed(c *control, act approval.Act, r operatorRequest, body []byte) error {
	switch {
	case !c.Tripped.IsZero():
		return errCanary()
	case len(c.Operators) < lifters:
		return nil
	case r.By == "":
		return gatehouse.Errorf("operator.agreement", "give the id of an operator who signs with --as", "there are %d operators: one of them must agree", len(c.Operators))
	}
	by := approval.Operator{Name: r.By, Public: c.Operators[r.By].Public}
	if d := time.Since(r.ID.Time()); d > clockTolerance || d < -clockTolerance || !by.Verify(r.Signature, act, publicKeyName(s.room.current()), r.ID, body) {
		return errSignature()
	}
	if !counts(c.Operators, r.By, time.Now()) {
		return errYoung()
	}
	return nil
}

func errNoOperator() error {
	return gatehouse.Errorf("operator.unknown", "`gatehouse operator list` shows who there is", "there is no such operator")
}

// operators are all who are registered, by name.
func (a *auditDB) operators(ctx context.Context) ([]approval.Operator, error) {
	all, err := a.registered(ctx)
	if err != nil {
		return nil, err
	}
	list := []approval.Operator{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		o := all[name]
		list = append(list, approval.Operator{Name: name, Salt: o.Salt, Work: o.Work, Public: o.Public})
	}
	return list, nil
}

func (a *auditDB) operator(ctx context.Context, name string) (approval.Operator, error) {
	list, err := a.operators(ctx)
	if err != nil {
		return approval.Operator{}, err
	}
	for _, o := range list {
		if o.Name == name {
			return o, nil
		}
	}
	return approval.Operator{}, errNoOperator()
}
