package accounts

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse"
)

// desk is a working set and a log in memory.
type desk struct {
	mu     sync.Mutex
	items  map[gatehouse.AccountID][]byte
	leaves []string
	now    time.Time
	full   bool // the log cannot be written
	broken bool // the working set cannot
}

func (d *desk) PutAccount(_ context.Context, id gatehouse.AccountID, plain []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.broken {
		return gatehouse.Errorf("store.failed", "", "failed")
	}
	d.items[id] = plain
	return nil
}

func (d *desk) Accounts() map[gatehouse.AccountID][]byte { return maps.Clone(d.items) }

func (d *desk) RemoveAccount(_ context.Context, id gatehouse.AccountID) error {
	delete(d.items, id)
	return nil
}

func (d *desk) WriteLeaf(_ context.Context, leaf []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.full {
		return gatehouse.Errorf("store.full", "", "full")
	}
	_, _, parts, _ := gatehouse.LeafParts(leaf)
	text := string(parts[0])
	for _, p := range parts[5:] {
		text += " " + string(p)
	}
	d.leaves = append(d.leaves, text)
	return nil
}

var here = gatehouse.Place{Org: "acme", Site: "north"}

func (d *desk) load(t *testing.T) *Accounts {
	t.Helper()
	a, err := Load(Ports{Place: here, Working: d, Log: d, HasGate: func(g gatehouse.GateID) bool { return g == "front" || g == "back" }, Now: func() time.Time { return d.now }})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func open(t *testing.T) (*Accounts, *desk) {
	d := &desk{items: map[gatehouse.AccountID][]byte{}, now: time.Unix(1_800_000_000, 0).UTC()}
	return d.load(t), d
}

func passkey(id string) gatehouse.Passkey {
	return gatehouse.Passkey{ID: []byte(id), PublicKey: []byte("key"), Label: "blue", Counter: 1}
}

func wantCode(t *testing.T, what string, err error, code string) {
	t.Helper()
	if gatehouse.ErrorCode(err) != code {
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}

var (
	admin = gatehouse.Assignment{Role: gatehouse.Administrator}
	guard = gatehouse.Assignment{Role: gatehouse.Guard, Gates: []gatehouse.GateID{"front", "back", "front"}}
)

func TestAnAccountsLife(t *testing.T) {
	a, d := open(t)
	ctx := t.Context()
	one, token, err := a.Add(ctx, "test", New{Login: "guard-7", Name: " Mei Lin ", Roles: []gatehouse.Assignment{guard, guard}})
	if err != nil || one.State != gatehouse.Invited || one.Name != "Mei Lin" || len(one.Roles) != 1 || one.Roles[0].String() != "guard@north:back+front" {
		t.Fatalf("%+v, %v", one.Roles, err)
	}
	if _, ok, _ := a.Redeem(ctx, "x"); ok {
		t.Error("any token is an invitation")
	}
	if got, ok, err := a.Redeem(ctx, token); !ok || err != nil || got.ID != one.ID {
		t.Fatalf("the invitation: %t, %v", ok, err)
	}
	if _, ok, _ := a.Redeem(ctx, token); ok {
		t.Error("it works twice")
	}
	if err := a.AddPasskey(ctx, one.ID, passkey("1")); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "the same passkey again", a.AddPasskey(ctx, one.ID, passkey("1")), "account.credential")
	wantCode(t, "the last passkey", a.RemoveCredential(ctx, one.ID.String(), one.ID, "31"), "account.last_credential")
	if err := a.AddPasskey(ctx, one.ID, passkey("2")); err != nil {
		t.Fatal(err)
	}
	wantCode(t, "one of none", a.RemoveCredential(ctx, one.ID.String(), one.ID, "ff"), "account.credential")
	if err := a.RemoveCredential(ctx, one.ID.String(), one.ID, "31"); err != nil {
		t.Error(err)
	}
	used := passkey("2")
	used.Counter = 9
	if err := a.UsedPasskey(ctx, one.ID, used); err != nil {
		t.Error(err)
	}
	// What was kept is there after a restart, and nothing of it is readable in a log.
	again := d.load(t)
	got, ok := again.Account(one.ID)
	keys, _ := again.Keys(one.ID)
	if !ok || got.Login != "guard-7" || got.Name != "Mei Lin" || got.State != gatehouse.Enabled || len(got.Credentials) != 1 || got.Credentials[0].Used.IsZero() || keys.Passkeys[0].Counter != 9 {
		t.Errorf("after a restart: %+v", got.Credentials)
	}
	before := got.Revision
	if err := a.SetRoles(ctx, "test", one.ID, []gatehouse.Assignment{{Role: gatehouse.HR}}); err != nil {
		t.Error(err)
	}
	if err := a.SetDisabled(ctx, "test", one.ID, true); err != nil {
		t.Error(err)
	}
	if got, _ := a.Account(one.ID); got.Revision != before+2 || got.State != gatehouse.Disabled {
		t.Errorf("the revision went from %d to %d", before, got.Revision)
	}
	_, err = a.Invite(ctx, "test", one.ID)
	wantCode(t, "inviting a disabled account", err, "account.disabled")
	wantCode(t, "a passkey for a disabled account", a.AddPasskey(ctx, one.ID, passkey("3")), "account.disabled")
	if err := a.SetDisabled(ctx, "test", one.ID, false); err != nil {
		t.Error(err)
	}
	// Somebody else takes the last one: the account is invited anew, and its sessions end.
	if err := a.RemoveCredential(ctx, "test", one.ID, "32"); err != nil {
		t.Error(err)
	}
	if got, _ := a.Account(one.ID); got.State != gatehouse.Invited || got.Revision != before+4 {
		t.Errorf("without credentials: %s", got.State)
	}
	if err := a.Remove(ctx, "test", one.ID); err != nil || len(d.items) != 0 {
		t.Errorf("%v, %d items", err, len(d.items))
	}
	wantCode(t, "one that was removed", a.SetDisabled(ctx, "test", one.ID, true), "account.unknown")
	if want := []string{"added guard@north:back+front", "redeemed", "passkey-added", "passkey-added", "passkey-removed", "roles hr", "disabled", "enabled", "passkey-removed", "removed"}; !slices.Equal(trimmed(d.leaves), want) {
		t.Errorf("the log has %q", d.leaves)
	}
	if all := strings.Join(d.leaves, ""); strings.Contains(all, "Mei") || strings.Contains(all, "guard-7") || strings.Contains(all, "blue") {
		t.Errorf("the log holds somebody's: %s", all)
	}
}

// trimmed leaves out who did it, where that is the account's random id.
func trimmed(leaves []string) (out []string) {
	for _, l := range leaves {
		out = append(out, strings.TrimSpace(l))
	}
	return out
}

func TestInvitationsEnd(t *testing.T) {
	a, d := open(t)
	one, first, _ := a.Add(t.Context(), "test", New{Login: "x", Roles: []gatehouse.Assignment{admin}})
	second, err := a.Invite(t.Context(), "test", one.ID)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok, _ := a.Redeem(t.Context(), first); ok {
		t.Error("an earlier invitation goes on working")
	}
	d.now = d.now.Add(InviteLifetime)
	if _, ok, _ := a.Redeem(t.Context(), second); ok {
		t.Error("an invitation works for ever")
	}
	third, _ := a.Invite(t.Context(), "test", one.ID)
	if err := a.SetDisabled(t.Context(), "test", one.ID, true); err != nil {
		t.Fatal(err)
	}
	if _, ok, _ := a.Redeem(t.Context(), third); ok {
		t.Error("a disabled account is let in")
	}
	if _, ok, _ := a.Redeem(t.Context(), ""); ok {
		t.Error("nothing is an invitation")
	}
}

func TestWhatCannotBeAnAccount(t *testing.T) {
	a, _ := open(t)
	for name, c := range map[string]struct {
		new  New
		code string
	}{
		"no login":           {New{Login: ""}, "account.login"},
		"a name as login":    {New{Login: "Mei Lin"}, "account.login"},
		"a long name":        {New{Login: "a", Name: gatehouse.Secret(strings.Repeat("x", 121))}, "account.name"},
		"a line break":       {New{Login: "a", Name: "x\ny"}, "account.name"},
		"no such role":       {New{Login: "a", Roles: []gatehouse.Assignment{{Role: "root"}}}, "account.roles"},
		"a device":           {New{Login: "a", Roles: []gatehouse.Assignment{{Role: gatehouse.DeviceRole}}}, "account.roles"},
		"a guard of no gate": {New{Login: "a", Roles: []gatehouse.Assignment{{Role: gatehouse.Guard}}}, "account.roles"},
		"a gate not there":   {New{Login: "a", Roles: []gatehouse.Assignment{{Role: gatehouse.Guard, Gates: []gatehouse.GateID{"side"}}}}, "account.roles"},
		"HR of a gate":       {New{Login: "a", Roles: []gatehouse.Assignment{{Role: gatehouse.HR, Gates: []gatehouse.GateID{"front"}}}}, "account.roles"},
		"a site's name":      {New{Login: "a", Roles: []gatehouse.Assignment{{Role: gatehouse.HR, Site: "../x"}}}, "account.roles"},
	} {
		_, _, err := a.Add(t.Context(), "test", c.new)
		wantCode(t, name, err, c.code)
	}
	if _, _, err := a.Add(t.Context(), "test", New{Login: "a"}); err != nil {
		t.Fatal(err)
	}
	_, _, err := a.Add(t.Context(), "test", New{Login: "a"})
	wantCode(t, "the same login", err, "account.exists")
}

// Nobody is left who could manage accounts only where nobody could before.
func TestTheLastAdministratorStays(t *testing.T) {
	a, _ := open(t)
	ctx := t.Context()
	one, _, _ := a.Add(ctx, "test", New{Login: "one", Roles: []gatehouse.Assignment{admin}})
	if a.Ready() {
		t.Error("an invitation makes a site ready")
	}
	if err := a.AddPasskey(ctx, one.ID, passkey("1")); err != nil || !a.Ready() {
		t.Fatal(err)
	}
	wantCode(t, "other roles", a.SetRoles(ctx, "test", one.ID, nil), "account.last_administrator")
	wantCode(t, "disabling", a.SetDisabled(ctx, "test", one.ID, true), "account.last_administrator")
	wantCode(t, "removing", a.Remove(ctx, "test", one.ID), "account.last_administrator")
	wantCode(t, "its passkey", a.RemoveCredential(ctx, "test", one.ID, "31"), "account.last_administrator")
	two, _, _ := a.Add(ctx, "test", New{Login: "two", Roles: []gatehouse.Assignment{admin}})
	wantCode(t, "beside one who was invited only", a.Remove(ctx, "test", one.ID), "account.last_administrator")
	if err := a.AddPasskey(ctx, two.ID, passkey("2")); err != nil {
		t.Fatal(err)
	}
	if err := a.Remove(ctx, "test", one.ID); err != nil {
		t.Error(err)
	}
}

// A change whose leaf cannot be written does not happen; one that cannot be kept does
// not count.
func TestNoChangeWithoutItsLeaf(t *testing.T) {
	a, d := open(t)
	one, _, _ := a.Add(t.Context(), "test", New{Login: "one", Roles: []gatehouse.Assignment{guard}})
	d.full = true
	wantCode(t, "roles", a.SetRoles(t.Context(), "test", one.ID, []gatehouse.Assignment{admin}), "store.full")
	wantCode(t, "removing", a.Remove(t.Context(), "test", one.ID), "store.full")
	wantCode(t, "a passkey", a.AddPasskey(t.Context(), one.ID, passkey("1")), "store.full")
	d.full, d.broken = false, true
	wantCode(t, "roles", a.SetRoles(t.Context(), "test", one.ID, []gatehouse.Assignment{admin}), "store.failed")
	if got, _ := a.Account(one.ID); got.Roles[0].Role != gatehouse.Guard || len(got.Credentials) != 0 {
		t.Errorf("it changed to %v", got.Roles)
	}
}

func TestCodesWorkOnce(t *testing.T) {
	a, _ := open(t)
	one, _, _ := a.Add(t.Context(), "test", New{Login: "one", Roles: []gatehouse.Assignment{guard}})
	wantCode(t, "without a secret", a.UseTOTP(t.Context(), one.ID, 7), "account.credential")
	if err := a.SetTOTP(t.Context(), one.ID, "SECRET", 5); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	worked := 0
	for range 8 {
		wg.Go(func() {
			if a.UseTOTP(t.Context(), one.ID, 6) == nil {
				mu.Lock()
				worked++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if worked != 1 {
		t.Errorf("one code worked %d times", worked)
	}
	wantCode(t, "an earlier step", a.UseTOTP(t.Context(), one.ID, 5), "account.credential")
}

func TestWhoArrivesFromOutside(t *testing.T) {
	a, _ := open(t)
	ctx := t.Context()
	who := gatehouse.OutsideIdentity{Issuer: "https://login.example.org", Subject: "ana"}
	one, err := a.Arrive(ctx, who, "ana@example.org", nil)
	if err != nil || one.State != gatehouse.Enabled || len(one.Roles) != 0 || strings.Contains(one.Login, "ana") || one.Name != "ana@example.org" {
		t.Fatalf("%+v, %v", one, err)
	}
	if err := a.SetRoles(ctx, "test", one.ID, []gatehouse.Assignment{guard}); err != nil {
		t.Fatal(err)
	}
	// Without a claim roles are an administrator's to give; with one they are the provider's.
	if got, err := a.Arrive(ctx, who, "x", nil); err != nil || got.ID != one.ID || len(got.Roles) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	got, err := a.Arrive(ctx, who, "x", []gatehouse.Assignment{})
	if err != nil || len(got.Roles) != 0 {
		t.Errorf("%+v, %v", got.Roles, err)
	}
	_, err = a.Arrive(ctx, who, "x", []gatehouse.Assignment{{Role: gatehouse.Guard, Gates: []gatehouse.GateID{"none"}}})
	wantCode(t, "a claim of a gate that is not there", err, "account.roles")
	two, _, _ := a.Add(ctx, "test", New{Login: "two"})
	wantCode(t, "an identity that is another's", a.LinkOutside(ctx, "test", two.ID, who), "account.credential")
	wantCode(t, "no identity", a.LinkOutside(ctx, "test", two.ID, gatehouse.OutsideIdentity{Issuer: "x"}), "account.credential")
}

func TestADamagedAccountStopsTheStart(t *testing.T) {
	d := &desk{items: map[gatehouse.AccountID][]byte{gatehouse.RandomID(): []byte(`{"Account":{"Login":"x"}}`)}}
	_, err := Load(Ports{Place: here, Working: d, Log: d})
	wantCode(t, "an account under another's id", err, "account.damaged")
}

// An account of somebody who is erased is nobody's, and one that was for their own hours
// alone is gone.
func TestWhoseAnAccountIs(t *testing.T) {
	a, d := open(t)
	person := gatehouse.RandomID()
	own, _, err := a.Add(t.Context(), "test", New{Login: "e-1", Roles: []gatehouse.Assignment{{Role: gatehouse.Employee}}, Person: person})
	if err != nil {
		t.Fatal(err)
	}
	clerk, _, err := a.Add(t.Context(), "test", New{Login: "clerk", Roles: []gatehouse.Assignment{{Role: gatehouse.Employee}, {Role: gatehouse.HR}}})
	if err == nil {
		err = a.SetPerson(t.Context(), "test", clerk.ID, person)
	}
	if err != nil {
		t.Fatal(err)
	}
	again := d.load(t)
	if got := again.OfPerson(person); len(got) != 2 || got[0].ID != clerk.ID || got[1].ID != own.ID || got[0].Revision == clerk.Revision {
		t.Fatalf("%+v", got)
	}
	for range 2 {
		if err := again.ForgetPerson(t.Context(), "test", person); err != nil {
			t.Fatal(err)
		}
	}
	if _, there := again.Account(own.ID); there || len(again.OfPerson(person)) != 0 {
		t.Error("an erased person has an account")
	}
	if got, there := again.Account(clerk.ID); !there || !got.Person.IsZero() || len(got.Roles) != 2 {
		t.Errorf("%+v", got)
	}
}
