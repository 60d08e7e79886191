package vault

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

// maxPending is how many alarms the server gets at a time.
const maxPending = 100

// pendingAlarms are the oldest alarms that the server has not taken over.
func (a *auditDB) pendingAlarms(ctx context.Context) ([]PendingAlarm, error) {
	rows, err := a.db.Readers().QueryContext(ctx, `SELECT n, body FROM alarms WHERE taken = 0 ORDER BY n LIMIT ?`, maxPending)
	if err != nil {
		return nil, sealeddb.Wrap(auditFile, err)
	}
	defer rows.Close()
	var list []PendingAlarm
	for rows.Next() {
		var p PendingAlarm
		var body string
		if err := rows.Scan(&p.N, &body); err != nil {
			return nil, sealeddb.Wrap(auditFile, err)
		}
		if err := json.Unmarshal([]byte(body), &p.Alarm); err != nil {
			return nil, gatehouse.Errorf("store.damaged", "restore it from a backup", "an alarm cannot be read: %w", err)
		}
		list = append(list, p)
	}
	return list, sealeddb.Wrap(auditFile, rows.Err())
}

// alarmsTaken notes that the server keeps the alarms up to n itself.
func (a *auditDB) alarmsTaken(ctx context.Context, n int64) error {
	return a.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE alarms SET taken = 1 WHERE taken = 0 AND n <= ?`, n)
		return err
	})
}

// dropAlarms takes away the alarms from before a day that the server has taken over; no
// leaf speaks of them.
func (a *auditDB) dropAlarms(ctx context.Context, day time.Time) error {
	return a.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM alarms WHERE taken = 1 AND at < ?`, day.UnixMilli())
		return err
	})
}

func sortCanaries(list []Canary) {
	slices.SortFunc(list, func(a, b Canary) int {
		return cmp.Or(a.Planted.Compare(b.Planted), slices.Compare(a.Subject[:], b.Subject[:]))
	})
}

func itoa(n int) string { return strconv.Itoa(n) }
