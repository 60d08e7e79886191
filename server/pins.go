package server

import (
	"fmt"
	"sync"
	"time"

	"gatehouse"
)

// Wrong PINs that a gate takes: pinTries at once, then one more every pinEvery. Four
// digits that anybody could try 20 times a second would hold for minutes; so they
// hold for days, and whoever watches the live window sees every try.
const (
	pinTries = 5
	pinEvery = 30 * time.Second
)

// pinTrials counts the wrong PINs of each gate. It is safe for concurrent use.
type pinTrials struct {
	now func() time.Time

	mu    sync.Mutex
	spent map[gatehouse.GateID]trials
}

type trials struct {
	wrong float64 // as it stood at the moment at; one is forgiven every pinEvery
	at    time.Time
}

func newPINTrials(now func() time.Time) *pinTrials {
	return &pinTrials{now: now, spent: map[gatehouse.GateID]trials{}}
}

// take counts a try before its PIN is looked at, so that many at once gain nothing.
// It fails with pin.too_many.
func (p *pinTrials) take(gate gatehouse.GateID) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.spent[gate]
	now := p.now()
	t.wrong, t.at = max(0, t.wrong-now.Sub(t.at).Seconds()/pinEvery.Seconds()), now
	if t.wrong > pinTries-1 {
		wait := time.Duration((t.wrong - (pinTries - 1)) * float64(pinEvery))
		return gatehouse.Errorf("pin.too_many", fmt.Sprintf("use a card or QR code, or come again in %d s", int(wait/time.Second)+1), "there were too many wrong PINs at this gate")
	}
	t.wrong++
	p.spent[gate] = t
	return nil
}

// giveBack forgives the try of a PIN that was right.
func (p *pinTrials) giveBack(gate gatehouse.GateID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	t := p.spent[gate]
	t.wrong = max(0, t.wrong-1)
	p.spent[gate] = t
}
