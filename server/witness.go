package server

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/vault"
	"gatehouse/vault/auditlog"

	"golang.org/x/mod/sumdb/tlog"
)

// witnessPath is where a Gatehouse takes other logs' checkpoints (c2sp.org/tlog-witness).
const witnessPath = "/api/v1/witness/add-checkpoint"

// witnessLimit is how long another Gatehouse may take to answer.
const witnessLimit = 10 * time.Second

// witnessLog shows the newest checkpoint to every witness, again and again.
func (s *Server) witnessLog(ctx context.Context) {
	if len(s.config.Audit.Witness) == 0 {
		return
	}
	beat := time.NewTicker(s.config.Audit.WitnessEvery)
	defer beat.Stop()
	for {
		s.showWitnesses(ctx)
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
		}
	}
}

// showWitnesses shows the newest checkpoint to every witness, and reports what goes
// wrong: an alarm each time where a log has lost its past, or a witness its own.
func (s *Server) showWitnesses(ctx context.Context) {
	s.witnessing.Lock()
	defer s.witnessing.Unlock()
	for i, w := range s.config.Audit.Witness {
		err := s.showWitness(ctx, w)
		code := gatehouse.ErrorCode(err)
		switch {
		case ctx.Err() != nil:
			return
		case code == "audit.rolled_back", code == "audit.witness_lost", code == "audit.witness_damaged", code == "audit.cosignature":
			s.alarm(err)
		case err != nil:
			s.log.Warn("a witness could not be shown the audit log", "witness", i+1, "code", code)
		default:
			s.noted.witness(i)
		}
	}
}

// showWitness shows one witness the newest checkpoint, also where it has it as far as
// is known here: a log that was rolled back does not know what it had shown.
func (s *Server) showWitness(ctx context.Context, w WitnessConfig) error {
	signed, err := s.vault.Checkpoint(ctx)
	if err != nil {
		return err
	}
	c, err := auditlog.Peek(signed)
	if err != nil {
		return err
	}
	name := w.Key
	if w.File != "" {
		name = vault.WitnessFileName(w.File)
	}
	known, err := s.vault.WitnessSize(ctx, name)
	if err != nil {
		return err
	}
	if w.File != "" {
		err = s.showFile(ctx, w.File, signed, known)
	} else {
		signed, err = s.showRemote(ctx, w, signed, known, c.Size)
	}
	if err != nil || known == c.Size {
		return err
	}
	return s.vault.WitnessTook(ctx, name, c.Size, signed)
}

func (s *Server) showFile(ctx context.Context, path, signed string, known int64) error {
	vkeys, err := s.vault.VerifierKey(ctx)
	if err != nil {
		return err
	}
	keys, err := auditlog.ParseKeys(vkeys)
	if err != nil {
		return err
	}
	return auditlog.List{Path: path}.Add(signed, keys, known, func(older, newer int64) ([]tlog.Hash, error) {
		return s.vault.Consistency(ctx, older, newer)
	})
}

// showRemote asks another Gatehouse for its cosignature, and returns the checkpoint with
// it. Where the witness has another size than was thought, it is asked once more.
func (s *Server) showRemote(ctx context.Context, w WitnessConfig, signed string, known, size int64) (cosigned string, err error) {
	key, err := auditlog.ParseKey(w.Key)
	if err != nil {
		return "", err
	}
	for range 2 {
		r := auditlog.AddRequest{Old: known, Checkpoint: signed}
		if known > 0 && known < size {
			if r.Proof, err = s.vault.Consistency(ctx, known, size); err != nil {
				return "", err
			}
		}
		answer, has, err := askWitness(ctx, w.URL, r)
		if err != nil {
			return "", err
		}
		if has < 0 {
			return auditlog.AddCosignature(signed, answer, key)
		}
		if has > size {
			return "", auditlog.Consistent(auditlog.Checkpoint{Size: has}, auditlog.Checkpoint{Size: size}, nil)
		}
		known = has
	}
	return "", gatehouse.Errorf("audit.witness_answer", "see whether two sites use one witness under one name", "the witness does not stay with what it says")
}

// askWitness posts a request. has is the size that the witness has where it is not the
// one in the request, -1 otherwise.
func askWitness(ctx context.Context, base string, r auditlog.AddRequest) (answer string, has int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, witnessLimit)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(base, "/")+witnessPath, strings.NewReader(r.Encode()))
	if err != nil {
		return "", -1, gatehouse.Errorf("audit.witness_unreachable", "check `url` in the configuration", "the witness's address is none")
	}
	q.Header.Set("Content-Type", "text/plain; charset=utf-8")
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	w, err := client.Do(q)
	if err != nil {
		var where *url.Error
		if errors.As(err, &where) {
			err = where.Err // the address is not repeated
		}
		return "", -1, gatehouse.Errorf("audit.witness_unreachable", "see whether it runs and can be reached", "the witness does not answer: %w", err)
	}
	defer w.Body.Close()
	b, err := io.ReadAll(io.LimitReader(w.Body, auditlog.MaxRequest))
	if err != nil {
		return "", -1, gatehouse.Errorf("audit.witness_unreachable", "it is asked again", "the witness's answer broke off")
	}
	switch w.StatusCode {
	case http.StatusOK:
		return string(b), -1, nil
	case http.StatusConflict:
		has, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
		if err == nil && has >= 0 {
			return "", has, nil
		}
	case http.StatusForbidden, http.StatusNotFound:
		return "", -1, gatehouse.Errorf("audit.witness_refused", "put the key that `gatehouse audit key` prints here into `audit: witnessed_logs:` there", "the witness does not know this log's key")
	case http.StatusUnprocessableEntity:
		return "", -1, gatehouse.Errorf("audit.rolled_back", "compare the log with its backups: `gatehouse audit verify`", "the log has another past than its witness saw")
	}
	return "", -1, gatehouse.Errorf("audit.witness_answer", "see whether a Gatehouse of this version listens there", "the witness answered with status %d", w.StatusCode)
}

// asWitness answers other logs. It implements api.Witness.
type asWitness struct{ *Server }

// AddCheckpoint cosigns a checkpoint of a log that is configured here.
func (a asWitness) AddCheckpoint(ctx context.Context, body []byte) (cosignature string, has int64, conflict bool, err error) {
	var keys []string
	for _, l := range a.config.Audit.WitnessedLogs {
		keys = append(keys, l.Key)
	}
	if len(keys) == 0 {
		return "", 0, false, gatehouse.Errorf("audit.unknown_log", "put the log's key into `audit: witnessed_logs:` of this site's gatehouse.yml", "this log is not known here")
	}
	reply, err := a.vault.Cosign(ctx, keys, body)
	if gatehouse.ErrorCode(err) == "audit.rolled_back" {
		a.alarm(gatehouse.Errorf("audit.rolled_back", "ask its operator", "a log that this site is a witness for has lost its past"))
	}
	return reply.Line, reply.Size, reply.Conflict, err
}
