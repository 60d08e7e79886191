package payroll

import (
	"cmp"
	"math/bits"
	"slices"

	"gatehouse"
)

// Split divides a line over sites, cost centres and projects by weight; a share without a
// site leaves the line's. The parts' minutes and
// amounts add up to the line's: what does not divide goes, a minute and a minor unit each,
// to the parts with the largest remainders, the earlier of equals. Errors: pay.split where
// the weights come to nothing or a weight is below zero.
func Split(line gatehouse.PayLine, shares []gatehouse.PayShare) ([]gatehouse.PayLine, error) {
	weights := make([]int64, len(shares))
	total := int64(0)
	for i, s := range shares {
		if s.Weight < 0 || s.Weight > 1<<40 || len(shares) > 1000 {
			return nil, gatehouse.Errorf("pay.split", "weights are 0 or more, in at most 1,000 parts", "a split has a weight that means nothing")
		}
		weights[i] = s.Weight
		total += s.Weight
	}
	if total == 0 {
		return nil, gatehouse.Errorf("pay.split", "give a weight of 1 or more", "a split has no weight")
	}
	minutes, ok1 := divide(int64(line.Minutes), weights, total)
	amounts, ok2 := divide(line.Amount.Minor, weights, total)
	off, ok3 := divide(int64(line.TimeOff), weights, total)
	if !ok1 || !ok2 || !ok3 {
		return nil, tooLarge()
	}
	var out []gatehouse.PayLine
	for i, s := range shares {
		l := line
		if s.Site != "" {
			l.Site = s.Site
		}
		l.CostCentre, l.Project, l.Minutes, l.Amount.Minor, l.TimeOff = s.CostCentre, s.Project, int(minutes[i]), amounts[i], int(off[i])
		if l.Minutes != 0 || l.Amount.Minor != 0 || l.TimeOff != 0 {
			out = append(out, l)
		}
	}
	return out, nil
}

// divide is the method of largest remainders; of an amount below zero as of one above.
func divide(n int64, weights []int64, total int64) ([]int64, bool) {
	sign := int64(1)
	if n < 0 {
		sign, n = -1, -n
	}
	parts, rest := make([]int64, len(weights)), make([]int64, len(weights))
	left := n
	order := make([]int, len(weights))
	for i, w := range weights {
		q, ok := gatehouse.MulDiv(n, w, total, gatehouse.RoundDown)
		if !ok {
			return nil, false
		}
		// n·w mod total, in 128 bits as MulDiv reckons; n is below MaxMinor.
		hi, lo := bits.Mul64(uint64(n), uint64(w))
		_, r := bits.Div64(hi%uint64(total), lo, uint64(total))
		rest[i] = int64(r)
		parts[i], order[i] = q, i
		left -= q
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rest[b], rest[a]) })
	for _, i := range order[:left] {
		parts[i]++
	}
	for i := range parts {
		parts[i] *= sign
	}
	return parts, true
}
