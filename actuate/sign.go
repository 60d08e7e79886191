package actuate

import (
	"context"
	"encoding/json"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"gatehouse"
)

// Sign tells one sign what it shows. Only the newest face counts: it is tried until it has
// arrived, and told again now and then, since a sign may have been without power.
type Sign struct {
	stop context.CancelFunc
	work sync.WaitGroup
	news chan gatehouse.SignFace // holds the newest
	mu   sync.Mutex
}

// Back-off between two tries at a sign.
const (
	signRetryMin = time.Second
	signRetryMax = time.Minute
)

// NewSign begins to tell a sign. deliver is called for one face after the other, with a context
// that ends when the sign is closed; again is the time between two tellings of the same.
func NewSign(name string, again time.Duration, deliver func(context.Context, gatehouse.SignFace) error) *Sign {
	ctx, stop := context.WithCancel(context.Background())
	s := &Sign{stop: stop, news: make(chan gatehouse.SignFace, 1)}
	s.work.Go(func() { s.run(ctx, name, again, deliver) })
	return s
}

// Show says what the sign shows from now on. It does not wait.
func (s *Sign) Show(f gatehouse.SignFace) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.news: // an older one that was not looked at yet
	default:
	}
	s.news <- f
}

// Close ends it. The sign goes on showing what it was told last.
func (s *Sign) Close() error {
	s.stop()
	s.work.Wait()
	return nil
}

func (s *Sign) run(ctx context.Context, name string, again time.Duration, deliver func(context.Context, gatehouse.SignFace) error) {
	var f gatehouse.SignFace
	select {
	case f = <-s.news:
	case <-ctx.Done():
		return
	}
	pause, failed := signRetryMin, false
	for {
		wait := again
		if err := deliver(ctx, f); err != nil && ctx.Err() == nil {
			if !failed {
				slog.Warn("a sign cannot be told what it shows; it is tried again", "sign", name, "code", gatehouse.ErrorCode(err))
			}
			failed, wait, pause = true, pause, min(2*pause, signRetryMax)
		} else {
			failed, pause = false, signRetryMin
		}
		t := time.NewTimer(wait)
		select {
		case f = <-s.news:
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return
		}
		t.Stop()
	}
}

// FillSign puts a face into a text: {car_park}, {free}, {full} (true or false), {word} (FREE or
// FULL) and {free:CLASS} for a class with spaces of its own. "" is a JSON object of all.
func FillSign(text string, f gatehouse.SignFace) string {
	if text == "" {
		b, _ := json.Marshal(struct { // it always can be
			CarPark string                         `json:"car_park"`
			Free    int                            `json:"free"`
			Full    bool                           `json:"full"`
			Classes map[gatehouse.VehicleClass]int `json:"classes,omitempty"`
		}{f.CarPark, f.Free, f.Full, f.Classes})
		return string(b)
	}
	word := "FREE"
	if f.Full {
		word = "FULL"
	}
	pairs := []string{"{car_park}", f.CarPark, "{free}", strconv.Itoa(f.Free), "{full}", strconv.FormatBool(f.Full), "{word}", word}
	for class, n := range f.Classes {
		pairs = append(pairs, "{free:"+string(class)+"}", strconv.Itoa(n))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}
