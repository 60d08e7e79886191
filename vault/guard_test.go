package vault

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/vault/budget"
)

// small are budgets that a test can spend.
var small = budget.Limits{Operator: budget.Limit{Hour: 30, Day: 40}, Role: budget.Limit{Hour: 50, Day: 60}, Organization: budget.Limit{Hour: 60, Day: 70}, Live: budget.Limit{Hour: 5, Day: 6}}

// mostRefilled is what the small budgets refill while a test runs: less than one unit a minute.
const mostRefilled = 2

func (in *installation) name(t testing.TB, text string) gatehouse.SealedRef {
	t.Helper()
	where := gatehouse.SealContext{Place: place, Table: "subjects", Row: gatehouse.RandomID(), Field: "name"}
	sealed, err := in.vault.Seal(t.Context(), where.Row, gatehouse.RecordClass, where, []byte(text), gatehouse.PadField)
	must(t, err)
	return gatehouse.SealedRef{Where: where, Sealed: sealed}
}

// ask opens refs as somebody and says how many plaintexts came out.
func (in *installation) ask(t testing.TB, who, role, purpose string, proof []byte, refs ...gatehouse.SealedRef) (int, error) {
	t.Helper()
	plain, err := in.vault.Open(t.Context(), gatehouse.OpenRequest{Operator: who, Role: role, Proof: proof, Purpose: purpose, Reason: "test", Refs: refs})
	n := 0
	for _, p := range plain {
		if p != nil {
			n++
		}
	}
	return n, err
}

// edit changes a database of the vault with the keys that the web server has, while
// the vault process does not run.
func (in *installation) edit(t testing.TB, statements ...string) {
	t.Helper()
	must(t, in.vault.Close())
	key, err := in.gate.FileKey(filepath.Join(in.options.Dir, auditFile))
	must(t, err)
	a, err := openAudit(context.Background(), in.options.Dir, key)
	must(t, err)
	must(t, a.db.Write(t.Context(), func(ctx context.Context, tx *sql.Tx) error {
		for _, s := range statements {
			if _, err := tx.ExecContext(ctx, s); err != nil {
				return err
			}
		}
		return nil
	}))
	must(t, a.db.Close())
	in.open(t)
}

// leaves are the audit leaves of a kind: their own parts as text.
func (in *installation) leaves(t testing.TB, kind gatehouse.LeafKind) (all []string) {
	t.Helper()
	in.withAudit(t, func(a *auditDB) {
		rows, err := a.db.Readers().Query(`SELECT leaf FROM leaves ORDER BY n`)
		must(t, err)
		defer rows.Close()
		for rows.Next() {
			var b []byte
			must(t, rows.Scan(&b))
			got, _, parts, err := gatehouse.LeafParts(b)
			must(t, err)
			if got == kind {
				var text []string
				for _, p := range parts {
					text = append(text, string(p))
				}
				all = append(all, strings.Join(text, " "))
			}
		}
		must(t, rows.Err())
	})
	return all
}

func TestBudget(t *testing.T) {
	in := install(t)
	in.limit(t, small)
	names := make([]gatehouse.SealedRef, 10)
	for i := range names {
		names[i] = in.name(t, "somebody")
	}
	proof := in.unseal(t)
	for range 3 {
		if n, err := in.ask(t, operator, "", "person", proof, names...); n != 10 || err != nil {
			t.Fatalf("within the budget: %d, %v", n, err)
		}
	}
	n, err := in.ask(t, operator, "", "person", proof, names[:5]...)
	wantCode(t, err, "vault.budget")
	if n > 0 || !strings.Contains(err.Error(), "5 will be there in 10m0s") && !strings.Contains(err.Error(), "5 will be there in 11m0s") {
		t.Errorf("%d came out, and the error says %v", n, err)
	}
	_, err = in.ask(t, operator, "", "person", proof, in.sealOne(t, gatehouse.RandomID(), "a"), in.sealOne(t, gatehouse.RandomID(), "b"), in.sealOne(t, gatehouse.RandomID(), "c"), in.sealOne(t, gatehouse.RandomID(), "d"))
	if gatehouse.ErrorCode(err) != "vault.budget" || !strings.Contains(err.Error(), "is smaller") {
		t.Errorf("more than the whole budget: %v", err)
	}
	// What was refused is not in the disclosure log, and is in the audit log; one alarm names the session.
	list, err := in.vault.Disclosures(t.Context(), gatehouse.ID{}, 100)
	must(t, err)
	if len(list) != 3 || list[0].Units != 10 {
		t.Errorf("the log holds %+v", list)
	}
	alarms, err := in.vault.Alarms(t.Context())
	must(t, err)
	if len(alarms) != 1 || alarms[0].Alarm.Kind != gatehouse.BudgetAlarm || alarms[0].Alarm.Operator != operator || alarms[0].Alarm.Scope != "operator.hour" {
		t.Errorf("alarms %+v", alarms)
	}
	must(t, in.vault.AlarmsTaken(t.Context(), alarms[0].N))
	if alarms, err = in.vault.Alarms(t.Context()); err != nil || len(alarms) > 0 {
		t.Errorf("taken, and still there: %+v, %v", alarms, err)
	}
	st, err := in.vault.Budget(t.Context(), operator, "")
	must(t, err)
	if !st.Known || st.Limits != small || st.Left[0].Units != 0 || st.Left[0].Scope != budget.Operator {
		t.Errorf("status %+v", st)
	}
	if got := in.leaves(t, gatehouse.RefusalLeafKind); len(got) != 2 || got[0] != "budget op-1  person operator.hour 5" {
		t.Errorf("refusals %q", got)
	}
}

// A process with all that the web server has, the gate key, the files' keys, a proof
// and the socket, reads what it can: it invents operators, roles and purposes, kills
// the vault process, edits and empties its files, and starts it with other limits.
// Somebody unseals the vault again and again. It gets no more than the budget.
func TestTheWebServerGetsNoMoreThanTheBudget(t *testing.T) {
	in := install(t)
	in.limit(t, small)
	names := make([]gatehouse.SealedRef, 7)
	for i := range names {
		names[i] = in.name(t, "somebody")
	}
	total := 0
	raid := func(round string) {
		t.Helper()
		proof := in.unseal(t)
		for i := range 40 {
			for _, purpose := range []string{"person", "live", "passage", "drill"} {
				who := fmt.Sprintf("%s/%s-%d", operator, round, i)
				n, err := in.ask(t, who, fmt.Sprint("role-", i), purpose, proof, names...)
				if total += n; err != nil && gatehouse.ErrorCode(err) != "vault.budget" {
					t.Fatalf("%s: %v", round, err)
				}
				for _, one := range names {
					if n, err = in.ask(t, who, "", purpose, proof, one); err != nil {
						break
					}
					total += n
				}
			}
		}
	}
	raid("first")
	if total < 55 {
		t.Fatalf("only %d came out: this raids nothing", total)
	}
	in.kill()
	in.awaitRestart(t, 1)
	raid("killed")
	in.options.Limits = budget.Limits{Organization: budget.Limit{Hour: 1, Day: 1}}
	in.reopen(t)
	raid("lowered")
	in.options.Limits = plenty
	in.reopen(t)
	raid("raised")
	in.edit(t, `UPDATE control SET sealed = zeroblob(length(sealed)) WHERE name = 'levels'`)
	raid("zeroed")
	in.edit(t, `DELETE FROM control WHERE name = 'levels'`)
	raid("deleted")
	in.edit(t, `DELETE FROM disclosures`, `UPDATE control SET sealed = (SELECT sealed FROM control WHERE name = 'control') WHERE name = 'levels'`)
	raid("exchanged")
	if total > small.Organization.Hour+mostRefilled {
		t.Errorf("%d names came out; the organization's budget is %d", total, small.Organization.Hour)
	}
	// Without its control the vault is shut, whatever else is there.
	in.edit(t, `DELETE FROM control`)
	_, _, err := in.vault.Unseal(t.Context(), operator, passphrase, time.Hour)
	wantCode(t, err, "vault.altered")
	wantCode(t, in.vault.SetLimits(t.Context(), operator, gatehouse.Passphrase([]byte(passphrase)), small, false), "vault.altered")
	wantCode(t, in.vault.SetLimits(t.Context(), operator, gatehouse.Passphrase([]byte("not the passphrase")), small, true), "vault.passphrase")
	must(t, in.vault.SetLimits(t.Context(), operator, gatehouse.Passphrase([]byte(passphrase)), small, true))
	raid("anew")
	if total > small.Organization.Hour+mostRefilled {
		t.Errorf("after beginning anew %d names came out", total)
	}
}

// Another clock on the wall refills nothing: the guard's own only goes forward.
func TestClocksRefillNothing(t *testing.T) {
	in := install(t)
	must(t, in.vault.Close())
	defer in.open(t)
	key, err := in.gate.FileKey(filepath.Join(in.options.Dir, auditFile))
	must(t, err)
	a, err := openAudit(t.Context(), in.options.Dir, key)
	must(t, err)
	defer func() { must(t, a.db.Close()) }()
	public, err := readPublicKey(in.options.Dir)
	must(t, err)
	room, err := newStrongroom(in.options.Dir, public)
	must(t, err)
	a.reasons = &reasons{room: room}
	g, err := newGuard(t.Context(), in.options.Dir, a, nil, room, small)
	must(t, err)
	var now time.Duration
	g.clock = func() time.Duration { return now }
	_, _, err = room.unseal(t.Context(), operator, gatehouse.Passphrase([]byte(passphrase)), time.Hour)
	must(t, err)
	spend := func(at time.Time, units int) error {
		return a.disclose(t.Context(), gatehouse.Disclosure{ID: gatehouse.NewID(at), At: at, Operator: operator, Purpose: "person", Units: units}, nil)
	}
	must(t, spend(time.Now(), 30))
	for _, jump := range []time.Duration{24 * time.Hour, -24 * time.Hour, 10 * 365 * 24 * time.Hour} {
		wantCode(t, spend(time.Now().Add(jump), 2), "vault.budget")
	}
	now = -time.Hour
	wantCode(t, spend(time.Now(), 2), "vault.budget")
	now = 6 * time.Minute
	must(t, spend(time.Now(), 3)) // a tenth of the hour, a tenth of 30
	wantCode(t, spend(time.Now(), 1), "vault.budget")
}

// The configuration lowers what somebody set with the passphrase, and never raises it.
func TestConfigurationOnlyLowers(t *testing.T) {
	in := install(t)
	in.limit(t, small)
	in.options.Limits = budget.Limits{Operator: budget.Limit{Hour: 7}, Organization: budget.Limit{Hour: 9999, Day: 9999}}
	in.reopen(t)
	in.unseal(t)
	st, err := in.vault.Budget(t.Context(), operator, "")
	must(t, err)
	want := small
	want.Operator.Hour = 7
	if st.Limits != want || st.Set != small {
		t.Errorf("in force %+v", st)
	}
	if got := in.leaves(t, gatehouse.PolicyLeafKind); !slices.Contains(got, controlChanged) {
		t.Errorf("policy leaves %q", got)
	}
	wantCode(t, in.vault.SetLimits(t.Context(), operator, gatehouse.Passphrase([]byte(passphrase)), budget.Limits{Role: budget.Limit{Day: -1}}, false), "budget.limit")
}

// A guard's live window is one disclosure a minute, and pays for a name once.
func TestLiveWindow(t *testing.T) {
	in := install(t)
	in.limit(t, small)
	proof := in.unseal(t)
	var names []gatehouse.SealedRef
	for range 7 {
		names = append(names, in.name(t, "somebody"))
	}
	for _, shown := range [][]gatehouse.SealedRef{names[:2], names[:3], names[2:3], names[:4]} {
		if n, err := in.ask(t, operator, "", "live", proof, shown...); n != len(shown) || err != nil {
			t.Fatalf("%d of %d, %v", n, len(shown), err)
		}
	}
	must(t, in.vault.Record(t.Context(), gatehouse.Disclosure{Operator: operator, Purpose: "live", Items: []string{"ring/1/pictures"}, Units: 99}))
	list, err := in.vault.Disclosures(t.Context(), gatehouse.ID{}, 100)
	must(t, err)
	if len(list) != 1 || len(list[0].Items) != 5 || list[0].Units != 5 {
		t.Fatalf("the log holds %+v", list)
	}
	// Five units an hour, four are spent; what a guard looks at otherwise is another budget.
	_, err = in.ask(t, operator, "", "live", proof, names[4:6]...)
	wantCode(t, err, "vault.budget")
	if n, err := in.ask(t, operator, "", "person", proof, names...); n != 7 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	alias := func(ref gatehouse.SealedRef) (alias gatehouse.ID) {
		must(t, in.vault.Close())
		defer in.open(t)
		must(t, withKeyStore(t.Context(), in.options.Dir, in.gate, func(k *keyStore) (err error) {
			alias, err = k.alias(t.Context(), place, ref.Where.Row)
			return err
		}))
		return alias
	}
	if got := in.leaves(t, gatehouse.LiveLeafKind); len(got) != 3 || !strings.Contains(got[0], alias(names[2]).String()) || strings.Contains(got[0], alias(names[0]).String()) {
		t.Errorf("leaves %q", got)
	}
}

// What passed long ago costs on a live window what it costs anywhere; asking for nothing
// gives nothing, costs nothing and writes nothing.
func TestLiveIsAboutNow(t *testing.T) {
	in := install(t)
	in.limit(t, small)
	proof := in.unseal(t)
	detail := func(at time.Time) gatehouse.SealedRef {
		where := gatehouse.SealContext{Place: place, Table: "passages", Row: gatehouse.NewID(at), Field: "detail"}
		sealed, err := in.vault.Seal(t.Context(), gatehouse.RandomID(), gatehouse.PassageClass, where, []byte("AB12 CDE"), gatehouse.PadField)
		must(t, err)
		return gatehouse.SealedRef{Where: where, Sealed: sealed}
	}
	if n, err := in.ask(t, operator, "", "live", proof, detail(time.Now())); n != 1 || err != nil {
		t.Errorf("a passage of now: %d, %v", n, err)
	}
	for _, ago := range []time.Duration{-time.Hour, 11 * time.Minute, 24 * time.Hour} {
		_, err := in.ask(t, operator, "", "live", proof, detail(time.Now().Add(-ago)))
		wantCode(t, err, "vault.budget")
	}
	for _, purpose := range []string{"person", "live", "audit"} {
		if n, err := in.ask(t, operator, "", purpose, proof); n != 0 || err != nil {
			t.Errorf("nothing gives %d, %v", n, err)
		}
	}
	list, err := in.vault.Disclosures(t.Context(), gatehouse.ID{}, 10)
	must(t, err)
	if len(list) != 1 || list[0].Units != 1 {
		t.Errorf("the log holds %+v", list)
	}
}

// A new vault key takes the control with it: while it is unsealed, and where a kill
// came between.
func TestRekeyedControl(t *testing.T) {
	in := install(t)
	in.limit(t, small)
	in.rotate(t, gatehouse.Passphrase([]byte(passphrase)))
	in.reopen(t)
	in.unseal(t)
	status, err := in.vault.Budget(t.Context(), operator, "")
	must(t, err)
	if status.Limits != small {
		t.Errorf("after a rotation the limits are %+v", status.Limits)
	}
	// A rotation that got as far as the new public key: the state is the old key's still.
	must(t, in.vault.Close())
	defer in.open(t)
	key, err := in.gate.FileKey(filepath.Join(in.options.Dir, auditFile))
	must(t, err)
	a, err := openAudit(t.Context(), in.options.Dir, key)
	must(t, err)
	defer func() { must(t, a.db.Close()) }()
	public, err := readPublicKey(in.options.Dir)
	must(t, err)
	room, err := newStrongroom(in.options.Dir, public)
	must(t, err)
	next := openKey{name: "next"}
	random(next.seed[:])
	must(t, room.withKeys(t.Context(), operator, gatehouse.Passphrase([]byte(passphrase)), func(keys openKeys) error {
		got, err := a.loadControl(t.Context(), in.options.Dir, append(openKeys{next}, keys...))
		if err != nil || got.control.Limits != small || got.spent || !got.older {
			t.Errorf("with both keys: %+v, %v", got, err)
		}
		return nil
	}))
	_, err = a.loadControl(t.Context(), in.options.Dir, openKeys{next})
	wantCode(t, err, "vault.altered")
}
