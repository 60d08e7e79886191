//go:build amd64 && !purego

package gallery

import "golang.org/x/sys/cpu"

var haveAVX2 = cpu.X86.HasAVX2

// Kernel names the scan in use: avx2 or go.
func Kernel() string {
	if haveAVX2 {
		return "avx2"
	}
	return "go"
}

func dotRows(out []int32, query []int16, rows []int8) {
	if !haveAVX2 || len(out) == 0 {
		dotRowsGo(out, query, rows)
		return
	}
	// The assembly checks nothing, so the bounds are checked here.
	_ = rows[len(out)*len(query)-1]
	if len(query)%pad != 0 {
		panic("gallery: the query is not padded")
	}
	dotRowsAVX2(&query[0], &rows[0], len(out), len(query), &out[0])
}

// dotRowsAVX2 is dotRowsGo over n rows of dims bytes; dims is a positive multiple
// of 32. Bytes are widened to 16 bits before they are multiplied, so nothing
// saturates.
//
//go:noescape
func dotRowsAVX2(query *int16, rows *int8, n, dims int, out *int32)
