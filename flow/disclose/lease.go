package disclose

// Lease names an operator as the vault knows them, and gives the proof that lasts
// longest, nil while the vault is sealed: for calls that need an operator and open
// nothing.
func (d *Discloser) Lease(operator string) (name string, proof []byte) {
	return holder + "/" + operator, d.proof()
}
