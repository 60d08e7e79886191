package gatehouse

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// The whole matrix, written out a second time: who changes the table changes this, too,
// and sees what it means. A dot is no, an x is yes.
const matrix = `
                    guard manager hr parking privacy admin auditor employee device integration
see-live              x     x     .     x       .      .      .        .      .       .
see-passages          x     x     .     x       x      .      .        .      .       x
disclose-passages     x     x     .     x       x      .      .        .      .       .
see-evidence          .     x     .     x       x      .      .        .      .       .
search                .     x     .     .       x      .      .        .      .       .
see-people            .     x     x     .       x      .      .        .      .       x
disclose-people       .     x     x     .       x      .      .        .      .       .
enrol                 .     x     x     .       .      .      .        .      .       x
suspend               .     x     x     .       .      .      .        .      .       x
edit-records          .     x     x     .       x      .      .        .      .       x
request-releases      .     x     .     .       .      .      .        .      .       .
approve-releases      .     .     .     .       x      .      .        .      .       .
erase                 .     .     .     .       x      .      .        .      .       x
hold                  .     .     .     .       x      .      .        .      .       .
privacy               .     .     .     .       x      .      .        .      .       .
unseal                .     x     x     .       x      .      .        .      .       .
seal                  x     x     x     x       x      x      .        .      .       .
devices               .     x     .     .       .      x      .        .      .       x
gates                 .     x     .     .       .      x      .        .      .       .
open-remotely         x     x     .     x       .      .      .        .      .       .
alarms                x     x     .     x       x      x      .        .      .       .
rules                 .     x     .     .       .      x      .        .      .       .
settings              .     .     .     .       .      x      .        .      .       .
keys                  .     .     .     .       .      x      .        .      .       .
budget                .     .     .     .       x      .      .        .      .       .
canaries              .     .     .     .       x      .      .        .      .       .
backups               .     .     .     .       .      x      .        .      .       .
see-books             .     x     .     x       .      .      .        .      .       x
books                 .     x     .     x       .      .      .        .      .       .
status                .     x     .     .       .      x      .        .      .       x
audit-log             .     .     .     .       x      x      x        .      .       .
see-disclosures       .     .     .     .       x      .      x        .      .       x
accounts              .     .     .     .       .      x      .        .      .       .
programs              .     .     .     .       .      x      .        .      .       .
own-account           x     x     x     x       x      x      x        x      .       .
see-parking           .     x     .     x       .      x      .        .      .       x
handle-stays          .     x     .     x       .      .      .        .      .       x
parking               .     x     .     .       .      x      .        .      .       .
send-captures         .     .     .     .       .      .      .        .      x       .
see-hours             .     x     x     .       .      .      .        .      .       x
decide-hours          .     x     x     .       .      .      .        .      .       .
plan-hours            .     x     x     .       .      .      .        .      .       x
pay-periods           .     .     x     .       .      .      .        .      .       .
own-hours             .     .     .     .       .      .      .        x      .       .`

func TestWhoMayDoWhat(t *testing.T) {
	lines := strings.Split(strings.TrimPrefix(matrix, "\n"), "\n")[1:]
	if len(lines) != len(Permissions) {
		t.Fatalf("the matrix has %d lines, and there are %d permissions", len(lines), len(Permissions))
	}
	for i, line := range lines {
		f := strings.Fields(line)
		if len(f) != 1+len(Roles) || f[0] != string(Permissions[i]) {
			t.Fatalf("line %d is about %q, and the permission is %q", i, f[0], Permissions[i])
		}
		for j, role := range Roles {
			if got := role.May(Permissions[i]); got != (f[1+j] == "x") {
				t.Errorf("%s %s: %t", role, Permissions[i], got)
			}
		}
	}
	for role, list := range grants {
		for _, p := range list {
			if !slices.Contains(Permissions, p) || !slices.Contains(Roles, role) {
				t.Errorf("%s has %q, which is not listed", role, p)
			}
			if role == IntegrationRole && slices.Contains([]Permission{SeeLive, DisclosePassages, SeeEvidence, SearchArchive, DisclosePeople, Unseal, SealVault, OpenRemotely, ManageKeys, ManageAccounts, OwnAccount}, p) {
				t.Errorf("an access token could be given %s: it opens nothing and is nobody", p)
			}
			if p.Personal() && (role == Administrator || role == Auditor) {
				t.Errorf("%s has personal data by role alone: %s", role, p)
			}
		}
	}
	han := func(s string) bool {
		return strings.IndexFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) }) >= 0
	}
	for _, p := range Permissions {
		if p.Sentence("en") == "" || han(p.Sentence("en")) || !han(p.Sentence("zh")) {
			t.Errorf("%s has no sentence in both languages", p)
		}
	}
	for _, r := range Roles {
		if r.Sentence("en") == "" || !han(r.Sentence("zh")) {
			t.Errorf("%s has no name in both languages", r)
		}
	}
}

func TestWhereARoleCounts(t *testing.T) {
	here := Place{Org: "acme", Site: "north"}
	guard := Account{Org: "acme", Roles: []Assignment{{Role: Guard, Site: "north", Gates: []GateID{"front", "back"}}}}
	for name, c := range map[string]struct {
		account Account
		at      Place
		gates   []GateID
		all     bool
	}{
		"own gates":          {guard, here, []GateID{"back", "front"}, false},
		"another site":       {guard, Place{Org: "acme", Site: "south"}, []GateID{}, false},
		"another tenant":     {guard, Place{Org: "other", Site: "north"}, []GateID{}, false},
		"no gate":            {Account{Org: "acme", Roles: []Assignment{{Role: Guard}}}, here, []GateID{}, false},
		"every site":         {Account{Org: "acme", Roles: []Assignment{{Role: SiteManager}}}, here, nil, true},
		"tenant's namesake":  {Account{Org: "acme2", Roles: []Assignment{{Role: SiteManager}}}, here, []GateID{}, false},
		"guard and manager":  {Account{Org: "acme", Roles: append([]Assignment{{Role: SiteManager, Site: "north"}}, guard.Roles...)}, here, nil, true},
		"another permission": {Account{Org: "acme", Roles: append([]Assignment{{Role: HR}}, guard.Roles...)}, here, []GateID{"back", "front"}, false},
	} {
		g := c.account.Gates(SeeLive, c.at)
		if got := g.List(); !slices.Equal(got, c.gates) || g.All() != c.all {
			t.Errorf("%s: %v, all %t", name, got, g.All())
		}
		if _, may := c.account.May(SeeLive, c.at); may != (c.all || len(c.gates) > 0 || name == "no gate") {
			t.Errorf("%s: may %t", name, may)
		}
	}
	if AllGates().Has("new") == SomeGates("front").Has("new") || !SomeGates("front").Has("front") {
		t.Error("a set of gates holds what it should not, or the other way round")
	}
}

func TestAnAccountsNameIsRedacted(t *testing.T) {
	a := Account{ID: RandomID(), Login: "guard-7", Name: "Mei Lin"}
	k := AccountKeys{TOTP: "JBSWY3DPEHPK3PXP"}
	var b strings.Builder
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "a", a, "p", &a, "k", k, "kp", &k, "name", a.Name)
	fmt.Fprintf(&b, "%v %+v %v %+v", a, a, k, &k)
	if s := b.String(); strings.Contains(s, "Mei") || strings.Contains(s, "JBSW") || strings.Contains(s, "guard-7") {
		t.Errorf("it shows: %s", s)
	}
}
