package vault

import (
	"math"
	"path/filepath"
	"testing"
	"time"

	"gatehouse"
)

func certificateLeaf() []byte {
	at := time.Now().UTC().Truncate(time.Millisecond)
	return gatehouse.ErasureCertificate{ID: gatehouse.RandomID(), Org: place.Org, Site: place.Site, Subject: gatehouse.RandomID(), ErasedAt: at, FinalAt: at, Chains: 1}.Leaf()
}

// Whoever runs as the server adds nothing to the log that is the vault's to say.
func TestTheGateWritesNoLeafOfTheVaults(t *testing.T) {
	in := install(t)
	for name, leaf := range map[string][]byte{
		"a certificate": certificateLeaf(),
		"a disclosure":  gatehouse.DisclosureLeaf(gatehouse.Disclosure{ID: gatehouse.RandomID(), At: time.Now(), Operator: "x"}, nil),
		"a new key":     gatehouse.EventLeaf(gatehouse.KeyLeafKind, time.Now(), signerRotated, "a", "b", "c"),
		"an erasure":    gatehouse.EventLeaf(gatehouse.EraseLeafKind, time.Now(), eventErasing, "a", "b", "c", "d", "e"),
		"an unsealing":  gatehouse.EventLeaf(gatehouse.VaultLeafKind, time.Now(), eventUnsealed, "x", "1"),
		"an own kind":   gatehouse.EventLeaf("something", time.Now(), "x"),
		"no leaf":       []byte("x"),
	} {
		if err := in.vault.AuditFollow(t.Context(), []FollowedLeaf{{1, leaf}}); gatehouse.ErrorCode(err) != "audit.foreign" {
			t.Errorf("%s: %v", name, err)
		}
	}
	var allowed []FollowedLeaf
	for i, kind := range []gatehouse.LeafKind{gatehouse.PassageLeafKind, gatehouse.OutcomeLeafKind, gatehouse.SubjectLeafKind, gatehouse.StatusLeafKind, gatehouse.ConsentLeafKind, gatehouse.DeviceLeafKind, "account", "sign-in"} {
		allowed = append(allowed, FollowedLeaf{uint64(i + 1), gatehouse.EventLeaf(kind, time.Now(), "x")})
	}
	allowed = append(allowed, FollowedLeaf{50, gatehouse.ReplacedLeaf(time.Now(), place, gatehouse.RandomID())})
	must(t, in.vault.AuditFollow(t.Context(), allowed))
	must(t, in.vault.Close())
	r := in.verified(t)
	in.open(t)
	if !r.OK || r.GateLeaves != int64(len(allowed)) {
		t.Errorf("%+v", r)
	}
}

// A leaf that got into an older log all the same is found, and proves nothing.
func TestAForeignLeafProvesNothing(t *testing.T) {
	in := install(t)
	must(t, in.vault.Close())
	key, err := in.gate.FileKey(filepath.Join(in.options.Dir, auditFile))
	must(t, err)
	a, err := openAudit(t.Context(), in.options.Dir, key)
	must(t, err)
	first, err := a.add(t.Context(), []entry{{1, certificateLeaf()}, {leaf: gateLeaves(0, 1)[0].Leaf}}, nil)
	must(t, err)
	must(t, a.db.Close())
	in.open(t)
	for i := range int64(2) {
		_, err = in.vault.Prove(t.Context(), first+i)
		wantCode(t, err, "audit.foreign")
	}
	must(t, in.vault.Close())
	r := in.verified(t)
	in.open(t)
	foreign := 0
	for _, f := range r.Findings {
		if f.Code == "audit.foreign" {
			foreign++
		}
	}
	if foreign != 2 {
		t.Errorf("%+v", r.Findings)
	}
}

// A leaf that the log cannot take in its order is an error, never silence.
func TestLeavesContinueTheLog(t *testing.T) {
	in := install(t)
	leaves := gateLeaves(0, 50)
	for _, far := range []uint64{math.MaxInt64, math.MaxUint64, 1 << 40, maxGap + 1} {
		err := in.vault.AuditFollow(t.Context(), []FollowedLeaf{{far, leaves[0].Leaf}})
		if code := gatehouse.ErrorCode(err); code != "audit.order" && code != "request.malformed" {
			t.Errorf("position %d: %v", far, err)
		}
	}
	must(t, in.vault.AuditFollow(t.Context(), leaves[10:20]))
	must(t, in.vault.AuditFollow(t.Context(), leaves[10:20]))
	wantCode(t, in.vault.AuditFollow(t.Context(), leaves[:30]), "audit.order") // the first ten were passed over
	wantCode(t, in.vault.AuditFollow(t.Context(), []FollowedLeaf{{leaves[15].Position, leaves[16].Leaf}}), "audit.order")
	must(t, in.vault.AuditFollow(t.Context(), leaves[15:]))
	cursor, err := in.vault.AuditCursor(t.Context())
	must(t, err)
	must(t, in.vault.AuditFollow(t.Context(), []FollowedLeaf{{cursor + maxGap, leaves[0].Leaf}})) // many starts that committed nothing
}
