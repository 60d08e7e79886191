package passage

import (
	"gatehouse"
	"gatehouse/rules/access"
)

// Step is one question of a decision.
type Step = access.Step

// Trace says which questions led to a committed decision; nil where it was made in
// another way, as for a gate whose disk was full.
func Trace(d gatehouse.Decision) []Step { return access.Trace(d) }
