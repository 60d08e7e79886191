package auditlog

import (
	"encoding/base64"
	"strconv"
	"strings"

	"gatehouse"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// MaxRequest bounds a request to a witness, in bytes.
const MaxRequest = 64 << 10

// AddRequest asks a witness to cosign a checkpoint (https://c2sp.org/tlog-witness).
type AddRequest struct {
	Old        int64       // the size of the checkpoint that the witness has, 0 for none
	Proof      []tlog.Hash // that the new tree holds the old one
	Checkpoint string      // a signed note
}

// Encode gives the request's body.
func (r AddRequest) Encode() string {
	var b strings.Builder
	b.WriteString("old " + strconv.FormatInt(r.Old, 10) + "\n")
	for _, h := range r.Proof {
		b.WriteString(base64.StdEncoding.EncodeToString(h[:]) + "\n")
	}
	b.WriteString("\n" + r.Checkpoint)
	return b.String()
}

// ParseAddRequest reads a request's body. It fails with request.malformed.
func ParseAddRequest(body string) (AddRequest, error) {
	bad := gatehouse.Errorf("request.malformed", "send an old size, a consistency proof and a checkpoint, as c2sp.org/tlog-witness has it", "this is no request to a witness")
	head, checkpoint, ok := strings.Cut(body, "\n\n")
	if !ok || len(body) > MaxRequest {
		return AddRequest{}, bad
	}
	lines := strings.Split(head, "\n")
	digits, ok := strings.CutPrefix(lines[0], "old ")
	old, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || old < 0 || strconv.FormatInt(old, 10) != digits || len(lines) > 64 {
		return AddRequest{}, bad
	}
	r := AddRequest{Old: old, Checkpoint: checkpoint}
	for _, line := range lines[1:] {
		h, err := tlog.ParseHash(line)
		if err != nil {
			return AddRequest{}, bad
		}
		r.Proof = append(r.Proof, h)
	}
	return r, nil
}

// Cosign adds a witness's signature to a signed note and returns its line alone, and
// the note with it. The note must be one that Open took.
func Cosign(signed string, witness *Signer) (line, cosigned string, err error) {
	text, _, ok := strings.Cut(signed, "\n\n")
	if !ok {
		return "", "", malformed("it is no signed note")
	}
	b, err := note.Sign(&note.Note{Text: text + "\n"}, witness)
	if err != nil {
		return "", "", gatehouse.Errorf("audit.signing", "this is a fault of the program", "a checkpoint could not be cosigned: %w", err)
	}
	line = strings.TrimPrefix(string(b), text+"\n\n")
	return line, signed + line, nil
}

// AddCosignature puts a witness's answer behind a signed note, if one of its lines is
// the signature of that witness. It fails with audit.cosignature.
func AddCosignature(signed, answer string, witness Key) (cosigned string, err error) {
	for line := range strings.Lines(answer) {
		cosigned = signed + strings.TrimSuffix(line, "\n") + "\n"
		if _, err := Open(cosigned, note.VerifierList(witness)); err == nil {
			return cosigned, nil
		}
	}
	return "", gatehouse.Errorf("audit.cosignature", "compare `key` in the configuration with what `gatehouse audit key` prints at the witness", "the witness's answer is not signed with its key")
}
