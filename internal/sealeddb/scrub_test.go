package sealeddb

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/ncruces/go-sqlite3/vfs"
)

// written keeps what was written last.
type written struct {
	vfs.File
	page []byte
}

func (w *written) WriteAt(p []byte, _ int64) (int, error) {
	w.page = bytes.Clone(p)
	return len(p), nil
}

// page is a b-tree page with one cell at its end, and the rest of a row in its gap, as
// SQLite leaves it where rows move from one page to another.
func pageWithRest(head int, kind byte, size int) (page []byte, from, to int) {
	page = bytes.Repeat([]byte{0xee}, pageSize)
	page[head] = kind
	binary.BigEndian.PutUint16(page[head+3:], 1)
	binary.BigEndian.PutUint16(page[head+5:], pageSize-100)
	binary.BigEndian.PutUint16(page[head+size:], pageSize-100)
	return page, head + size + 2, pageSize - 100
}

func TestTheGapOfAPageIsWrittenAsZeros(t *testing.T) {
	for kind, size := range map[byte]int{0x02: 12, 0x05: 12, 0x0a: 8, 0x0d: 8} {
		for _, at := range []int64{0, pageSize, 1000 * pageSize} {
			head := 0
			if at == 0 {
				head = 100
			}
			page, from, to := pageWithRest(head, kind, size)
			before, below := bytes.Clone(page), &written{}
			if n, err := (&scrubFile{File: below}).WriteAt(page, at); n != pageSize || err != nil {
				t.Fatal(n, err)
			}
			if !bytes.Equal(page, before) {
				t.Error("SQLite's own page was changed")
			}
			clear(before[from:to])
			if !bytes.Equal(below.page, before) {
				t.Errorf("a page of the kind %d at %d was not written with an empty gap and all else as it is", kind, at)
			}
		}
	}
}

// What is no b-tree page is written as it is.
func TestOtherPagesAreWrittenAsTheyAre(t *testing.T) {
	overflow := bytes.Repeat([]byte{0xee}, pageSize)
	binary.BigEndian.PutUint32(overflow, 77) // the next one
	odd, _, _ := pageWithRest(0, 0x0a, 8)
	binary.BigEndian.PutUint16(odd[5:], pageSize+1)
	crowded, _, _ := pageWithRest(0, 0x0a, 8)
	binary.BigEndian.PutUint16(crowded[3:], 0xffff)
	tree, _, _ := pageWithRest(0, 0x0d, 8)
	for name, c := range map[string]struct {
		page []byte
		at   int64
	}{"an overflow page": {overflow, pageSize}, "cells behind the end": {odd, pageSize}, "more pointers than fit": {crowded, pageSize},
		"half a page": {tree[:2048], pageSize}, "between two pages": {tree, 24}, "where page numbers begin with any byte": {tree, scrubbed}} {
		below := &written{}
		if n, err := (&scrubFile{File: below}).WriteAt(c.page, c.at); n != len(c.page) || err != nil || !bytes.Equal(below.page, c.page) {
			t.Errorf("%s: changed (%d, %v)", name, n, err)
		}
	}
}
