package machine

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"sync"
	"time"

	"gatehouse"
)

// checkPlace refuses a request that names another organization or site anywhere in
// its header. It reads the header token by token, and not as the vault process will:
// a key that stands there twice, or in another case, must not be missed. Errors:
// vault.place, request.malformed.
func checkPlace(header []byte, place gatehouse.Place) error {
	malformed := gatehouse.Errorf("request.malformed", "this is a fault of the program", "the request cannot be read")
	if len(header) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(header))
	d.UseNumber()
	type level struct{ object, key bool } // key: the next token is one
	levels := []level{}
	want, expecting := "", false // the value that the last key asks for
	for {
		token, err := d.Token()
		if err == io.EOF {
			if len(levels) > 0 {
				return malformed
			}
			return nil
		}
		if err != nil || len(levels) > 64 {
			return malformed
		}
		top := len(levels) - 1
		if top >= 0 && levels[top].object && levels[top].key && token != json.Delim('}') {
			levels[top].key = false
			name, _ := token.(string)
			want, expecting = placeKey(name, place)
			continue
		}
		if expecting {
			if text, ok := token.(string); !ok || text != want {
				return gatehouse.Errorf("vault.place", "a gate's identity is good for its own site only", "the request is about another site")
			}
			expecting = false
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			levels = append(levels, level{object: token == json.Delim('{'), key: true})
			continue
		case json.Delim('}'), json.Delim(']'):
			levels = levels[:top]
		}
		if top = len(levels) - 1; top >= 0 {
			levels[top].key = true
		}
	}
}

// placeKey tells what must stand behind a key; encoding/json folds cases when it
// decodes, and so does this.
func placeKey(name string, place gatehouse.Place) (want string, ok bool) {
	switch {
	case strings.EqualFold(name, "org"):
		return string(place.Org), true
	case strings.EqualFold(name, "site"):
		return string(place.Site), true
	}
	return "", false
}

// How many calls a gate may make: a second, and at once after a pause.
const (
	callsPerSecond = 200
	callsAtOnce    = 400
)

// pace lets a gate's calls through at their rate; what comes faster waits.
type pace struct {
	now func() time.Time

	mu   sync.Mutex
	free float64
	at   time.Time
}

// wait returns when the next call may go on. It fails with ctx's error.
func (p *pace) wait(ctx context.Context) error {
	p.mu.Lock()
	now := p.now()
	if p.at.IsZero() {
		p.free = callsAtOnce
	} else if passed := now.Sub(p.at); passed > 0 {
		p.free = min(callsAtOnce, p.free+passed.Seconds()*callsPerSecond)
	}
	p.at = now
	p.free--
	short := -p.free
	p.mu.Unlock()
	if short <= 0 {
		return nil
	}
	select {
	case <-time.After(time.Duration(short / callsPerSecond * float64(time.Second))):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
