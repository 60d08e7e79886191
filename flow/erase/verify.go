package erase

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"gatehouse"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// proof is the form of vault/auditlog's Proof.
type proof struct {
	Leaf       []byte   `json:"leaf"`
	Index      int64    `json:"index"`
	Size       int64    `json:"size"`
	Hashes     [][]byte `json:"hashes"`
	Checkpoint string   `json:"checkpoint"`
}

// maxProofHashes is more than a tree of 2^63 leaves needs.
const maxProofHashes = 64

// VerifyProof checks offline that the log whose verifier keys are given (C2SP signed
// notes' form, one a line) holds the certificate as it stands: nothing in it was
// changed, final_at included. Errors: erase.certificate.
func (d Document) VerifyProof(keys string) error {
	bad := func(format string, args ...any) error {
		return gatehouse.Errorf("erase.certificate", "ask for the certificate again; if it stays so, it or the log was altered", "the certificate does not hold: %s", fmt.Sprintf(format, args...))
	}
	if len(d.Proof) == 0 {
		return bad("it has no proof; `gatehouse erase --again ID` gives one")
	}
	var p proof
	if err := json.Unmarshal(d.Proof, &p); err != nil {
		return bad("its proof cannot be read")
	}
	if !bytes.Equal(p.Leaf, d.Certificate.Leaf()) {
		return bad("the log recorded something else")
	}
	if p.Index != d.Leaf || p.Index < 0 || p.Index >= p.Size || len(p.Hashes) > maxProofHashes {
		return bad("its numbers do not fit")
	}
	var verifiers []note.Verifier
	for line := range strings.Lines(keys) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		v, err := note.NewVerifier(line)
		if err != nil {
			return bad("the log's verifier key cannot be read")
		}
		verifiers = append(verifiers, v)
	}
	signed, err := note.Open([]byte(p.Checkpoint), note.VerifierList(verifiers...))
	if err != nil {
		return bad("its checkpoint is not signed by this log")
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) < 4 || lines[1] != strconv.FormatInt(p.Size, 10) {
		return bad("its checkpoint is of another size")
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return bad("its checkpoint has no root")
	}
	path := make(tlog.RecordProof, len(p.Hashes))
	for i, h := range p.Hashes {
		if len(h) != tlog.HashSize {
			return bad("a hash of its proof has the wrong length")
		}
		copy(path[i][:], h)
	}
	if tlog.CheckRecord(path, p.Size, tlog.Hash(root), p.Index, tlog.RecordHash(p.Leaf)) != nil {
		return bad("the log does not hold it at that place")
	}
	return nil
}

// Copy is an installation that is checked for what was erased: the live one, or a
// backup that was restored.
type Copy struct {
	Store interface {
		SubjectTraces(ctx context.Context, place gatehouse.Place, id gatehouse.SubjectID) (gatehouse.SubjectTraces, error)
		SubjectBlobs(ctx context.Context, place gatehouse.Place, id gatehouse.SubjectID, f func(gatehouse.BlobID) error) error
		Consents(ctx context.Context, place gatehouse.Place, id gatehouse.SubjectID) ([]gatehouse.Consent, error)
		Working(ctx context.Context, f func(gatehouse.WorkingItem) error) error
	}
	Vault interface {
		Erasable(ctx context.Context, place gatehouse.Place, subject gatehouse.SubjectID) (gatehouse.Erasable, error)
	}
}

// Findings are what a copy still holds of the erased subject, a sentence each; none
// where the erasure holds there.
func (d Document) Findings(ctx context.Context, c Copy) (findings []string, err error) {
	place, id := gatehouse.Place{Org: d.Certificate.Org, Site: d.Certificate.Site}, d.Certificate.Subject
	add := func(format string, args ...any) { findings = append(findings, fmt.Sprintf(format, args...)) }
	keys, err := c.Vault.Erasable(ctx, place, id)
	if err != nil {
		return nil, err
	}
	if keys.Chains > 0 {
		add("the key store holds %d rows of the subject: what was sealed for it can be opened", keys.Chains)
	}
	if !keys.Erased {
		add("the list of removals does not name the subject: it is from before the erasure")
	}
	if keys.FinalAt.After(d.Certificate.FinalAt) {
		add("a key bundle is held until %s, and the erasure is final no sooner: ask for the certificate again (`gatehouse erase --again %s`)", keys.FinalAt.Format(time.DateOnly), d.Certificate.ID)
	}
	traces, err := c.Store.SubjectTraces(ctx, place, id)
	if err != nil {
		return nil, err
	}
	if traces.Enrolled {
		add("the subject is enrolled")
	}
	if traces.Passages > 0 {
		add("%d passages have the subject's id", traces.Passages)
	}
	if traces.Parking > 0 {
		add("stays, passes or accounts of car parks name the subject %d times", traces.Parking)
	}
	if traces.Hours > 0 {
		add("punches, plans, corrections, leave, pay terms or payslips name the subject %d times", traces.Hours)
	}
	if traces.Requests > 0 {
		add("%d requests about personal data name the subject", traces.Requests)
	}
	if traces.Rules > 0 {
		add("the rule book names the subject %d times", traces.Rules)
	}
	blobs := 0
	if err := c.Store.SubjectBlobs(ctx, place, id, func(gatehouse.BlobID) error { blobs++; return nil }); err != nil {
		return nil, err
	}
	if blobs > 0 {
		add("%d pictures are referred to as the subject's", blobs)
	}
	consents, err := c.Store.Consents(ctx, place, id)
	if err != nil {
		return nil, err
	}
	if len(consents) > 0 {
		add("%d consents have the subject's id", len(consents))
	}
	items := 0
	err = c.Store.Working(ctx, func(item gatehouse.WorkingItem) error {
		if item.Place == place && (item.Subject == id || item.Row == id) {
			items++
		}
		return nil
	})
	if items > 0 {
		add("the working set holds %d items of the subject", items)
	}
	return findings, err
}
