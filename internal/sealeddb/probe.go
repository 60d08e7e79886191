package sealeddb

import (
	"encoding/binary"
	"errors"
	"io"
	"os"

	"gatehouse"

	cipher "lukechampine.com/adiantum"
)

// pageSize is the size of a database page and of a cipher block.
const pageSize = 4096

// probe finds out whether the key fits before SQLite sees the files: under a wrong
// key it would take the write-ahead log for rubbish and remove it when it closes,
// with the commits in it. Errors: store.key, store.damaged, store.failed.
//
// One page that decrypts to what it must be proves the key, so that a database of
// which some other page is damaged, the first included, is not blamed on the key.
func probe(path string, key [32]byte) error {
	size, fits, err := anyPageFits(path, key)
	if err != nil {
		return Wrap(path, err)
	}
	logSize, logFits, err := logFits(path+"-wal", key)
	if err != nil {
		return Wrap(path, err)
	}
	switch {
	case fits || logFits || size == 0 && logSize == 0:
		return nil
	case size > 0 && size < pageSize:
		return gatehouse.Errorf("store.damaged", "restore it from a backup", "the database is cut off after %d bytes", size)
	}
	return errWrongKey(path)
}

// anyPageFits looks at page 1, which begins with SQLite's name, and at 64 more,
// which begin with the header of a b-tree page
// (https://sqlite.org/fileformat2.html). Noise passes with a probability below
// 1 in 10,000.
func anyPageFits(path string, key [32]byte) (size int64, fits bool, err error) {
	f, size, err := openSized(path)
	if err != nil || f == nil {
		return 0, false, err
	}
	defer f.Close()
	block := make([]byte, pageSize)
	for page := int64(0); page <= 64 && (page+1)*pageSize <= size; page++ {
		if _, err := f.ReadAt(block, page*pageSize); err != nil {
			return size, false, err
		}
		plain := decrypt(key, block, page*pageSize)
		if page == 0 && string(plain[:16]) == "SQLite format 3\x00" || page > 0 && isBTree(plain) {
			return size, true, nil
		}
	}
	return size, false, nil
}

// logFits looks at the first block of the write-ahead log, which begins with its
// magic number.
func logFits(path string, key [32]byte) (size int64, fits bool, err error) {
	f, size, err := openSized(path)
	if err != nil || f == nil {
		return 0, false, err
	}
	defer f.Close()
	block := make([]byte, pageSize)
	if _, err := io.ReadFull(f, block); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return size, false, nil // nothing was ever committed in it
		}
		return size, false, err
	}
	magic := binary.BigEndian.Uint32(decrypt(key, block, 0))
	return size, magic == 0x377f0682 || magic == 0x377f0683, nil
}

// openSized returns no file where there is none.
func openSized(path string) (*os.File, int64, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, info.Size(), nil
}

// decrypt opens one block in place; its tweak is its offset, as the cipher's
// package has it.
func decrypt(key [32]byte, block []byte, offset int64) []byte {
	var tweak [8]byte
	binary.LittleEndian.PutUint64(tweak[:], uint64(offset))
	return cipher.New(key[:]).Decrypt(block, tweak[:])
}

// isBTree checks the page's kind and that its cells lie behind its cell pointers.
func isBTree(page []byte) bool {
	header := 8
	switch page[0] {
	case 2, 5:
		header = 12
	case 10, 13:
	default:
		return false
	}
	free := int(binary.BigEndian.Uint16(page[1:]))
	cells := int(binary.BigEndian.Uint16(page[3:]))
	content := int(binary.BigEndian.Uint16(page[5:]))
	return header+2*cells <= content && content <= pageSize && free < pageSize && page[7] <= 60
}

// Fits reports whether the database at path is under the key, beyond doubt: its first
// page decrypts to what it must be. An empty or missing file is under no key. Which
// of two keys is the right one after a crash in the middle of a Rewrite is told by it.
func Fits(path string, key [32]byte) (bool, error) {
	f, size, err := openSized(path)
	if err != nil || f == nil {
		return false, Wrap(path, err)
	}
	defer f.Close()
	if size < pageSize {
		return false, nil
	}
	block := make([]byte, pageSize)
	if _, err := f.ReadAt(block, 0); err != nil {
		return false, Wrap(path, err)
	}
	return string(decrypt(key, block, 0)[:16]) == "SQLite format 3\x00", nil
}
