package track

// Alike is the similarity of two plates' texts: 1 minus the edit distance over
// the longer one's length (Levenshtein 1966: insert, delete, replace cost 1), 0..1.
// Two empty texts are not alike.
func Alike(a, b string) float64 {
	x, y := []rune(a), []rune(b)
	n := max(len(x), len(y))
	if n == 0 {
		return 0
	}
	return 1 - float64(edits(x, y))/float64(n)
}

func edits(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range a {
		diagonal := row[0]
		row[0] = i + 1
		for j, y := range b {
			cost := diagonal
			if x != y {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
