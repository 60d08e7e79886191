package gatehouse

import (
	"context"
	"time"
)

// TryStore counts what may be tried a few times in a while, over restarts.
type TryStore interface {
	// Try counts one try of who, a digest that says nothing without its key, and reports
	// whether there were fewer than most within the time before now. A try that is not
	// allowed is not counted. What is older is forgotten.
	Try(ctx context.Context, place Place, who [32]byte, now time.Time, within time.Duration, most int) (ok bool, err error)
}
