package gallery

// pad is what a code's length is rounded up to: 32 bytes, two vector loads.
const pad = 32

// dotRowsGo puts into out[i] the integer dot product of the query with row i;
// rows holds len(out) codes of len(query) bytes each, one behind the other. It is
// exact: |code| ≤ 128, so 131,072 dimensions fit an int32. The vector path gives
// the same integers.
func dotRowsGo(out []int32, query []int16, rows []int8) {
	dims := len(query)
	for i := range out {
		row := rows[i*dims : (i+1)*dims : (i+1)*dims]
		q := query[:len(row)]
		var a, b, c, d int32
		for len(row) >= 4 && len(q) >= 4 {
			a += int32(row[0]) * int32(q[0])
			b += int32(row[1]) * int32(q[1])
			c += int32(row[2]) * int32(q[2])
			d += int32(row[3]) * int32(q[3])
			row, q = row[4:], q[4:]
		}
		out[i] = a + b + c + d
	}
}

// dot is the cosine of two unit vectors of one length: summed in float64 in a
// fixed order, then rounded to float32, so that every path gives the same bits.
func dot(a, b []float32) float32 {
	b = b[:len(a)]
	var s, t, u, v float64
	for len(a) >= 4 && len(b) >= 4 {
		s += float64(a[0]) * float64(b[0])
		t += float64(a[1]) * float64(b[1])
		u += float64(a[2]) * float64(b[2])
		v += float64(a[3]) * float64(b[3])
		a, b = a[4:], b[4:]
	}
	for i := range a {
		s += float64(a[i]) * float64(b[i])
	}
	return float32((s + t) + (u + v))
}
