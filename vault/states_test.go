package vault

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/vault/budget"
)

// withAudit opens the vault's audit file as who has the gate key can, while the vault
// process does not run.
func (in *installation) withAudit(t testing.TB, f func(a *auditDB)) {
	t.Helper()
	must(t, in.vault.Close())
	defer in.open(t)
	key, err := in.gate.FileKey(filepath.Join(in.options.Dir, auditFile))
	must(t, err)
	a, err := openAudit(context.Background(), in.options.Dir, key)
	must(t, err)
	defer func() { must(t, a.db.Close()) }()
	f(a)
}

func (in *installation) states(t testing.TB) (control, levels []byte) {
	t.Helper()
	in.withAudit(t, func(a *auditDB) {
		var err error
		control, err = a.state(t.Context(), controlState)
		must(t, err)
		levels, err = a.state(t.Context(), levelState)
		must(t, err)
	})
	return control, levels
}

func putBack(name string, sealed []byte) string {
	return fmt.Sprintf(`UPDATE control SET sealed = x'%x' WHERE name = '%s'`, sealed, name)
}

// The sealed state put back alone gives no budget and lifts no canary, also where a
// leaf is forged for it; verifying finds it with the files alone.
func TestAnEarlierStateIsNotTaken(t *testing.T) {
	in := install(t)
	in.limit(t, small)
	in.staff(t, "ana-1", "ben-2")
	bird, name := in.part(t, in.plant(t), "subjects", "record"), in.name(t, "somebody")
	control, levels := in.states(t)
	witness := filepath.Join(t.TempDir(), "witness")
	total := 0
	spend := func() {
		t.Helper()
		proof := in.unseal(t)
		for range 40 {
			n, err := in.ask(t, operator, "", "person", proof, name)
			if total += n; err != nil {
				break
			}
		}
	}
	findings := func() int {
		t.Helper()
		in.witnessed(t, witness)
		must(t, in.vault.Close())
		defer in.open(t)
		return len(in.verified(t, witness).Findings)
	}
	spend()
	if n := findings(); n > 0 || total < small.Operator.Hour {
		t.Fatalf("as it should be, with %d names: %d findings", total, n)
	}
	forged := func(a *auditDB, name string, sealed []byte) {
		leaf := gatehouse.WithStates(gatehouse.EventLeaf(gatehouse.PolicyLeafKind, time.Now(), controlChanged),
			[]gatehouse.StateDigest{{Name: name, Digest: sha256.Sum256(sealed)}})
		_, err := a.commit(t.Context(), []entry{{leaf: leaf}}, nil)
		must(t, err)
	}
	for _, forge := range []bool{false, true} {
		in.edit(t, putBack(levelState, levels))
		if forge {
			in.withAudit(t, func(a *auditDB) { forged(a, levelState, levels) })
		}
		if findings() == 0 {
			t.Errorf("the levels were put back, forged %v, and verifying finds nothing", forge)
		}
		spend()
	}
	if total > small.Operator.Hour+mostRefilled {
		t.Errorf("%d names came out of a budget of %d", total, small.Operator.Hour)
	}
	must(t, in.vault.SetLimits(t.Context(), operator, phrase(passphrase), plenty, false))
	_, err := in.ask(t, operator, "", "person", in.unseal(t), bird)
	wantCode(t, err, "vault.canary")
	in.edit(t, putBack(controlState, control), putBack(levelState, levels), `DELETE FROM trips`)
	_, _, err = in.vault.Unseal(t.Context(), operator, passphrase, time.Hour)
	wantCode(t, err, "vault.altered")
	// Nor does one person begin anew what a canary shut.
	wantCode(t, in.vault.SetLimits(t.Context(), operator, phrase(passphrase), plenty, true), "vault.canary")
	in.withAudit(t, func(a *auditDB) { forged(a, controlState, control); forged(a, levelState, levels) })
	_, _, err = in.vault.Unseal(t.Context(), operator, passphrase, time.Hour)
	wantCode(t, err, "vault.altered")
	if findings() == 0 {
		t.Error("verifying finds nothing")
	}
}

// A canary token that was shown while the vault was sealed is remembered by the log.
func TestATripWhileSealedIsInTheLog(t *testing.T) {
	in := install(t)
	in.staff(t, "ana-1", "ben-2")
	must(t, in.vault.PlantCanary(t.Context(), operator, phrase(passphrase), Canary{Kind: "token", Digest: TokenDigest("the token")}))
	wantCode(t, in.vault.ShowToken(t.Context(), "the token", "cam-1"), "vault.canary")
	in.edit(t, `DELETE FROM trips`)
	_, err := in.vault.Canaries(t.Context(), operator, phrase(passphrase))
	must(t, err)
	must(t, in.vault.SetLimits(t.Context(), operator, phrase(passphrase), small, false))
	in.edit(t, `DELETE FROM trips`)
	_, _, err = in.vault.Unseal(t.Context(), operator, passphrase, time.Hour)
	wantCode(t, err, "vault.canary")
}

// The file that says that a vault was never unsealed is worth nothing once it was.
func TestGenesisCountsOnce(t *testing.T) {
	in := &installation{data: t.TempDir(), gateFile: filepath.Join(t.TempDir(), "gate.key")}
	must(t, CreateGateKey(in.data, in.gateFile))
	var err error
	in.gate, err = OpenGateKey(in.data, in.gateFile)
	must(t, err)
	in.options = Options{Dir: filepath.Join(in.data, "vault"), Place: place, Gate: in.gate}
	must(t, Init(in.options.Dir, passphrase))
	genesis, err := os.ReadFile(filepath.Join(in.options.Dir, genesisFile))
	must(t, err)
	in.open(t)
	t.Cleanup(func() { must(t, in.vault.Close()) })
	in.staff(t, "ana-1", "ben-2")
	record := in.part(t, in.plant(t), "subjects", "record")
	_, err = in.ask(t, operator, "", "person", in.unseal(t), record)
	wantCode(t, err, "vault.canary")
	must(t, os.WriteFile(filepath.Join(in.options.Dir, genesisFile), genesis, 0o600))
	in.edit(t, `DELETE FROM trips`, `DELETE FROM control`)
	_, _, err = in.vault.Unseal(t.Context(), operator, passphrase, time.Hour)
	wantCode(t, err, "vault.altered")
	wantCode(t, in.vault.SetLimits(t.Context(), operator, phrase(passphrase), budget.Limits{}, true), "vault.canary")
	must(t, in.vault.Close())
	if r := in.verified(t); r.OK {
		t.Error("verifying finds nothing")
	}
	in.open(t)
}

// What lies open beside the sealed control is compared with the log, and put right when
// the vault is unsealed.
func TestEditedCopiesAreFound(t *testing.T) {
	b := newBulk(t, 1)
	in := b.installation
	must(t, in.vault.PlantCanary(t.Context(), operator, phrase(passphrase), Canary{Kind: "token", Digest: TokenDigest("the token")}))
	b.request(t)
	wantCode(t, in.vault.ShowToken(t.Context(), "the token", "cam-1"), "vault.canary")
	trip, err := in.vault.Tripped(t.Context())
	must(t, err)
	must(t, in.sign(t, b.staff["ana-1"], trip))
	must(t, in.sign(t, b.staff["ben-2"], trip))
	in.unseal(t)
	witness := filepath.Join(t.TempDir(), "witness")
	in.witnessed(t, witness)
	must(t, in.vault.Close())
	if r := in.verified(t, witness); !r.OK {
		t.Fatalf("as it was left: %v", r.Findings)
	}
	whole := in.files(t)
	digest := hex.EncodeToString(TokenDigest("another"))
	for name, statement := range map[string]string{
		"operator's key":     `UPDATE operators SET salt = zeroblob(16) WHERE name = 'ana-1'`,
		"operator older":     `UPDATE operators SET added = 1`,
		"operator gone":      `DELETE FROM operators WHERE name = 'ana-1'`,
		"token gone":         `DELETE FROM canary_tokens`,
		"another token":      `INSERT INTO canary_tokens VALUES (x'` + digest + `', '', 0)`,
		"trip gone":          `DELETE FROM trips`,
		"trip's device":      `UPDATE trips SET device = 'cam-2'`,
		"trip not lifted":    `UPDATE trips SET lifted = 0`,
		"signature gone":     `DELETE FROM lifts WHERE operator = 'ana-1'`,
		"signature":          `UPDATE lifts SET signature = zeroblob(64)`,
		"release gone":       `DELETE FROM releases`,
		"release's approver": `UPDATE releases SET approver = 'cy-3', approved = 1`,
		"release's body":     `UPDATE releases SET body = x'00'`,
		"levels gone":        `DELETE FROM control WHERE name = 'levels'`,
		"control gone":       `DELETE FROM control WHERE name = 'control'`,
	} {
		in.restore(t, whole)
		in.alter(t, auditFile, "audit", statement)
		r := in.verified(t, witness)
		found := false
		for _, f := range r.Findings {
			found = found || f.Code == "audit.control"
		}
		if !found {
			t.Errorf("%s: verifying finds %v", name, r.Findings)
		}
	}
	in.restore(t, whole)
	in.alter(t, auditFile, "audit", `DELETE FROM canary_tokens`)
	in.open(t)
	in.unseal(t)
	alarms, err := in.vault.Alarms(t.Context())
	must(t, err)
	if n := len(alarms); n == 0 || alarms[n-1].Alarm.Kind != gatehouse.AlteredAlarm || !strings.Contains(alarms[n-1].Alarm.Sentence(), "put right") {
		t.Errorf("alarms %+v", alarms)
	}
	wantCode(t, in.vault.ShowToken(t.Context(), "the token", "cam-1"), "vault.canary")
}
