package vault

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
	"gatehouse/internal/sealeddb"
	"gatehouse/vault/approval"

	"filippo.io/age"
)

// A bulk release: one operator signs the request, another one signs that they agree,
// and only then the vault process opens the values, without a budget and each of them
// in the disclosure log. What leaves it is encrypted to the recipients already. What was
// asked for is sealed as reasons are (release_sealed.go), so agreeing needs the vault
// unsealed: nobody agrees to what they were not shown.
const (
	methodReleases       = "releases"        // reply []gatehouse.Release
	methodRelease        = "release"         // header ID; reply gatehouse.Release
	methodRequestRelease = "release/request" // attachments: body, signature; reply gatehouse.Release
	methodApproveRelease = "release/approve" // header approveRequest, attachment: signature; reply gatehouse.Release
	methodBeginRelease   = "release/begin"   // header writeRequest, attachment: proof; reply gatehouse.Release
	methodWriteRelease   = "release/write"   // header writeRequest, attachments: proof, sealed values; reply writeReply, ciphertext
)

type approveRequest struct {
	ID       gatehouse.ID
	Operator string
}

type writeRequest struct {
	ID       gatehouse.ID
	Operator string // whose proof it is
	From     int    // the number of the first item
	Again    bool   // though it was written before
	Last     bool   // nothing follows: the end of the file comes back, and the release is written
}

type writeReply struct {
	Opened int // of the values; the others were erased, have expired or were altered
}

// The events of a release, as they stand in leaves of gatehouse.ReleaseLeafKind.
const (
	releaseRequested = "requested"   // the release, operator, purpose, items, digests of the body, its signature and the sealed body
	releaseApproved  = "approved"    // the release, operator, digests of the body and of the signature
	releaseBegun     = "begun"       // the release, both operators
	releaseRepeated  = "begun-again" // as begun, of one that was written before
	releaseWritten   = "written"     // the release, items
)

const (
	maxBody        = 8 << 20
	maxRecipients  = 16
	clockTolerance = 10 * time.Minute // between who asks and the vault
)

func (s *service) releaseHandlers() map[string]child.Handler {
	return map[string]child.Handler{
		methodReleases: handle(func(ctx context.Context, _ struct{}) ([]gatehouse.Release, error) { return s.audit.releases(ctx) }),
		methodRelease: handle(func(ctx context.Context, id gatehouse.ID) (gatehouse.Release, error) {
			r, err := s.openRelease(ctx, id)
			return r.Release, err
		}),
		methodRequestRelease: s.handleRequestRelease,
		methodApproveRelease: s.handleApproveRelease,
		methodBeginRelease:   s.handleBeginRelease,
		methodWriteRelease:   s.handleWriteRelease,
	}
}

// parseRelease reads and checks a request. Errors: release.malformed,
// release.recipient, release.items, release.reason.
func parseRelease(body []byte) (r gatehouse.ReleaseRequest, to []age.Recipient, err error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if len(body) > maxBody || d.Decode(&r) != nil || r.ID.IsZero() || len(r.Salt) != gatehouse.ReleaseSalt || len(r.Purpose) > 40 || r.Purpose == "" || r.Org == "" || r.Site == "" {
		return r, nil, gatehouse.Errorf("release.malformed", "use a command line of the same version", "this is no release request")
	}
	if strings.TrimSpace(r.Reason) == "" || len(r.Reason) > maxReason {
		return r, nil, gatehouse.Errorf("release.reason", "say why, in at most 500 bytes", "a release needs a reason")
	}
	seen := map[gatehouse.ReleaseItem]bool{}
	for _, it := range r.Items {
		if seen[it] || !releasable(it) || r.Form != nil && !formable(it) {
			return r, nil, gatehouse.Errorf("release.items", "name each once", "something is asked for twice, or is nothing that can be released")
		}
		seen[it] = true
	}
	if len(r.Items) == 0 || len(r.Items) > gatehouse.MaxReleaseItems {
		return r, nil, gatehouse.Errorf("release.items", "split it into several", "a release has 1 to %d values, not %d", gatehouse.MaxReleaseItems, len(r.Items))
	}
	if len(r.Recipients) > 0 && len(r.Recipients) <= maxRecipients {
		to, err = age.ParseRecipients(strings.NewReader(strings.Join(r.Recipients, "\n")))
	}
	if err != nil || len(to) != len(r.Recipients) || len(to) == 0 {
		return r, nil, gatehouse.Errorf("release.recipient", "give 1 to 16 of them, as age-keygen prints them (age1…)", "a recipient is no age public key")
	}
	return r, to, nil
}

// releasable are the places that a release may name.
func releasable(it gatehouse.ReleaseItem) bool {
	switch it.Table {
	case "subjects":
		return it.Field == "name" || it.Field == "national_id" || it.Field == "record"
	case "passages":
		return it.Field == "detail"
	case gatehouse.PayslipTable:
		return it.Field == "slip"
	case "evidence":
		return it.Field != "" && len(it.Field) <= 40
	}
	return false
}

func (s *service) handleRequestRelease(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	if len(r.Blobs) != 2 {
		return nil, nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "a request and its signature are needed")
	}
	body, signature := r.Blobs[0], r.Blobs[1]
	q, _, err := parseRelease(body)
	if err == nil && q.Form != nil {
		if s.payroll == nil {
			return nil, nil, errNoPayroll()
		}
		err = s.payroll.CheckForm(*q.Form)
	}
	if err != nil {
		return nil, nil, err
	}
	o, err := s.audit.operator(ctx, q.Operator)
	if err != nil {
		return nil, nil, err
	}
	if !o.Verify(signature, approval.RequestRelease, publicKeyName(s.room.public), q.ID, body) {
		return nil, nil, errSignature()
	}
	now := time.Now()
	if d := now.Sub(q.At); d > clockTolerance || d < -clockTolerance {
		return nil, nil, gatehouse.Errorf("release.time", "set the clock, and ask again", "the request was signed at another time than now")
	}
	sealed, err := s.audit.sealRelease(ctx, q, body)
	if err != nil {
		return nil, nil, err
	}
	leaf := gatehouse.EventLeaf(gatehouse.ReleaseLeafKind, now, releaseRequested, q.ID.String(), o.Name, q.Purpose, itoa(len(q.Items)), digestOf(body), digestOf(signature), digestOf(sealed.body))
	_, err = s.audit.record(ctx, leaf, func(ctx context.Context, tx *sql.Tx) error {
		done, err := tx.ExecContext(ctx, `INSERT INTO releases (id, at, expires, operator, body, signature, summary, count) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			q.ID[:], q.At.UnixMilli(), q.At.Add(gatehouse.ReleaseLasts).UnixMilli(), o.Name, sealed.body, signature, sealed.summary, len(q.Items))
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, gatehouse.Errorf("release.exists", "see `gatehouse release list`", "this release was requested already"))
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	row, err := s.audit.release(ctx, q.ID)
	return row.Release, nil, err
}

func (s *service) handleApproveRelease(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in approveRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	if len(r.Blobs) != 1 {
		return nil, nil, errSignature()
	}
	row, err := s.openRelease(ctx, in.ID)
	if err != nil {
		return nil, nil, err
	}
	now := time.Now()
	if err := row.usable(now); err != nil {
		return nil, nil, err
	}
	if in.Operator == row.Request.Operator {
		return nil, nil, gatehouse.Errorf("release.same_person", "ask a colleague", "who asks for a release cannot approve it")
	}
	o, err := s.audit.operator(ctx, in.Operator)
	if err != nil {
		return nil, nil, err
	}
	if !o.Verify(r.Blobs[0], approval.ApproveRelease, publicKeyName(s.room.public), in.ID, row.Body) {
		return nil, nil, errSignature()
	}
	switch all, err := s.audit.registered(ctx); {
	case err != nil:
		return nil, nil, err
	case !counts(all, o.Name, now): // approved checks it against the control
		return nil, nil, errYoung()
	}
	leaf := gatehouse.EventLeaf(gatehouse.ReleaseLeafKind, now, releaseApproved, in.ID.String(), o.Name, digestOf(row.Body), digestOf(r.Blobs[0]))
	_, err = s.audit.record(ctx, leaf, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE releases SET approver = ?, approval = ?, approved = ? WHERE id = ?`, o.Name, r.Blobs[0], now.UnixMilli(), in.ID[:])
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	row, err = s.audit.release(ctx, in.ID)
	return row.Release, nil, err
}

// approved checks everything about a release before a value of it is opened: both
// signatures against the operators that only the unsealed vault knows, that they are
// two people, and that it is not too old.
func (s *service) approved(ctx context.Context, id gatehouse.ID) (row releaseRow, to []age.Recipient, err error) {
	if row, err = s.openRelease(ctx, id); err != nil {
		return row, nil, err
	}
	q, to, err := parseRelease(row.Body)
	if err != nil {
		return row, nil, err
	}
	if err := row.usable(time.Now()); err != nil {
		return row, nil, err
	}
	g := s.guard
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.control == nil {
		return row, nil, errSealed()
	}
	key := publicKeyName(s.room.public)
	asks := approval.Operator{Name: q.Operator, Public: g.control.Operators[q.Operator].Public}
	agrees := approval.Operator{Name: row.Approver, Public: g.control.Operators[row.Approver].Public}
	switch {
	case row.Approver == "":
		return row, nil, gatehouse.Errorf("release.not_approved", "a second operator runs `gatehouse release approve`", "nobody has approved this release yet")
	case asks.Name == agrees.Name,
		!asks.Verify(row.signature, approval.RequestRelease, key, q.ID, row.Body),
		!agrees.Verify(row.approval, approval.ApproveRelease, key, q.ID, row.Body):
		return row, nil, errSignature()
	case !counts(g.control.Operators, asks.Name, time.Now()), !counts(g.control.Operators, agrees.Name, time.Now()):
		return row, nil, errYoung()
	}
	return row, to, nil
}

// releaseRow is a release as it is stored: without a body, and with a request that is a
// summary, until openRelease has opened what is sealed.
type releaseRow struct {
	gatehouse.Release
	sealed, signature, approval []byte
}

// usable fails with release.expired. The time counts from what was signed, whatever
// the row says. Until then a file that was lost on its way may be written again: the
// same values to the same recipients.
func (r *releaseRow) usable(now time.Time) error {
	if now.After(r.Request.At.Add(gatehouse.ReleaseLasts)) {
		return gatehouse.Errorf("release.expired", "request another one", "seven days have passed since this release was requested")
	}
	return nil
}

func digestOf(b []byte) string {
	d := TokenDigest(string(b))
	return hexOf(d)
}

const releaseColumns = `SELECT body, expires, signature, approver, approval, approved, written, summary, count FROM releases `

func scanRelease(scan func(...any) error) (r releaseRow, err error) {
	var expires, approved, written int64
	var summary []byte
	if err := scan(&r.sealed, &expires, &r.signature, &r.Approver, &r.approval, &approved, &written, &summary, &r.Count); err != nil {
		return r, err
	}
	if err := json.Unmarshal(summary, &r.Request); err != nil {
		return r, gatehouse.Errorf("store.damaged", "restore it from a backup", "a release cannot be read: %w", err)
	}
	at := func(ms int64) time.Time {
		if ms == 0 {
			return time.Time{}
		}
		return time.UnixMilli(ms).UTC()
	}
	r.Expires, r.Approved, r.Written = at(expires), at(approved), at(written)
	return r, nil
}

func (a *auditDB) release(ctx context.Context, id gatehouse.ID) (releaseRow, error) {
	r, err := scanRelease(a.db.Readers().QueryRowContext(ctx, releaseColumns+`WHERE id = ?`, id[:]).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return r, gatehouse.Errorf("release.unknown", "`gatehouse release list` shows them", "there is no such release")
	}
	return r, sealeddb.Wrap(auditFile, err)
}

// releases are the newest 100, without what is sealed of them.
func (a *auditDB) releases(ctx context.Context) ([]gatehouse.Release, error) {
	rows, err := a.db.Readers().QueryContext(ctx, releaseColumns+`ORDER BY at DESC, id DESC LIMIT 100`)
	if err != nil {
		return nil, sealeddb.Wrap(auditFile, err)
	}
	defer rows.Close()
	list := []gatehouse.Release{}
	for rows.Next() {
		r, err := scanRelease(rows.Scan)
		if err != nil {
			return nil, sealeddb.Wrap(auditFile, err)
		}
		list = append(list, r.Release)
	}
	return list, sealeddb.Wrap(auditFile, rows.Err())
}
