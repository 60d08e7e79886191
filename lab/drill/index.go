package drill

import (
	"crypto/hmac"
	"crypto/md5"  //nolint:gosec // what a careless product may have used
	"crypto/sha1" //nolint:gosec // what a careless product may have used
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"hash"
	"strings"
)

// digests are what brute force over a region gives: the digests of every phone number
// and plate of a range that holds the marked ones, to be looked for in anything that
// looks like an index. A digest counts from its first 16 bytes on, so that truncated
// ones do, too.
type digests struct {
	bitmap []uint64
	rest   map[uint64]uint64 // first 8 bytes -> next 8
}

const digestBits = 25 // 4 MiB of bitmap for some million digests

func newDigests() *digests {
	return &digests{bitmap: make([]uint64, 1<<digestBits/64), rest: map[uint64]uint64{}}
}

func (d *digests) add(sum []byte) {
	first := binary.LittleEndian.Uint64(sum)
	d.rest[first] = binary.LittleEndian.Uint64(sum[8:])
	slot := first * 0x9E3779B97F4A7C15 >> (64 - digestBits)
	d.bitmap[slot/64] |= 1 << (slot % 64)
}

// count says how many of the digests stand in b, at any place.
func (d *digests) count(b []byte) (n int) {
	for i := 0; i+16 <= len(b); i++ {
		first := binary.LittleEndian.Uint64(b[i:])
		slot := first * 0x9E3779B97F4A7C15 >> (64 - digestBits)
		if d.bitmap[slot/64]>>(slot%64)&1 == 0 {
			continue
		}
		if next, ok := d.rest[first]; ok && next == binary.LittleEndian.Uint64(b[i+8:]) {
			n++
		}
	}
	return n
}

// bruteForce makes the digests: every value of the region without a key, and under
// the keys that this thief knows to be keys; and the marked values, of which an index
// would hold every one, under everything else that may be a key.
func bruteForce(region, marked []string, known, possible [][]byte) *digests {
	d := newDigests()
	plain := []hash.Hash{sha256.New(), sha1.New(), md5.New(), sha512.New()} //nolint:gosec // see the imports
	keyed := macs(known)
	for _, value := range region {
		d.all(plain, value)
		d.all(keyed, value)
	}
	others := macs(possible)
	for _, value := range marked {
		for _, spelling := range spellings(value) {
			d.all(plain, spelling)
			d.all(keyed, spelling)
			d.all(others, spelling)
		}
	}
	return d
}

func macs(keys [][]byte) (all []hash.Hash) {
	for _, key := range keys {
		all = append(all, hmac.New(sha256.New, key))
	}
	return all
}

func (d *digests) all(hashes []hash.Hash, value string) {
	var sum [64]byte
	for _, h := range hashes {
		h.Reset()
		h.Write([]byte(value))
		d.add(h.Sum(sum[:0]))
	}
}

// spellings are the ways in which a program may write a value before it hashes it.
func spellings(value string) []string {
	all := []string{value}
	for _, other := range []string{strings.ToLower(value), strings.TrimPrefix(value, "+"), strings.TrimPrefix(value, "+86"), "phone:" + value, "plate:" + value, value + "\n"} {
		if other != value {
			all = append(all, other)
		}
	}
	return all
}
