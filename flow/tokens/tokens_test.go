package tokens

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
)

// desk is a working set and a log in memory.
type desk struct {
	items  map[gatehouse.ID][]byte
	leaves []string
	now    time.Time
	full   bool
	broken bool
}

func (d *desk) PutKept(_ context.Context, _ gatehouse.WorkingKind, id gatehouse.ID, plain []byte) error {
	if d.broken {
		return gatehouse.Errorf("store.failed", "", "failed")
	}
	d.items[id] = plain
	return nil
}

func (d *desk) Kept(gatehouse.WorkingKind) map[gatehouse.ID][]byte { return maps.Clone(d.items) }

func (d *desk) RemoveKept(_ context.Context, _ gatehouse.WorkingKind, id gatehouse.ID) error {
	if d.broken {
		return gatehouse.Errorf("store.failed", "", "failed")
	}
	delete(d.items, id)
	return nil
}

func (d *desk) AccessVerifier(token gatehouse.Secret) [32]byte {
	return sha256.Sum256([]byte("keyed " + token.Reveal()))
}

func (d *desk) WriteLeaf(_ context.Context, leaf []byte) error {
	if d.full {
		return gatehouse.Errorf("store.full", "", "full")
	}
	_, _, parts, _ := gatehouse.LeafParts(leaf)
	text := string(parts[0])
	for _, p := range parts[4:] {
		text += " " + string(p)
	}
	d.leaves = append(d.leaves, text)
	return nil
}

func (d *desk) load(t *testing.T) *Tokens {
	t.Helper()
	all, err := Load(Ports{Place: gatehouse.Place{Org: "acme", Site: "north"}, Working: d, Log: d, Now: func() time.Time { return d.now },
		HasGate: func(g gatehouse.GateID) bool { return g == "front-door" || g == "lane" }})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func newDesk() *desk {
	return &desk{items: map[gatehouse.ID][]byte{}, now: time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)}
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	if gatehouse.ErrorCode(err) != code {
		t.Errorf("%v, want %s", err, code)
	}
}

func TestATokenCountsUntilItEndsOrIsRevoked(t *testing.T) {
	d, ctx := newDesk(), t.Context()
	all := d.load(t)
	made, shown, err := all.Add(ctx, "admin-socket", New{Name: "payroll", Scopes: []gatehouse.Permission{gatehouse.SeePeople, gatehouse.SeePassages, gatehouse.SeePeople}, At: []gatehouse.GateID{"front-door"}, For: time.Hour})
	if err != nil || !strings.HasPrefix(shown.Reveal(), Prefix) || len(shown.Reveal()) != len(Prefix)+43 {
		t.Fatal(made, err)
	}
	if !slices.Equal(d.leaves, []string{"token-added admin-socket payroll see-passages see-people at front-door"}) {
		t.Errorf("the log says %q", d.leaves)
	}
	for id, item := range d.items {
		if strings.Contains(string(item), shown.Reveal()[len(Prefix):]) || id != made.ID {
			t.Error("what the program shows was kept")
		}
	}
	for range 2 { // before a restart and after
		got, err := all.VerifyToken(ctx, shown)
		if err != nil || got.ID != made.ID || !got.May(gatehouse.SeePeople) || got.May(gatehouse.Enrol) || got.Gates(gatehouse.SeePassages).Has("lane") || !got.Gates(gatehouse.SeePassages).Has("front-door") {
			t.Fatalf("%+v, %v", got, err)
		}
		_, err = all.VerifyToken(ctx, shown+"x")
		wantCode(t, err, "token.refused")
		all = d.load(t)
	}
	d.now = d.now.Add(time.Hour - time.Second)
	if !all.TokenCounts(made.ID) {
		t.Error("it ended too early")
	}
	d.now = d.now.Add(time.Second)
	_, err = all.VerifyToken(ctx, shown)
	wantCode(t, err, "token.refused")
	if all.TokenCounts(made.ID) {
		t.Error("it has ended and counts")
	}

	_, second, err := all.Add(ctx, "admin-socket", New{Name: "display", For: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	d.broken = true // the disk fails in the middle: the token is refused all the same
	wantCode(t, all.Revoke(ctx, "someone", "display"), "store.failed")
	_, err = all.VerifyToken(ctx, second)
	wantCode(t, err, "token.refused")
	d.broken = false
	if err := all.Revoke(ctx, "someone", "display"); err != nil {
		t.Fatal(err)
	}
	_, err = d.load(t).VerifyToken(ctx, second)
	wantCode(t, err, "token.refused")
	wantCode(t, all.Revoke(ctx, "someone", "display"), "token.unknown")
	if last := d.leaves[len(d.leaves)-1]; last != "token-revoked someone display see-passages" {
		t.Errorf("the log ends with %q", last)
	}
}

func TestWhatNoTokenMayHave(t *testing.T) {
	d, ctx := newDesk(), t.Context()
	all := d.load(t)
	for name, c := range map[string]struct {
		n    New
		code string
	}{
		"a name":         {New{Name: "Mei Lin", For: time.Hour}, "token.name"},
		"to disclose":    {New{Name: "a", Scopes: []gatehouse.Permission{gatehouse.DisclosePassages}, For: time.Hour}, "token.scopes"},
		"to search":      {New{Name: "a", Scopes: []gatehouse.Permission{gatehouse.SearchArchive}, For: time.Hour}, "token.scopes"},
		"to manage":      {New{Name: "a", Scopes: []gatehouse.Permission{gatehouse.ManageAccounts}, For: time.Hour}, "token.scopes"},
		"anything":       {New{Name: "a", Scopes: []gatehouse.Permission{"*"}, For: time.Hour}, "token.scopes"},
		"a strange gate": {New{Name: "a", At: []gatehouse.GateID{"back-door"}, For: time.Hour}, "token.gates"},
		"for ever":       {New{Name: "a", For: Longest + 1}, "token.duration"},
		"for no time":    {New{Name: "a"}, "token.duration"},
	} {
		t.Run(name, func(t *testing.T) {
			_, shown, err := all.Add(ctx, "x", c.n)
			wantCode(t, err, c.code)
			if shown != "" || len(d.items) > 0 || len(d.leaves) > 0 {
				t.Error("something was made")
			}
		})
	}
	d.full = true
	if _, shown, err := all.Add(ctx, "x", New{Name: "a", For: time.Hour}); gatehouse.ErrorCode(err) != "store.full" || shown != "" || len(d.items) > 0 {
		t.Errorf("made without an entry of the log: %v", err)
	}
	d.full = false
	if _, _, err := all.Add(ctx, "x", New{Name: "a", For: time.Hour}); err != nil {
		t.Fatal(err)
	}
	_, _, err := all.Add(ctx, "x", New{Name: "a", For: time.Hour})
	wantCode(t, err, "token.exists")
}

// When a token was used last is kept to within an hour, and exactly at the end: a write for
// each request would be one too many.
func TestTheLastUseIsKept(t *testing.T) {
	d, ctx := newDesk(), t.Context()
	all := d.load(t)
	made, shown, _ := all.Add(ctx, "x", New{Name: "a", For: 24 * time.Hour})
	stored := func() time.Time {
		var k kept
		if err := json.Unmarshal(d.items[made.ID], &k); err != nil {
			t.Fatal(err)
		}
		return k.Token.Used
	}
	if !all.List()[0].Used.IsZero() {
		t.Error("used before it was")
	}
	use := func(after time.Duration, end bool) {
		d.now = d.now.Add(after)
		if _, err := all.VerifyToken(ctx, shown); err != nil {
			t.Fatal(err)
		}
		if err := all.KeepUsed(ctx, end); err != nil {
			t.Fatal(err)
		}
	}
	use(time.Second, false)
	first := stored()
	if !first.Equal(d.now) {
		t.Errorf("the first use is kept as %v", first)
	}
	use(time.Minute, false)
	if !stored().Equal(first) {
		t.Error("written again within the hour")
	}
	if !all.List()[0].Used.Equal(d.now) {
		t.Error("the list does not know the newest use")
	}
	use(time.Second, true)
	if !stored().Equal(d.now) || !d.load(t).List()[0].Used.Equal(d.now) {
		t.Error("not kept at the end")
	}
}
