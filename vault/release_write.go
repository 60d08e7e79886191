package vault

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"io"
	"time"

	"gatehouse"
	"gatehouse/internal/child"

	"filippo.io/age"
)

// writing is a release that is being written: the plaintext goes into an age stream
// inside the vault process, and what comes out is ciphertext.
type writing struct {
	row   releaseRow
	next  int // the number of the next item
	out   bytes.Buffer
	in    io.WriteCloser
	touch time.Time
	pay   payFile // of a release with a form
}

// What is written at one time, and how long one that is not gone on with is kept.
const (
	maxWriting   = 4
	writingLasts = 10 * time.Minute
)

// releasedLine is one line of the file: what it is, and its value as text, as a JSON
// object, or as bytes in base64; gone where it was erased, has expired or does not open.
type releasedLine struct {
	Table  string          `json:"table"`
	Row    gatehouse.ID    `json:"row"`
	Field  string          `json:"field"`
	Value  string          `json:"value,omitempty"`
	Object json.RawMessage `json:"object,omitempty"`
	Bytes  []byte          `json:"bytes,omitempty"`
	Gone   bool            `json:"gone,omitempty"`
}

func (s *service) handleBeginRelease(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in writeRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	if len(r.Blobs) != 1 {
		return nil, nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "the proof is missing")
	}
	if err := s.guard.shut(); err != nil {
		return nil, nil, err
	}
	if _, err := s.room.admit(in.Operator, r.Blobs[0]); err != nil {
		return nil, nil, err
	}
	row, to, err := s.approved(ctx, in.ID)
	if err != nil {
		return nil, nil, err
	}
	if !row.Written.IsZero() && !in.Again {
		return nil, nil, gatehouse.Errorf("release.written", "look for its file; --again writes the same values to the same recipients once more, and the audit log says so",
			"this release was written on %s", row.Written.Format(time.DateTime))
	}
	now := time.Now()
	event := releaseBegun
	if !row.Written.IsZero() {
		event = releaseRepeated
	}
	leaf := gatehouse.EventLeaf(gatehouse.ReleaseLeafKind, now, event, in.ID.String(), row.Request.Operator, row.Approver)
	if _, err := s.audit.record(ctx, leaf, nil); err != nil {
		return nil, nil, err
	}
	w := &writing{row: row, touch: now}
	if w.in, err = age.Encrypt(&w.out, to...); err != nil {
		return nil, nil, gatehouse.Errorf("release.recipient", "use keys of one kind, as age-keygen prints them", "nothing can be encrypted to these recipients: %w", err)
	}
	s.releasing.Lock()
	defer s.releasing.Unlock()
	for id, old := range s.writing {
		if now.Sub(old.touch) > writingLasts {
			delete(s.writing, id)
		}
	}
	if len(s.writing) >= maxWriting {
		return nil, nil, gatehouse.Errorf("release.busy", "wait until one is done", "%d releases are being written", len(s.writing))
	}
	if s.writing == nil {
		s.writing = map[gatehouse.ID]*writing{}
	}
	s.writing[in.ID] = w // one that broke off begins anew
	return row.Release, nil, nil
}

func (s *service) handleWriteRelease(ctx context.Context, r *child.Request) (any, [][]byte, error) {
	var in writeRequest
	if err := r.Decode(&in); err != nil {
		return nil, nil, err
	}
	if len(r.Blobs) == 0 {
		return nil, nil, gatehouse.Errorf("request.malformed", "this is a fault of the program", "the proof is missing")
	}
	s.releasing.Lock()
	defer s.releasing.Unlock()
	w := s.writing[in.ID]
	if w == nil {
		return nil, nil, gatehouse.Errorf("release.broken_off", "begin it anew", "this release is not being written")
	}
	opened, err := s.releaseItems(ctx, w, in, r.Blobs[0], r.Blobs[1:])
	if err != nil {
		delete(s.writing, in.ID)
		return nil, nil, err
	}
	w.touch = time.Now()
	chunk := bytes.Clone(w.out.Bytes())
	w.out.Reset()
	return writeReply{Opened: opened}, [][]byte{chunk}, nil
}

// releaseItems opens the next items, in the order that was signed, and puts them
// into the stream. The disclosure is written first.
func (s *service) releaseItems(ctx context.Context, w *writing, in writeRequest, proof []byte, sealed [][]byte) (opened int, err error) {
	q := w.row.Request
	if in.From != w.next || len(sealed) > maxRefs || in.From+len(sealed) > len(q.Items) || in.Last != (in.From+len(sealed) == len(q.Items)) {
		return 0, gatehouse.Errorf("release.order", "begin it anew", "the values of a release come in the order in which they were asked for")
	}
	if err := s.guard.shut(); err != nil {
		return 0, err
	}
	private, err := s.room.admit(in.Operator, proof)
	if err != nil {
		return 0, err
	}
	refs := make([]gatehouse.SealContext, len(sealed))
	for i := range refs {
		it := q.Items[in.From+i]
		refs[i] = gatehouse.SealContext{Place: q.Place, Table: it.Table, Row: it.Row, Field: it.Field}
	}
	baited, err := s.guard.baited(ctx, refs, sealed, false)
	if err != nil {
		return 0, err
	}
	if baited {
		return 0, s.guard.spring(ctx, trip{kind: "subject", operator: q.Operator + " and " + w.row.Approver, purpose: purposeRelease})
	}
	now := time.Now()
	d := gatehouse.Disclosure{ID: gatehouse.NewID(now), At: now, Operator: q.Operator, Role: "release", Purpose: purposeRelease, Reason: q.Reason}
	items, units := priced(purposeRelease, refs, now)
	for _, it := range items {
		d.Items = append(d.Items, it.name)
	}
	d.Units = units
	if err := s.audit.note(ctx, d, nil); err != nil {
		return 0, err
	}
	plain, err := s.openAll(ctx, private, refs, sealed)
	if err != nil {
		return 0, err
	}
	lines := json.NewEncoder(w.in)
	for i, p := range plain {
		if p != nil {
			opened++
		}
		if q.Form != nil {
			w.pay.gather(q.Items[in.From+i], p)
		} else if err := lines.Encode(lineOf(q.Items[in.From+i], p)); err != nil {
			return opened, err
		}
		clear(p)
	}
	w.next += len(sealed)
	if !in.Last {
		return opened, nil
	}
	if q.Form != nil {
		b, err := w.pay.write(s.payroll, *q.Form)
		if err == nil {
			_, err = w.in.Write(b)
		}
		if err != nil {
			return opened, err
		}
	}
	if err := w.in.Close(); err != nil {
		return opened, err
	}
	leaf := gatehouse.EventLeaf(gatehouse.ReleaseLeafKind, now, releaseWritten, in.ID.String(), itoa(w.next))
	_, err = s.audit.record(ctx, leaf, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE releases SET written = ? WHERE id = ?`, now.UnixMilli(), in.ID[:])
		return err
	})
	if err == nil {
		delete(s.writing, in.ID)
	}
	return opened, err
}

// purposeRelease is what a bulk release's disclosures say; nobody opens anything for it.
const purposeRelease = "release"

func lineOf(it gatehouse.ReleaseItem, plain []byte) releasedLine {
	l := releasedLine{Table: it.Table, Row: it.Row, Field: it.Field}
	switch {
	case plain == nil:
		l.Gone = true
	case it.Field == "name", it.Field == "national_id":
		l.Value = string(plain)
	case it.Field == "record" || it.Field == "detail" || it.Field == "slip":
		if json.Valid(plain) {
			l.Object = plain
		} else {
			l.Bytes = plain
		}
	default:
		l.Bytes = plain
	}
	return l
}

func hexOf(b []byte) string { return hex.EncodeToString(b) }

// RequestRelease stores a request that its operator signed (approval.RequestRelease,
// over body). Errors: release.malformed, release.items, release.recipient,
// release.reason, release.time, release.exists, operator.unknown, operator.signature.
func (v *Vault) RequestRelease(ctx context.Context, body, signature []byte) (gatehouse.Release, error) {
	var out gatehouse.Release
	_, err := v.process.Call(ctx, methodRequestRelease, nil, [][]byte{body, signature}, &out)
	return out, err
}

// Releases are the newest hundred.
func (v *Vault) Releases(ctx context.Context) ([]gatehouse.Release, error) {
	var out []gatehouse.Release
	_, err := v.process.Call(ctx, methodReleases, nil, nil, &out)
	return out, err
}

// Release gives one with the bytes that were signed. Errors: release.unknown,
// vault.sealed, release.gone.
func (v *Vault) Release(ctx context.Context, id gatehouse.ID) (gatehouse.Release, error) {
	var out gatehouse.Release
	_, err := v.process.Call(ctx, methodRelease, id, nil, &out)
	return out, err
}

// ApproveRelease adds a second operator's signature (approval.ApproveRelease, over the
// request's body). Errors: release.unknown, release.same_person, release.expired,
// release.gone, vault.sealed, operator.unknown, operator.signature.
func (v *Vault) ApproveRelease(ctx context.Context, id gatehouse.ID, operator string, signature []byte) (gatehouse.Release, error) {
	var out gatehouse.Release
	_, err := v.process.Call(ctx, methodApproveRelease, approveRequest{ID: id, Operator: operator}, [][]byte{signature}, &out)
	return out, err
}

// WriteRelease writes an approved release to w, an age file of JSON lines; sealed
// fetches the sealed value of an item, nil for one that is gone. It says how many
// values opened. One that breaks off can be begun anew, one that was written only with
// again. With a form it is the form's file, or none with export.cell. Errors: release.unknown, release.not_approved, release.expired,
// release.written, operator.young, vault.sealed,
// vault.forbidden, vault.canary, operator.signature, and sealed's and w's.
func (v *Vault) WriteRelease(ctx context.Context, id gatehouse.ID, again bool, operator string, proof []byte, sealed func(context.Context, gatehouse.ReleaseItem) ([]byte, error), w io.Writer) (opened int, err error) {
	var r gatehouse.Release
	if _, err := v.process.Call(ctx, methodBeginRelease, writeRequest{ID: id, Operator: operator, Again: again}, [][]byte{proof}, &r); err != nil {
		return 0, err
	}
	items := r.Request.Items
	for from := 0; from < len(items); {
		blobs := [][]byte{proof}
		size := 0
		for from+len(blobs)-1 < len(items) && len(blobs) <= maxRefs && size < maxMessage/8 {
			b, err := sealed(ctx, items[from+len(blobs)-1])
			if err != nil {
				return opened, err
			}
			blobs, size = append(blobs, b), size+len(b)
		}
		n := len(blobs) - 1
		var reply writeReply
		out, err := v.process.Call(ctx, methodWriteRelease, writeRequest{ID: id, Operator: operator, From: from, Last: from+n == len(items)}, blobs, &reply)
		if err != nil {
			return opened, err
		}
		opened += reply.Opened
		for _, b := range out {
			if _, err := w.Write(b); err != nil {
				return opened, err
			}
		}
		from += n
	}
	return opened, nil
}
