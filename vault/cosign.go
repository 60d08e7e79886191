package vault

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"strings"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/internal/sealeddb"
	"gatehouse/vault/auditlog"
)

// witnessSize is the size of the newest checkpoint that one of this log's witnesses
// has taken, 0 for none.
func (a *auditDB) witnessSize(ctx context.Context, name string) (size int64, err error) {
	err = a.db.Readers().QueryRowContext(ctx, `SELECT size FROM witnesses WHERE name = ?`, name).Scan(&size)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return size, sealeddb.Wrap(auditFile, err)
}

// WitnessFileName is the name of a witness file in the log's own notes, which hold no
// path.
func WitnessFileName(path string) string {
	if real, err := realPath(path); err == nil {
		path = real
	}
	sum := sha256.Sum256([]byte(path))
	return "file:" + hex.EncodeToString(sum[:16])
}

// witnessTook keeps the checkpoint that a witness has taken.
func (a *auditDB) witnessTook(ctx context.Context, w witnessTook) error {
	return a.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO witnesses (name, size, note) VALUES (?, ?, ?)
			ON CONFLICT (name) DO UPDATE SET size = excluded.size, note = excluded.note WHERE excluded.size > size`, w.Name, w.Size, w.Note)
		return err
	})
}

// cosign answers another log as its witness (https://c2sp.org/tlog-witness): what it
// has seen of the log is durable before the cosignature leaves. keys are the verifier
// keys of the logs that are known here. Errors: request.malformed, audit.unknown_log,
// audit.signature, audit.rolled_back.
func (a *auditDB) cosign(ctx context.Context, keys []string, body string) (reply CosignReply, err error) {
	r, err := auditlog.ParseAddRequest(body)
	if err != nil {
		return reply, err
	}
	claimed, err := auditlog.Peek(r.Checkpoint)
	if err != nil {
		return reply, gatehouse.Errorf("request.malformed", "send a signed checkpoint", "this is no request to a witness: %w", err)
	}
	var own []string
	for _, key := range keys {
		if k, err := auditlog.ParseKey(key); err == nil && k.Name() == claimed.Origin && !k.IsWitness() {
			own = append(own, key)
		}
	}
	if len(own) == 0 {
		return reply, gatehouse.Errorf("audit.unknown_log", "put the log's key into `audit: witnessed_logs:` of this site's gatehouse.yml", "this log is not known here")
	}
	known, err := auditlog.ParseKeys(strings.Join(own, "\n"))
	if err != nil {
		return reply, err
	}
	newer, err := auditlog.Open(r.Checkpoint, known)
	if err != nil {
		return reply, err
	}
	if r.Old > newer.Size {
		return reply, gatehouse.Errorf("request.malformed", "send the size that the witness has", "the old size is greater than the checkpoint's")
	}
	a.mu.Lock()
	witness := a.signer.witness
	a.mu.Unlock()
	line, cosigned, err := auditlog.Cosign(r.Checkpoint, witness)
	if err != nil {
		return reply, err
	}
	err = a.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		older := auditlog.Checkpoint{Origin: newer.Origin}
		var have string
		err := tx.QueryRowContext(ctx, `SELECT note FROM witnessed WHERE origin = ?`, newer.Origin).Scan(&have)
		if err == nil {
			older, err = auditlog.Peek(have)
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if older.Size != r.Old {
			reply = CosignReply{Conflict: true, Size: older.Size}
			return nil
		}
		if err := auditlog.Consistent(older, newer, r.Proof); err != nil {
			return err
		}
		reply = CosignReply{Line: line, Size: newer.Size}
		_, err = tx.ExecContext(ctx, `INSERT OR REPLACE INTO witnessed (origin, size, note) VALUES (?, ?, ?)`, newer.Origin, newer.Size, cosigned)
		return err
	})
	if err != nil {
		return CosignReply{}, err
	}
	return reply, nil
}

func (s *service) handleWitnessSize(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var name string
	if err := r.Decode(&name); err != nil {
		return nil, nil, err
	}
	size, err := s.audit.witnessSize(ctx, name)
	return size, nil, err
}

func (s *service) handleWitnessTook(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var w witnessTook
	if err := r.Decode(&w); err != nil {
		return nil, nil, err
	}
	if w.Name == "" || len(w.Name) > 1000 || len(w.Note) > auditlog.MaxRequest {
		return nil, nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "a witness needs a name")
	}
	return nil, nil, s.audit.witnessTook(ctx, w)
}

func (s *service) handleWitnessCosign(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var keys []string
	if err := r.Decode(&keys); err != nil {
		return nil, nil, err
	}
	if len(r.Blobs) != 1 {
		return nil, nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "the request is missing")
	}
	reply, err := s.audit.cosign(ctx, keys, string(r.Blobs[0]))
	return reply, nil, err
}
