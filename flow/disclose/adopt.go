package disclose

import (
	"slices"
	"time"
)

// Adopt takes over a lease that was granted to the site where its vault is, on another
// machine, which has written the unsealing into the log. The same one twice is one.
func (d *Discloser) Adopt(proof []byte, until time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if slices.ContainsFunc(d.leases, func(l lease) bool { return slices.Equal(l.proof, proof) }) {
		return
	}
	d.keep(lease{proof, until})
}

// Holds reports whether there is a lease to open under, which may have ended since.
func (d *Discloser) Holds() bool { return d.proof() != nil }

// keep puts a lease where it belongs; it must be called with the lock held.
func (d *Discloser) keep(l lease) {
	at, _ := slices.BinarySearchFunc(d.leases, l.until, func(l lease, t time.Time) int { return t.Compare(l.until) })
	d.leases = slices.Insert(d.leases, at, l)
	d.leases = d.leases[:min(len(d.leases), maxLeases)]
}
