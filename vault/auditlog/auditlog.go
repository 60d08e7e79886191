// Package auditlog holds what a Merkle log of audit leaves says to others, and how
// they check it with nothing but files: checkpoints, inclusion and consistency proofs,
// cosignatures of witnesses, and the list of a witness on other media. It follows
// RFC 6962 for the tree and C2SP for the rest (https://c2sp.org/tlog-checkpoint,
// signed-note, tlog-cosignature, tlog-witness), so that other people's programs can
// check it too. It knows neither databases nor the network.
package auditlog

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"hash"
	"strconv"
	"strings"
	"time"

	"gatehouse"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Checkpoint is what a log commits to at one moment.
type Checkpoint struct {
	Origin   string    // names the log: gatehouse/ORG/SITE/ID
	Size     int64     // how many leaves
	Root     tlog.Hash // of the tree over them
	At       time.Time // to the millisecond; zero where a checkpoint does not say
	Removals Removals  // the list of what was erased and has expired, at that moment
}

// Removals names a state of the erasure list: how many entries, and SHA-256 over them.
// Whoever restores a backup asks a witness for the newest one, and takes no older list.
type Removals struct {
	Count  int64
	Digest [32]byte
}

// maxCheckpoint bounds a checkpoint that somebody else wrote, in bytes.
const maxCheckpoint = 16 << 10

// Text is the body of the checkpoint's note: origin, size and root, a line each, then
// the extension lines "time MILLISECONDS" and "removals COUNT DIGEST".
func (c Checkpoint) Text() string {
	var b strings.Builder
	b.WriteString(c.Origin + "\n" + strconv.FormatInt(c.Size, 10) + "\n" + c.Root.String() + "\n")
	if !c.At.IsZero() {
		b.WriteString("time " + strconv.FormatInt(c.At.UnixMilli(), 10) + "\n")
		b.WriteString("removals " + strconv.FormatInt(c.Removals.Count, 10) + " " + base64.StdEncoding.EncodeToString(c.Removals.Digest[:]) + "\n")
	}
	return b.String()
}

func malformed(what string) error {
	return gatehouse.Errorf("audit.checkpoint", "compare it with another copy", "this is no checkpoint: %s", what)
}

// ParseCheckpoint reads the body of a checkpoint's note. Extension lines that it does
// not know are passed over. It fails with audit.checkpoint.
func ParseCheckpoint(text string) (Checkpoint, error) {
	var c Checkpoint
	if len(text) > maxCheckpoint || !strings.HasSuffix(text, "\n") {
		return c, malformed("it is cut off or too long")
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) < 3 || lines[0] == "" {
		return c, malformed("it has fewer than three lines")
	}
	c.Origin = lines[0]
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return c, malformed("its size is no number")
	}
	c.Size = size
	if c.Root, err = tlog.ParseHash(lines[2]); err != nil {
		return c, malformed("its root is no hash")
	}
	for _, line := range lines[3:] {
		words := strings.Split(line, " ")
		switch {
		case line == "":
			return c, malformed("it has an empty line")
		case words[0] == "time" && len(words) == 2:
			ms, err := strconv.ParseInt(words[1], 10, 64)
			if err != nil {
				return c, malformed("its time is no number")
			}
			c.At = time.UnixMilli(ms).UTC()
		case words[0] == "removals" && len(words) == 3:
			if c.Removals, err = parseRemovals(words[1], words[2]); err != nil {
				return c, err
			}
		}
	}
	return c, nil
}

func parseRemovals(count, digest string) (Removals, error) {
	n, err := strconv.ParseInt(count, 10, 64)
	d, bad := base64.StdEncoding.DecodeString(digest)
	if err != nil || bad != nil || n < 0 || len(d) != sha256.Size {
		return Removals{}, malformed("its erasure list is not named properly")
	}
	return Removals{Count: n, Digest: [32]byte(d)}, nil
}

// RemovalList builds the name of an erasure list, entry by entry.
type RemovalList struct {
	count int64
	hash  hash.Hash
}

// NewRemovalList returns an empty list.
func NewRemovalList() *RemovalList { return &RemovalList{hash: sha256.New()} }

// Add takes the next entry, whose parts are each preceded by their length.
func (l *RemovalList) Add(parts ...[]byte) {
	l.count++
	var b []byte
	for _, p := range parts {
		b = binary.BigEndian.AppendUint32(b, uint32(len(p)))
		b = append(b, p...)
	}
	l.hash.Write(binary.BigEndian.AppendUint32(nil, uint32(len(b))))
	l.hash.Write(b)
}

// Removals names the list as it is now.
func (l *RemovalList) Removals() Removals {
	return Removals{Count: l.count, Digest: [32]byte(l.hash.Sum(nil))}
}

// Sign makes a signed note of a checkpoint.
func Sign(c Checkpoint, signers ...note.Signer) (string, error) {
	b, err := note.Sign(&note.Note{Text: c.Text()}, signers...)
	if err != nil {
		return "", gatehouse.Errorf("audit.signing", "this is a fault of the program", "a checkpoint could not be signed: %w", err)
	}
	return string(b), nil
}

// Open checks that a checkpoint is signed by one of the keys (and wrongly by none of
// them) and reads it. Errors: audit.checkpoint, audit.signature.
func Open(signed string, keys note.Verifiers) (Checkpoint, error) {
	if len(signed) > maxCheckpoint {
		return Checkpoint{}, malformed("it is too long")
	}
	n, err := note.Open([]byte(signed), keys)
	if err != nil {
		if bytes.HasPrefix([]byte(err.Error()), []byte("malformed")) {
			return Checkpoint{}, malformed("it is no signed note")
		}
		return Checkpoint{}, gatehouse.Errorf("audit.signature", "compare the key with the one that the log's operator gave you", "the checkpoint is not signed by the log's key")
	}
	return ParseCheckpoint(n.Text)
}

// Peek reads a checkpoint without checking who signed it.
func Peek(signed string) (Checkpoint, error) {
	text, _, ok := strings.Cut(signed, "\n\n")
	if !ok || len(signed) > maxCheckpoint {
		return Checkpoint{}, malformed("it is no signed note")
	}
	return ParseCheckpoint(text + "\n")
}
