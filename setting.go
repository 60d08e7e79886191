package gatehouse

import (
	"context"
	"time"
)

// Setting is an option of gatehouse.yml that somebody changed while the server ran. It is
// no secret: those have a place of their own.
type Setting struct {
	Name  string // as in gatehouse.yml, with dots: "retention.passage_days"
	Value string // as it would be written there
	At    time.Time
}

// SettingStore keeps settings. Errors: store.full, store.failed.
type SettingStore interface {
	// PutSetting sets or replaces one, with a leaf; "" for Value takes it away.
	PutSetting(ctx context.Context, place Place, s Setting, leaf []byte) error
	Settings(ctx context.Context, place Place) ([]Setting, error)
}

// SettingLeaf records that a setting was changed, and by whom; value "" that it is again
// what gatehouse.yml says.
func SettingLeaf(place Place, s Setting, operator string) []byte {
	event := "set"
	if s.Value == "" {
		event = "reset"
	}
	return EventLeaf(SettingLeafKind, s.At, event, string(place.Org), string(place.Site), s.Name, s.Value, operator)
}
