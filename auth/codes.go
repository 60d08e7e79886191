package auth

import (
	"crypto/sha256"
	"sync"
	"time"

	"gatehouse"
)

// CodeLifetime is how long a device may take to enrol with its code.
const CodeLifetime = 15 * time.Minute

// maxCodes bounds how many there are at a time. A code has 50 random bits; at the rate
// that is allowed somebody who guesses for the whole lifetime tries about a thousand of
// 10^15.
const maxCodes = 32

// Codes are the one-time codes with which devices enrol. They are in memory only: a
// restart ends them. Its methods are safe for concurrent use.
type Codes struct {
	now      func() time.Time
	everyone *Limiter
	each     *Limiter

	mu    sync.Mutex
	codes map[[32]byte]code // SHA-256 of the code
}

type code struct {
	device gatehouse.Device
	by     string
	until  time.Time
}

// NewCodes returns no codes; now is the clock, nil for time.Now.
func NewCodes(now func() time.Time) *Codes {
	if now == nil {
		now = time.Now
	}
	return &Codes{now: now, everyone: NewLimiter(now, 1, 30), each: NewLimiter(now, 1.0/12, 5), codes: map[[32]byte]code{}}
}

// New returns a code for the device, as gatehouse.EnrolmentCode writes it. An earlier one for the
// same device ends. by is who asked for it, whom the audit log names.
func (c *Codes) New(by string, d gatehouse.Device) (text string, until time.Time) {
	text = gatehouse.NewEnrolmentCode()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sweep(func(of code) bool { return of.device.ID == d.ID })
	for len(c.codes) >= maxCodes {
		c.dropOldest()
	}
	until = c.now().Add(CodeLifetime)
	c.codes[sha256.Sum256([]byte(text))] = code{d, by, until}
	return text, until
}

// Allow says whether an address may try a code now, and else how long until it may.
func (c *Codes) Allow(address string) (ok bool, wait time.Duration) {
	if ok, wait = c.each.Allow(address); !ok {
		return false, wait
	}
	return c.everyone.Allow("")
}

// Take spends a code and returns whose it was and who asked for it: where fits refuses,
// the code stays.
func (c *Codes) Take(text string, fits func(gatehouse.Device) bool) (d gatehouse.Device, by string, ok bool) {
	key := sha256.Sum256([]byte(text))
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sweep(func(code) bool { return false })
	of, ok := c.codes[key]
	if !ok || !fits(of.device) {
		return gatehouse.Device{}, "", false
	}
	delete(c.codes, key)
	return of.device, of.by, true
}

// Drop ends the codes of a device.
func (c *Codes) Drop(id gatehouse.DeviceID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sweep(func(of code) bool { return of.device.ID == id })
}

// sweep forgets what has ended, and what also says. Called with the lock held.
func (c *Codes) sweep(also func(code) bool) {
	now := c.now()
	for k, of := range c.codes {
		if !now.Before(of.until) || also(of) {
			delete(c.codes, k)
		}
	}
}

func (c *Codes) dropOldest() {
	var oldest [32]byte
	var at time.Time
	for k, of := range c.codes {
		if at.IsZero() || of.until.Before(at) {
			oldest, at = k, of.until
		}
	}
	delete(c.codes, oldest)
}
