package vault

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/internal/sealeddb"
)

const (
	methodErase    = "erase"    // header eraseRequest, attachment: proof; reply int
	methodCertify  = "certify"  // header certifyRequest; reply certifyReply
	methodErasable = "erasable" // header erasableRequest; reply gatehouse.Erasable
)

type eraseRequest struct {
	Place    gatehouse.Place
	ID       gatehouse.ID
	Subject  gatehouse.SubjectID
	Operator string
	Reason   string
}

type certifyRequest struct {
	ID       gatehouse.ID
	Passages int
}

type certifyReply struct {
	Certificate gatehouse.ErasureCertificate
	Index       int64
}

type erasableRequest struct {
	Place   gatehouse.Place
	Subject gatehouse.SubjectID
}

// How many subjects are erased in an hour: by a server that nobody gave a proof, and
// by an operator who has unsealed the vault. So a stolen server can destroy little
// before it is noticed; what it destroys is in the log.
const (
	erasedWithoutProof = 20
	erasedWithProof    = 1000
)

// Erase deletes a subject's rows in the key store and says how many there were:
// everything that was ever sealed for it is noise from then on, in every copy. What is
// sealed for it afterwards is noise from the start: an erased id is not used again.
// The erasure is in the audit log before anything is deleted; a request with the id
// of an earlier one carries that one on. Errors: vault.held (the message says until
// when), vault.erase_limit, vault.operator, vault.reason, vault.forbidden,
// vault.unavailable, vault.timeout, and the store's.
func (v *Vault) Erase(ctx context.Context, r gatehouse.EraseRequest) (chains int, err error) {
	drop := func() {
		v.live.drop(func(k chainKey) bool { return k.Place == r.Place && k.subject == r.Subject })
	}
	drop()
	request := eraseRequest{Place: r.Place, ID: r.ID, Subject: r.Subject, Operator: r.Operator, Reason: r.Reason}
	_, err = v.process.Call(ctx, methodErase, request, [][]byte{r.Proof}, &chains)
	drop() // one that was begun meanwhile has no row
	return chains, err
}

// Certify ends an erasure: everything else is done, and passages stay under another
// id. It computes from when on no backup can bring the keys back, writes that into the
// audit log, and says at which index. Repeated, it gives the same answer. It waits until
// what was erased is in no file of the vault: the search index of a sealed vault is thrown
// away for that. Errors: erase.unknown, erase.waiting (a backup reads the key store; ask
// again later), index.opening, vault.unavailable, vault.timeout, and the store's.
func (v *Vault) Certify(ctx context.Context, id gatehouse.ID, passages int) (c gatehouse.ErasureCertificate, index int64, err error) {
	var reply certifyReply
	_, err = v.process.Call(ctx, methodCertify, certifyRequest{ID: id, Passages: passages}, nil, &reply)
	return reply.Certificate, reply.Index, err
}

// Erasable says what an erasure would find. Errors: vault.unavailable, vault.timeout,
// and the store's.
func (v *Vault) Erasable(ctx context.Context, place gatehouse.Place, subject gatehouse.SubjectID) (gatehouse.Erasable, error) {
	var e gatehouse.Erasable
	_, err := v.process.Call(ctx, methodErasable, erasableRequest{Place: place, Subject: subject}, nil, &e)
	return e, err
}

// erasureHandlers are the vault process's side.
func (s *service) erasureHandlers() map[string]child.Handler {
	return map[string]child.Handler{methodErase: s.handleErase, methodCertify: s.handleCertify, methodErasable: s.handleErasable, methodNoise: s.handleNoise}
}

func (s *service) handleErase(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in eraseRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	if in.ID.IsZero() || in.Subject.IsZero() || len(r.Blobs) != 1 {
		return nil, nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "an erasure has an id, a subject and a place for the proof")
	}
	if err := checkOperator(in.Operator); err != nil {
		return nil, nil, err
	}
	if len(in.Reason) > maxReason {
		return nil, nil, gatehouse.Errorf("vault.reason", "shorten it", "a reason has at most %d bytes", maxReason)
	}
	s.destroying.Lock()
	defer s.destroying.Unlock()
	ctx = context.WithoutCancel(ctx) // its answer is the truth
	now := time.Now()
	begun, err := s.audit.erasureBegun(ctx, in)
	if err != nil {
		return nil, nil, err
	}
	if !begun {
		// One that is over would be forgotten with the subject, and no leaf say that it ended.
		if _, err := s.endHolds(ctx, now); err != nil {
			return nil, nil, err
		}
		if err := s.keys.refuseHeld(ctx, in.Place, in.Subject, now); err != nil {
			return nil, nil, err
		}
		if err := s.mayErase(ctx, in.Operator, r.Blobs[0], now); err != nil {
			return nil, nil, err
		}
		if err := s.audit.beginErasure(ctx, in, now); err != nil {
			return nil, nil, err
		}
		s.erasedAt = append(s.erasedAt, now)
	}
	n, err := s.keys.erase(ctx, in.ID, in.Place, in.Subject, now)
	return n, nil, err
}

// mayErase keeps the number of erasures in an hour, by the monotonic clock for those
// of this process and by the wall clock for those of earlier ones.
func (s *service) mayErase(ctx context.Context, operator string, proof []byte, now time.Time) error {
	limit := erasedWithoutProof
	if len(proof) > 0 {
		if _, err := s.room.admit(operator, proof); err != nil {
			return err
		}
		limit = erasedWithProof
	}
	s.erasedAt = slices.DeleteFunc(s.erasedAt, func(at time.Time) bool { return now.Sub(at) >= time.Hour })
	logged, err := s.audit.erasuresSince(ctx, now.Add(-time.Hour))
	if err != nil {
		return err
	}
	if max(logged, len(s.erasedAt)) >= limit {
		return gatehouse.Errorf("vault.erase_limit", "wait an hour, or unseal the vault first: then more are erased", "%d subjects were erased within an hour", limit)
	}
	return nil
}

func (s *service) handleCertify(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in certifyRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	s.destroying.Lock()
	defer s.destroying.Unlock()
	ctx = context.WithoutCancel(ctx)
	chains, err := s.keys.erasedChains(ctx, in.ID)
	if err != nil {
		return nil, nil, err
	}
	c, leaf, err := s.audit.certificate(ctx, in.ID)
	if err != nil || leaf.Valid {
		return certifyReply{c, leaf.Int64}, nil, err
	}
	if err := s.erasedEverywhere(ctx); err != nil {
		return nil, nil, err
	}
	c, index, err := s.audit.certify(ctx, in.ID, chains, in.Passages, time.Now())
	return certifyReply{c, index}, nil, err
}

// emptyWithin is how long a certificate waits for the key store's log.
const emptyWithin = 3 * time.Second

// erasedEverywhere returns nil once what was erased is in no file of the vault any more:
// in no page of the index, and neither in the key store nor in its log, which is not
// emptied while a backup reads an older state. It fails with erase.waiting.
func (s *service) erasedEverywhere(ctx context.Context) error {
	if err := s.index.forget(ctx); err != nil {
		return err
	}
	for until := time.Now().Add(emptyWithin); ; {
		emptied, err := s.keys.db.Checkpoint(ctx)
		if err != nil || emptied {
			return err
		}
		if time.Now().After(until) {
			return gatehouse.Errorf("erase.waiting", "it is certified when the backup has ended", "the key store is being copied, so that what was erased cannot leave its file yet")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (s *service) handleErasable(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in erasableRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	var e gatehouse.Erasable
	row := s.keys.db.Readers().QueryRowContext(ctx, `SELECT (SELECT count(*) FROM chains WHERE kind = 'subject' AND org = ?1 AND site = ?2 AND subject = ?3),
		(SELECT count(*) FROM removals WHERE kind = 'subject' AND org = ?1 AND site = ?2 AND subject = ?3) > 0`,
		string(in.Place.Org), string(in.Place.Site), in.Subject[:])
	if err := row.Scan(&e.Chains, &e.Erased); err != nil {
		return nil, nil, sealeddb.Wrap(keyStoreFile, err)
	}
	var final int64
	if err := s.audit.db.Readers().QueryRowContext(ctx, `SELECT coalesce(max(final_at), 0) FROM erasures WHERE org = ? AND site = ? AND subject = ? AND leaf IS NOT NULL`,
		string(in.Place.Org), string(in.Place.Site), in.Subject[:]).Scan(&final); err != nil {
		return nil, nil, sealeddb.Wrap(auditFile, err)
	}
	if final > 0 {
		e.FinalAt = time.UnixMilli(final).UTC()
	}
	holds, err := s.keys.holds(ctx, in.Place, time.Now())
	e.Holds = slices.DeleteFunc(holds, func(h gatehouse.Hold) bool { return h.Subject != in.Subject && h.Day == "" })
	return e, nil, err
}

// erase deletes the rows, notes the removal and counts, in one transaction.
func (k *keyStore) erase(ctx context.Context, id gatehouse.ID, place gatehouse.Place, subject gatehouse.SubjectID, now time.Time) (deleted int, err error) {
	err = k.db.Write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, noteRemoval, now.UnixMilli(), string(place.Org), string(place.Site), string(subjectChain), subject[:], "", ""); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `DELETE FROM chains WHERE kind = 'subject' AND org = ? AND site = ? AND subject = ?`,
			string(place.Org), string(place.Site), subject[:])
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return err
		}
		deleted = int(n)
		for _, forget := range append([]string{forgetAlias}, forgetHolds...) {
			if _, err := tx.ExecContext(ctx, forget, string(place.Org), string(place.Site), subject[:]); err != nil {
				return err
			}
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO erasures (id, chains) VALUES (?, ?) ON CONFLICT DO UPDATE SET chains = chains + excluded.chains`, id[:], deleted)
		return err
	})
	if err == nil {
		_, err = k.db.Checkpoint(ctx)
	}
	return deleted, err
}

func (k *keyStore) erasedChains(ctx context.Context, id gatehouse.ID) (chains int, err error) {
	err = k.db.Readers().QueryRowContext(ctx, `SELECT chains FROM erasures WHERE id = ?`, id[:]).Scan(&chains)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, errUnknownErasure()
	}
	return chains, sealeddb.Wrap(keyStoreFile, err)
}

func errUnknownErasure() error {
	return gatehouse.Errorf("erase.unknown", "check its id", "there was no such erasure")
}

// erasureBegun reports whether the erasure is in the log already; it fails where that
// id stands for another one.
func (a *auditDB) erasureBegun(ctx context.Context, in eraseRequest) (bool, error) {
	var org, site string
	var subject []byte
	err := a.db.Readers().QueryRowContext(ctx, `SELECT org, site, subject FROM erasures WHERE id = ?`, in.ID[:]).Scan(&org, &site, &subject)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, sealeddb.Wrap(auditFile, err)
	}
	if org != string(in.Place.Org) || site != string(in.Place.Site) || [16]byte(subject) != in.Subject {
		return false, gatehouse.Errorf("request.malformed", "this is a fault of the program", "that id stands for another erasure")
	}
	return true, nil
}

// erasing reports whether an erasure of the subject was ever begun.
func (a *auditDB) erasing(ctx context.Context, place gatehouse.Place, subject gatehouse.SubjectID) (begun bool, err error) {
	err = a.db.Readers().QueryRowContext(ctx, `SELECT count(*) > 0 FROM erasures WHERE org = ? AND site = ? AND subject = ?`,
		string(place.Org), string(place.Site), subject[:]).Scan(&begun)
	return begun, sealeddb.Wrap(auditFile, err)
}

// beginErasure writes who asked for it, and why, before anything is deleted.
func (a *auditDB) beginErasure(ctx context.Context, in eraseRequest, now time.Time) error {
	reason, err := a.reasons.seal(ctx, a.reasons.of("erasures", in.ID), now, in.Reason)
	if err != nil {
		return err
	}
	leaf := gatehouse.EventLeaf(gatehouse.EraseLeafKind, now, eventErasing, in.ID.String(), string(in.Place.Org), string(in.Place.Site), in.Operator, digestOf(reason))
	_, err = a.record(ctx, leaf, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO erasures (id, org, site, subject, begun, operator, reason) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			in.ID[:], string(in.Place.Org), string(in.Place.Site), in.Subject[:], now.UnixMilli(), in.Operator, reason)
		return err
	})
	return err
}

func (a *auditDB) erasuresSince(ctx context.Context, since time.Time) (n int, err error) {
	err = a.db.Readers().QueryRowContext(ctx, `SELECT count(*) FROM erasures WHERE begun > ?`, since.UnixMilli()).Scan(&n)
	return n, sealeddb.Wrap(auditFile, err)
}

// certify completes an erasure's row, and its leaf commits to it.
func (a *auditDB) certify(ctx context.Context, id gatehouse.ID, chains, passages int, now time.Time) (c gatehouse.ErasureCertificate, index int64, err error) {
	c, leaf, err := a.certificate(ctx, id)
	if err != nil || leaf.Valid {
		return c, leaf.Int64, err
	}
	final, err := a.lastBundle(ctx)
	if err != nil {
		return c, 0, err
	}
	c.ErasedAt = now.UTC().Truncate(time.Millisecond)
	c.Chains, c.Passages, c.FinalAt = chains, passages, c.ErasedAt
	if final.After(c.FinalAt) {
		c.FinalAt = final
	}
	index, err = a.record(ctx, c.Leaf(), func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE erasures SET erased_at = ?, chains = ?, passages = ?, final_at = ?, leaf = ? WHERE id = ?`,
			c.ErasedAt.UnixMilli(), c.Chains, c.Passages, c.FinalAt.UnixMilli(), a.tree.Size(), id[:]) // which the leaf will be
		return err
	})
	return c, index, err
}

// certificate reads an erasure; leaf is NULL where it has not ended.
func (a *auditDB) certificate(ctx context.Context, id gatehouse.ID) (c gatehouse.ErasureCertificate, leaf sql.NullInt64, err error) {
	return certificateOf(ctx, a.db.Readers(), id)
}

func certificateOf(ctx context.Context, r queryer, id gatehouse.ID) (c gatehouse.ErasureCertificate, leaf sql.NullInt64, err error) {
	c.ID = id
	var subject []byte
	var erased, final int64
	err = r.QueryRowContext(ctx, `SELECT org, site, subject, erased_at, chains, passages, final_at, leaf FROM erasures WHERE id = ?`, id[:]).
		Scan(&c.Org, &c.Site, &subject, &erased, &c.Chains, &c.Passages, &final, &leaf)
	if errors.Is(err, sql.ErrNoRows) {
		return c, leaf, errUnknownErasure()
	}
	if err != nil {
		return c, leaf, sealeddb.Wrap(auditFile, err)
	}
	copy(c.Subject[:], subject)
	c.ErasedAt, c.FinalAt = time.UnixMilli(erased).UTC(), time.UnixMilli(final).UTC()
	return c, leaf, nil
}
