package auditlog

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"gatehouse"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// List is a witness on other media: a file to which checkpoints are only ever added,
// each a signed note with an empty line behind it.
type List struct{ Path string }

// maxList bounds the file: about 600 years of a checkpoint an hour, or ten of one a minute.
const maxList = 2 << 30

// Read returns the file's notes, the oldest first; what stands behind the last empty
// line was being written when the machine stopped, and does not count. A file that is
// not there has fs.ErrNotExist in its error's chain. Errors: audit.witness_unreachable,
// audit.witness_damaged.
func (l List) Read() (notes []string, err error) {
	info, err := os.Stat(l.Path)
	if err == nil && info.Size() > maxList {
		return nil, l.damaged("it is too long")
	}
	b, err := os.ReadFile(l.Path)
	if err != nil {
		return nil, l.unreachable(err)
	}
	notes, _, err = l.split(string(b))
	return notes, err
}

// split gives the whole notes, and how many bytes they take.
func (l List) split(text string) (notes []string, whole int, err error) {
	for rest := text; rest != ""; {
		body, behind, ok := strings.Cut(rest, "\n\n")
		if !ok {
			break
		}
		signatures, next, ok := strings.Cut(behind, "\n\n")
		if !ok {
			break
		}
		if body == "" || !strings.HasPrefix(signatures, "— ") {
			return nil, 0, l.damaged("it holds something that is no checkpoint")
		}
		notes = append(notes, body+"\n\n"+signatures+"\n")
		whole += len(rest) - len(next)
		rest = next
	}
	return notes, whole, nil
}

func (l List) damaged(why string) error {
	return gatehouse.Errorf("audit.witness_damaged", "keep the file as it is, and compare it with a copy; somebody may have altered it", "the witness file is damaged: %s", why)
}

func (l List) unreachable(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return gatehouse.Errorf("audit.witness_full", "make room where the witness file lies", "the witness file's medium is full: %w", err)
	}
	return gatehouse.Errorf("audit.witness_unreachable", "check that its medium is there and can be written", "the witness file cannot be used: %w", err)
}

// Add appends a signed checkpoint, durably, if it continues the last one there by the
// proof that consistency gives for the two sizes. known is the size that this file is
// known to have seen (0: none): a file that is gone, or ends before that, is no witness.
// It adds nothing where the last one has the same size and root. Errors:
// audit.rolled_back, audit.signature, audit.witness_lost, audit.witness_damaged,
// audit.witness_unreachable, audit.witness_full.
func (l List) Add(signed string, keys note.Verifiers, known int64, consistency func(older, newer int64) ([]tlog.Hash, error)) error {
	newer, err := Open(signed, keys)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(l.Path, os.O_RDWR, 0o600)
	switch {
	case errors.Is(err, fs.ErrNotExist) && known > 0:
		return gatehouse.Errorf("audit.witness_lost", "bring the medium with the file back; to begin another list, name another file", "the witness file is gone")
	case errors.Is(err, fs.ErrNotExist):
		f, err = os.OpenFile(l.Path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	}
	if err != nil {
		return l.unreachable(err)
	}
	defer f.Close()
	last, end, err := l.last(f)
	if err != nil {
		return err
	}
	var older Checkpoint
	if last != "" {
		if older, err = Open(last, keys); err != nil {
			return l.damaged("its last checkpoint is not signed by this log")
		}
	}
	if older.Size < known {
		return gatehouse.Errorf("audit.witness_lost", "bring the medium with the newest file back", "the witness file ends at %d entries and had seen %d: it was cut, or is an old copy", older.Size, known)
	}
	if last != "" {
		var proof []tlog.Hash
		if older.Size > 0 && older.Size < newer.Size {
			if proof, err = consistency(older.Size, newer.Size); err != nil {
				return err
			}
		}
		if err := Consistent(older, newer, proof); err != nil || older.Size == newer.Size {
			return err
		}
	}
	return l.write(f, end, signed)
}

// tail is how much of the file's end is read to find the last checkpoint.
const tail = 4 * maxCheckpoint

// last finds the last whole note, and where the next one goes. Before the last two
// notes nothing is looked at: `audit verify` does that.
func (l List) last(f *os.File) (last string, end int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return "", 0, l.unreachable(err)
	}
	start := max(0, info.Size()-tail)
	b := make([]byte, info.Size()-start)
	if _, err := f.ReadAt(b, start); err != nil && len(b) > 0 {
		return "", 0, l.unreachable(err)
	}
	text := string(b)
	if start > 0 { // begin at the first note that is whole: behind signatures
		_, behind, ok := strings.Cut(text, "\n— ")
		if ok {
			_, behind, ok = strings.Cut(behind, "\n\n")
		}
		if !ok {
			return "", 0, l.damaged("its end is no checkpoint")
		}
		start += int64(len(text) - len(behind))
		text = behind
	}
	notes, whole, err := l.split(text)
	if err != nil || len(notes) == 0 {
		return "", start + int64(whole), err
	}
	return notes[len(notes)-1], start + int64(whole), nil
}

func (l List) write(f *os.File, end int64, signed string) error {
	if err := f.Truncate(end); err != nil { // half a note that a crash left
		return l.unreachable(err)
	}
	if _, err := f.WriteAt([]byte(signed+"\n"), end); err != nil {
		return l.unreachable(errors.Join(err, f.Truncate(end)))
	}
	if err := f.Sync(); err != nil {
		return l.unreachable(err)
	}
	dir, err := os.Open(filepath.Dir(l.Path))
	if err != nil {
		return l.unreachable(err)
	}
	defer dir.Close()
	if err := dir.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) {
		return l.unreachable(err)
	}
	return nil
}
