package vault

import (
	"context"
	"database/sql"
	"encoding/json"

	"gatehouse"
	"gatehouse/internal/sealeddb"
)

// What somebody asks to release, and why, is archive data like a reason: the bytes that
// were signed are sealed under the reasons' day chain, and only their summary (who, when,
// how many, to whom) is metadata. The signatures and the log's digest are over the bytes
// with their salt, so they say nothing of the reason either.

// sealedRelease is a request as it is stored.
type sealedRelease struct{ body, summary []byte }

// releaseBody is where the body of a release belongs.
func (r *reasons) releaseBody(id gatehouse.ID) gatehouse.SealContext {
	return gatehouse.SealContext{Place: r.place, Table: "releases", Row: id, Field: "body"}
}

func (a *auditDB) sealRelease(ctx context.Context, q gatehouse.ReleaseRequest, body []byte) (sealedRelease, error) {
	sealed, err := a.reasons.sealBytes(ctx, a.reasons.releaseBody(q.ID), q.At, body, gatehouse.PadRecord)
	if err != nil {
		return sealedRelease{}, err
	}
	q.Salt, q.Reason, q.Items = nil, "", nil
	summary, err := json.Marshal(q)
	return sealedRelease{sealed, summary}, err
}

// openRelease reads a release with what was signed. Errors: release.unknown,
// vault.sealed, release.gone.
func (s *service) openRelease(ctx context.Context, id gatehouse.ID) (releaseRow, error) {
	row, err := s.audit.release(ctx, id)
	if err != nil {
		return row, err
	}
	private, err := s.room.use()
	if err != nil {
		return row, gatehouse.Errorf("vault.sealed", "run `gatehouse unseal` first", "the vault is sealed, and only unsealed it shows what a release asks for")
	}
	plain, err := s.openAll(ctx, private, []gatehouse.SealContext{s.audit.reasons.releaseBody(id)}, [][]byte{row.sealed})
	if err != nil {
		return row, err
	}
	var q gatehouse.ReleaseRequest
	if plain[0] == nil || json.Unmarshal(plain[0], &q) != nil || q.ID != id {
		return row, gatehouse.Errorf("release.gone", "request another one", "what this release asked for has expired, or was altered")
	}
	row.Body, row.Request = plain[0], q
	return row, nil
}

// sealOlderReleases seals what versions before 00008_release_sealed left in clear. The
// pages that held it are overwritten as they are freed (secure_delete).
func (a *auditDB) sealOlderReleases(ctx context.Context) error {
	bodies, err := a.clearReleases(ctx)
	if err != nil {
		return err
	}
	for _, body := range bodies {
		var q gatehouse.ReleaseRequest
		if err := json.Unmarshal(body, &q); err != nil {
			return gatehouse.Errorf("store.damaged", "restore it from a backup", "a release cannot be read")
		}
		n := len(q.Items)
		sealed, err := a.sealRelease(ctx, q, body)
		if err != nil {
			return err
		}
		err = a.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE releases SET body = ?, summary = ?, count = ? WHERE id = ?`, sealed.body, sealed.summary, n, q.ID[:])
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *auditDB) clearReleases(ctx context.Context) (bodies [][]byte, err error) {
	rows, err := a.db.Readers().QueryContext(ctx, `SELECT body FROM releases WHERE summary = ''`)
	if err != nil {
		return nil, sealeddb.Wrap(auditFile, err)
	}
	defer rows.Close()
	for rows.Next() {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			return nil, sealeddb.Wrap(auditFile, err)
		}
		bodies = append(bodies, body)
	}
	return bodies, sealeddb.Wrap(auditFile, rows.Err())
}
