package vault

import (
	"bytes"
	"math/bits"

	"gatehouse"
)

// recordStep is the step of records' sizes, in bytes.
const recordStep = 4096

// paddedLen is the size that n bytes and one marker byte are padded to.
func paddedLen(n int, how gatehouse.Padding) int {
	n++ // the marker
	switch how {
	case gatehouse.PadRecord:
		return (n + recordStep - 1) / recordStep * recordStep
	case gatehouse.PadImage:
		return padme(n)
	}
	switch {
	case n <= 64:
		return 64
	case n <= 256:
		return 256
	}
	return (n + 1023) / 1024 * 1024
}

// padme rounds n up so that its length leaks O(log log n) bits at an overhead of at
// most 12 %: Nikitin et al., "Reducing Metadata Leakage from Encrypted Files and
// Communication with PURBs" (PETS 2019), algorithm 1.
func padme(n int) int {
	if n < 2 {
		return n
	}
	e := bits.Len(uint(n)) - 1     // floor(log2 n)
	s := bits.Len(uint(e))         // floor(log2 e) + 1
	mask := (1 << max(0, e-s)) - 1 // the low bits that must be zero
	return (n + mask) &^ mask
}

// padBehind returns a buffer of head bytes and, behind them, the plaintext with 0x80
// and zeros (ISO/IEC 7816-4) up to paddedLen, with room for a tag: what is sealed in
// place costs one copy.
func padBehind(head int, plaintext []byte, how gatehouse.Padding) []byte {
	n := head + paddedLen(len(plaintext), how)
	b := make([]byte, n, n+tagSize)
	copy(b[head:], plaintext)
	b[head+len(plaintext)] = 0x80
	return b
}

// unpad undoes padBehind, head aside; false where the marker is missing. The padding was
// authenticated, so its check need not be constant in time.
func unpad(b []byte) ([]byte, bool) {
	b = bytes.TrimRight(b, "\x00")
	if len(b) == 0 || b[len(b)-1] != 0x80 {
		return nil, false
	}
	return b[: len(b)-1 : len(b)-1], true
}
