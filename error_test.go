package gatehouse

import (
	"errors"
	"testing"
)

func TestPublicKeepsForeignCausesBack(t *testing.T) {
	outside := errors.New("open /data/2026-11.db: no space")
	inside := Errorf("image.truncated", "send it again", "the picture is cut off")
	for want, e := range map[string]*Error{
		"the disk is full":                     Errorf("store.full", "", "the disk is full: %w", outside),
		"photo 2: the picture is cut off":      Errorf("enroll.photo", "", "photo 2: %w", inside),
		"photo 3: the picture is cut off ends": Errorf("enroll.photo", "", "photo 3: %w ends", inside),
		"plain":                                Errorf("x", "", "plain"),
	} {
		if got := e.Public(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if e.Err != nil && !errors.Is(e, e.Err) {
			t.Error("the cause is lost to the log")
		}
	}
}
