package vault

import (
	"testing"
	"time"

	"gatehouse"
)

// A clock that jumps forward is believed when a day has really passed, one that goes back
// or drifts at once.
func TestClockGuard(t *testing.T) {
	start := time.UnixMilli(1_800_000_000_000)
	c := clockGuard{wall: start, since: -1}
	for _, step := range []struct {
		wall, mono time.Duration
		believed   bool
	}{
		{0, 0, true},
		{50 * time.Minute, 0, true},                             // set a little
		{-48 * time.Hour, time.Hour, true},                      // set back: nothing expires by that
		{5 * time.Hour, 5 * time.Hour, true},                    // as it goes
		{100 * 24 * time.Hour, 6 * time.Hour, false},            // a hundred days ahead
		{100*24*time.Hour + 3*time.Hour, 9 * time.Hour, false},  // and still
		{10 * time.Hour, 10 * time.Hour, true},                  // set right
		{100 * 24 * time.Hour, 11 * time.Hour, false},           // ahead again: the day begins anew
		{101*24*time.Hour - 1, 35*time.Hour - 1, false},         //
		{101 * 24 * time.Hour, 35 * time.Hour, true},            // a day later it is the time
		{101*24*time.Hour + time.Minute, 35 * time.Hour, true},  //
		{103*24*time.Hour + time.Minute, 35 * time.Hour, false}, // and can jump again
	} {
		if got := c.judge(start.Add(step.wall), step.mono); got != step.believed {
			t.Errorf("%v on the wall after %v: believed %v", step.wall, step.mono, got)
		}
	}
}

// Where the log of an earlier process ends long ago, the clock has jumped, or nobody knows.
func TestNothingExpiresByAClockThatJumped(t *testing.T) {
	now := time.Now().AddDate(0, 0, -100)
	in := install(t, gateTime(&now))
	ref := in.sealOne(t, gatehouse.RandomID(), "of that day")
	must(t, in.vault.SetRetention(t.Context(), place, map[gatehouse.RetentionClass]time.Duration{gatehouse.PassageClass: 90 * 24 * time.Hour}))
	must(t, in.vault.Close())
	in.alter(t, keyStoreFile, "keys", `INSERT INTO clock (one, wall) VALUES (1, 1700000000000)`) // a process saw it jump
	in.open(t)
	for range 2 {
		_, err := in.vault.Expire(t.Context(), place, gatehouse.PassageClass, now)
		wantCode(t, err, "vault.clock")
		in.reopen(t) // a restart changes nothing
	}
	if got := in.opened(t, ref); string(got[0]) != "of that day" {
		t.Errorf("it is gone: %q", got)
	}
	must(t, in.vault.Close())
	in.alter(t, keyStoreFile, "keys", `DELETE FROM clock`)
	in.open(t)
	if n, err := in.vault.Expire(t.Context(), place, gatehouse.PassageClass, now); err != nil || n == 0 {
		t.Errorf("by a clock that did not jump: %d, %v", n, err)
	}
}

// Whose keys are gone, of that nothing need be kept.
func TestNoise(t *testing.T) {
	in := install(t)
	ana, ben := gatehouse.RandomID(), gatehouse.RandomID()
	a, b := in.sealOne(t, ana, "a"), in.sealOne(t, ben, "b")
	_, err := in.vault.Erase(t.Context(), eraseOf(ana))
	must(t, err)
	for what, want := range map[string]bool{string(a.Sealed): true, string(b.Sealed): false, "no envelope": false} {
		if noise, err := in.vault.Noise(t.Context(), place, []byte(what)); err != nil || noise != want {
			t.Errorf("noise %v, want %v, %v", noise, want, err)
		}
	}
}
