//go:build !amd64 || purego

package gallery

// Kernel names the scan in use: avx2 or go.
func Kernel() string { return "go" }

func dotRows(out []int32, query []int16, rows []int8) { dotRowsGo(out, query, rows) }
