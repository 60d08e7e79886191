package attack

import "math/rand/v2"

func random(seed int) *rand.Rand { return rand.New(rand.NewPCG(uint64(seed), 1)) }
