package terminal

import (
	"time"

	"gatehouse"
)

// How often a terminal sends a picture. Whoever comes is noticed by the page itself, which
// sends one at once where something moves.
const (
	idle = time.Second
	busy = 250 * time.Millisecond
)

// Pace is how long a terminal waits before its next picture, by what the last one showed
// and how long it took to look at it: one terminal never keeps vision busy for more than
// half of the time.
func Pace(g gatehouse.Guidance, took time.Duration) time.Duration {
	least := busy
	if g == gatehouse.NobodyThere || g == "" {
		least = idle
	}
	return max(least, took)
}
