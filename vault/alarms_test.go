package vault

import (
	"testing"
	"time"

	"gatehouse"
)

// With the reasons of a day go the alarms from before it, but none that nobody took over.
func TestOldAlarmsGoWithTheReasons(t *testing.T) {
	in := install(t)
	_, err := in.ask(t, operator, "", "passage", in.unseal(t), in.sealOne(t, gatehouse.RandomID(), "x")) // a reason of today
	must(t, err)
	must(t, in.vault.SetRetention(t.Context(), place, map[gatehouse.RetentionClass]time.Duration{gatehouse.ReasonClass: 24 * time.Hour}))
	must(t, in.vault.Close())
	day := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -40)
	in.alter(t, keyStoreFile, "keys", `INSERT INTO chains (org, site, id, kind, subject, class, day, recipient, created, enc, sealed)
		SELECT org, site, randomblob(16), kind, subject, class, '`+day.Format(time.DateOnly)+`', recipient, created, enc, sealed FROM chains WHERE class = 'reason' LIMIT 1`)
	in.alter(t, auditFile, "audit", `INSERT INTO alarms (id, at, kind, body, taken) VALUES (randomblob(16), 1, 'old', '{}', 1), (randomblob(16), 1, 'nobody took it', '{}', 0),
		(randomblob(16), 9e15, 'new', '{}', 1)`)
	in.open(t)
	if n, err := in.vault.Expire(t.Context(), place, gatehouse.ReasonClass, day); err != nil || n != 1 {
		t.Fatalf("%d, %v", n, err)
	}
	must(t, in.vault.Close())
	r := in.verified(t)
	key, err := in.gate.FileKey(in.options.Dir + "/" + auditFile)
	must(t, err)
	a, err := openAudit(t.Context(), in.options.Dir, key)
	must(t, err)
	var left string
	must(t, a.db.Readers().QueryRow(`SELECT group_concat(kind, ', ') FROM alarms`).Scan(&left))
	must(t, a.db.Close())
	in.open(t)
	if left != "nobody took it, new" || !r.OK {
		t.Errorf("left: %s; %+v", left, r.Findings)
	}
}
