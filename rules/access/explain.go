package access

import "gatehouse"

// Answer is what one question of a decision comes to, whatever the others say.
type Answer struct {
	Name   string           // "recognition", "liveness", …
	Reason gatehouse.Reason // "": nothing stands against it
	Asked  bool             // false: there is nobody to ask it of
}

// Explanation is a decision and all that it rests on.
type Explanation struct {
	Decision gatehouse.Decision
	// Answers are those to every question, in the order in which they are asked, also
	// behind the one that decided: whoever mends one thing wants to know of the next.
	Answers []Answer
	// Grants are what may allow the subject here or elsewhere, its own first.
	Grants []Considered
}

// Explain decides as Decide does, and says why.
func Explain(f Facts) Explanation {
	e := Explanation{Decision: Decide(f)}
	for i, s := range steps {
		a := Answer{Name: s.name, Asked: i == 0 || f.Badge != nil}
		if a.Asked {
			a.Reason = s.ask(f)
		}
		e.Answers = append(e.Answers, a)
	}
	if f.Badge == nil {
		return e
	}
	eachConsidered(f, func(c Considered) bool {
		c.Next = Next(c.Schedule, f.Calendar, f.Now)
		e.Grants = append(e.Grants, c)
		return false
	})
	return e
}
