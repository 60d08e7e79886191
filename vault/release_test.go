package vault

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/internal/sealeddb"
	"gatehouse/vault/approval"

	"filippo.io/age"
)

// bulk is a site with more people than the budgets let anybody see.
type bulk struct {
	*installation
	staff    map[string]approval.Operator
	values   map[gatehouse.ReleaseItem][]byte
	items    []gatehouse.ReleaseItem
	identity *age.X25519Identity
	key      string
}

func newBulk(t *testing.T, people int) *bulk {
	in := install(t)
	in.limit(t, small)
	b := &bulk{installation: in, staff: in.staff(t, "ana-1", "ben-2", "cy-3"), values: map[gatehouse.ReleaseItem][]byte{}}
	for range people {
		b.add(in.name(t, "somebody"))
	}
	var err error
	b.identity, err = age.GenerateX25519Identity()
	must(t, err)
	st, err := in.vault.Tripped(t.Context())
	must(t, err)
	b.key = st.PublicKey
	return b
}

func (b *bulk) add(ref gatehouse.SealedRef) {
	it := gatehouse.ReleaseItem{Table: ref.Where.Table, Row: ref.Where.Row, Field: ref.Where.Field}
	b.items, b.values[it] = append(b.items, it), ref.Sealed
}

func (b *bulk) sealed(_ context.Context, it gatehouse.ReleaseItem) ([]byte, error) {
	return b.values[it], nil
}

// body is a request by ana-1, as change leaves it.
func (b *bulk) body(t *testing.T, change func(*gatehouse.ReleaseRequest)) (gatehouse.ID, []byte) {
	t.Helper()
	r := gatehouse.ReleaseRequest{Place: place, ID: gatehouse.RandomID(), Salt: make([]byte, gatehouse.ReleaseSalt), At: time.Now(), Operator: "ana-1", Purpose: "authority", Reason: "letter of 3 May",
		Items: b.items, Recipients: []string{b.identity.Recipient().String()}}
	if change != nil {
		change(&r)
	}
	body, err := json.Marshal(r)
	must(t, err)
	return r.ID, body
}

func (b *bulk) signed(t *testing.T, who string, act approval.Act, id gatehouse.ID, body []byte) []byte {
	t.Helper()
	s, err := b.staff[who].Sign(words(who), act, b.key, id, body)
	must(t, err)
	return s
}

func (b *bulk) request(t *testing.T) (gatehouse.ID, []byte) {
	t.Helper()
	id, body := b.body(t, nil)
	_, err := b.vault.RequestRelease(t.Context(), body, b.signed(t, "ana-1", approval.RequestRelease, id, body))
	must(t, err)
	return id, body
}

func TestRelease(t *testing.T) {
	const people = 450 // three batches, and far more than the budget
	b := newBulk(t, people)
	gone := b.items[7]
	b.values[gone] = nil
	id, body := b.request(t)
	proof := b.unseal(t)
	write := func(w io.Writer) (int, error) {
		return b.vault.WriteRelease(t.Context(), id, false, operator, proof, b.sealed, w)
	}
	_, err := write(io.Discard)
	wantCode(t, err, "release.not_approved")

	// Who asked cannot agree, nor can a signature for something else.
	_, err = b.vault.ApproveRelease(t.Context(), id, "ana-1", b.signed(t, "ana-1", approval.ApproveRelease, id, body))
	wantCode(t, err, "release.same_person")
	for name, signature := range map[string][]byte{
		"for the asking":     b.signed(t, "ben-2", approval.RequestRelease, id, body),
		"for another matter": b.signed(t, "ben-2", approval.ApproveRelease, gatehouse.RandomID(), body),
		"for another body":   b.signed(t, "ben-2", approval.ApproveRelease, id, append(body, ' ')),
		"by somebody else":   b.signed(t, "cy-3", approval.ApproveRelease, id, body),
	} {
		_, err = b.vault.ApproveRelease(t.Context(), id, "ben-2", signature)
		if gatehouse.ErrorCode(err) != "operator.signature" {
			t.Errorf("a signature %s: %v", name, err)
		}
	}
	r, err := b.vault.ApproveRelease(t.Context(), id, "ben-2", b.signed(t, "ben-2", approval.ApproveRelease, id, body))
	must(t, err)
	if r.Approver != "ben-2" || r.Request.ID != id || r.Expires.Sub(r.Request.At).Round(time.Hour) != gatehouse.ReleaseLasts {
		t.Errorf("approved: %+v", r)
	}

	// A disk that is full breaks it off; it can be begun anew.
	if _, err := write(failing{}); err == nil {
		t.Error("a write that fails is no error")
	}
	var file bytes.Buffer
	opened, err := write(&file)
	must(t, err)
	if opened != people-1 || bytes.Contains(file.Bytes(), []byte("somebody")) {
		t.Errorf("%d were opened; in clear: %v", opened, bytes.Contains(file.Bytes(), []byte("somebody")))
	}
	plain, err := age.Decrypt(&file, b.identity)
	must(t, err)
	all, err := io.ReadAll(plain)
	must(t, err)
	lines := strings.Split(strings.TrimSpace(string(all)), "\n")
	if len(lines) != people || !strings.Contains(lines[0], `"value":"somebody"`) || !strings.Contains(lines[7], `"gone":true`) {
		t.Errorf("%d lines, the first %s, the one that is gone %s", len(lines), lines[0], lines[7])
	}
	// It is in the disclosure log, value by value, and costs no budget.
	list, err := b.vault.Disclosures(t.Context(), gatehouse.ID{}, 100)
	must(t, err)
	logged := 0
	for _, d := range list[:3] {
		logged += len(d.Items)
		if d.Operator != "ana-1" || d.Purpose != "release" || b.reason(t, proof, d) != "letter of 3 May" {
			t.Errorf("the log holds %+v", d)
		}
	}
	if logged != people {
		t.Errorf("%d values are in the log, want %d", logged, people)
	}
	if n, err := b.ask(t, operator, "", "person", proof, b.name(t, "somebody")); n != 1 || err != nil {
		t.Errorf("the budget after a release: %d, %v", n, err)
	}
	// What was written is written again only by somebody who says so, and the log says it.
	_, err = write(io.Discard)
	wantCode(t, err, "release.written")
	if n, err := b.vault.WriteRelease(t.Context(), id, true, operator, proof, b.sealed, io.Discard); n != people-1 || err != nil {
		t.Errorf("once more: %d, %v", n, err)
	}
	rs, err := b.vault.Releases(t.Context())
	if must(t, err); len(rs) != 1 || rs[0].Written.IsZero() {
		t.Errorf("the list: %+v", rs)
	}
	var events []string
	for _, l := range b.leaves(t, gatehouse.ReleaseLeafKind) {
		events = append(events, strings.Fields(l)[0])
	}
	if !slices.Equal(events, []string{"requested", "approved", "begun", "begun", "written", "begun-again", "written"}) {
		t.Errorf("leaves %q", events)
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("no space left") }

// What was edited in the file does not count: neither the list, nor who approved.
func TestEditedReleaseIsRefused(t *testing.T) {
	b := newBulk(t, 3)
	id, body := b.request(t)
	approve := b.signed(t, "ben-2", approval.ApproveRelease, id, body)
	for name, c := range map[string]struct{ statement, code string }{
		"approved by who asked":     {`UPDATE releases SET approver = operator, approval = signature`, "operator.signature"},
		"approved by nobody's hand": {`UPDATE releases SET approver = 'cy-3', approval = x'00'`, "operator.signature"},
		"asked for by nobody":       {`UPDATE releases SET signature = x'00'`, "operator.signature"},
		"another list":              {`UPDATE releases SET body = substr(body, 1, length(body) - 1) || CASE substr(body, -1) WHEN x'00' THEN x'01' ELSE x'00' END`, "release.gone"},
		"a list in clear":           {`UPDATE releases SET body = summary`, "release.gone"},
	} {
		t.Run(name, func(t *testing.T) {
			b.unseal(t)
			_, err := b.vault.ApproveRelease(t.Context(), id, "ben-2", approve)
			must(t, err)
			b.edit(t, c.statement)
			_, err = b.vault.WriteRelease(t.Context(), id, false, operator, b.unseal(t), b.sealed, io.Discard)
			wantCode(t, err, c.code)
			b.edit(t, `DELETE FROM releases`)
			id, body = b.request(t)
			approve = b.signed(t, "ben-2", approval.ApproveRelease, id, body)
		})
	}
}

func TestReleaseRefuses(t *testing.T) {
	b := newBulk(t, 2)
	for name, c := range map[string]struct {
		change func(*gatehouse.ReleaseRequest)
		code   string
	}{
		"nothing":            {func(r *gatehouse.ReleaseRequest) { r.Items = nil }, "release.items"},
		"the same twice":     {func(r *gatehouse.ReleaseRequest) { r.Items = append(r.Items[:1:1], r.Items[0]) }, "release.items"},
		"a working-set item": {func(r *gatehouse.ReleaseRequest) { r.Items = []gatehouse.ReleaseItem{{Table: "working/badge"}} }, "release.items"},
		"nobody to read it":  {func(r *gatehouse.ReleaseRequest) { r.Recipients = nil }, "release.recipient"},
		"an odd recipient":   {func(r *gatehouse.ReleaseRequest) { r.Recipients = []string{"age1nonsense"} }, "release.recipient"},
		"no salt":            {func(r *gatehouse.ReleaseRequest) { r.Salt = nil }, "release.malformed"},
		"no reason":          {func(r *gatehouse.ReleaseRequest) { r.Reason = " " }, "release.reason"},
		"an old signature":   {func(r *gatehouse.ReleaseRequest) { r.At = r.At.Add(-time.Hour) }, "release.time"},
		"a later signature":  {func(r *gatehouse.ReleaseRequest) { r.At = r.At.Add(time.Hour) }, "release.time"},
		"an unknown name":    {func(r *gatehouse.ReleaseRequest) { r.Operator = "dee-4" }, "operator.unknown"},
		"another's name":     {func(r *gatehouse.ReleaseRequest) { r.Operator = "ben-2" }, "operator.signature"},
	} {
		id, body := b.body(t, c.change)
		_, err := b.vault.RequestRelease(t.Context(), body, b.signed(t, "ana-1", approval.RequestRelease, id, body))
		if gatehouse.ErrorCode(err) != c.code {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := b.vault.RequestRelease(t.Context(), []byte("{"), nil)
	wantCode(t, err, "release.malformed")
}

// hidden fails where one of the texts stands on a page of the audit file, free ones
// included, for who has the gate key. The vault is closed for it and sealed then.
func hidden(t *testing.T, in *installation, texts ...string) {
	t.Helper()
	must(t, in.vault.Close())
	defer in.open(t)
	file := filepath.Join(in.options.Dir, auditFile)
	key, err := in.gate.FileKey(file)
	must(t, err)
	must(t, sealeddb.Pages(file, key, func(page []byte) error {
		for _, text := range texts {
			if bytes.Contains(page, []byte(text)) {
				t.Errorf("%q stands in the audit file", text)
			}
		}
		return nil
	}))
}

// Why somebody asks is read by the unsealed vault alone, which shows it to who agrees;
// the list says who, when and how many.
func TestAReleasesReasonIsSealed(t *testing.T) {
	b := newBulk(t, 2)
	id, body := b.request(t)
	hidden(t, b.installation, "letter of 3 May")
	_, err := b.vault.Release(t.Context(), id)
	wantCode(t, err, "vault.sealed")
	_, err = b.vault.ApproveRelease(t.Context(), id, "ben-2", b.signed(t, "ben-2", approval.ApproveRelease, id, body))
	wantCode(t, err, "vault.sealed")
	list, err := b.vault.Releases(t.Context())
	if must(t, err); len(list) != 1 || list[0].Count != 2 || list[0].Request.Operator != "ana-1" || list[0].Request.Reason != "" || list[0].Body != nil {
		t.Errorf("while sealed: %+v", list)
	}
	// What an earlier version left in clear is sealed at the next start.
	b.edit(t, `UPDATE releases SET summary = '', body = CAST('`+string(body)+`' AS BLOB)`)
	hidden(t, b.installation, "letter of 3 May")
	b.unseal(t)
	r, err := b.vault.Release(t.Context(), id)
	if must(t, err); !bytes.Equal(r.Body, body) || r.Request.Reason != "letter of 3 May" || r.Count != 2 {
		t.Errorf("unsealed: %+v", r)
	}
}

// A canary's name in a bulk is an opening, not a listing.
func TestCanaryInARelease(t *testing.T) {
	b := newBulk(t, 2)
	b.add(b.part(t, b.plant(t), "subjects", "name"))
	id, body := b.request(t)
	proof := b.unseal(t)
	_, err := b.vault.ApproveRelease(t.Context(), id, "ben-2", b.signed(t, "ben-2", approval.ApproveRelease, id, body))
	must(t, err)
	var file bytes.Buffer
	_, err = b.vault.WriteRelease(t.Context(), id, false, operator, proof, b.sealed, &file)
	wantCode(t, err, "vault.canary")
	if file.Len() > 0 {
		t.Error("something was written")
	}
	trip, err := b.vault.Tripped(t.Context())
	if must(t, err); trip.Operator != "ana-1 and ben-2" {
		t.Errorf("status %+v", trip)
	}
}
