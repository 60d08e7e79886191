package server

import (
	"fmt"
	"path/filepath"
	"testing"

	"gatehouse"
	"gatehouse/flow/intake"
)

// BenchmarkImport enrols one person of a table a round, at a real site: sealed, in the
// log, durable.
func BenchmarkImport(b *testing.B) {
	c := DefaultConfig()
	c.Data, c.GateKey, c.LogLevel = filepath.Join(b.TempDir(), "data"), filepath.Join(b.TempDir(), "gate.key"), "error"
	s, err := Open(b.Context(), c, Options{NewPassphrase: []byte(passphrase)})
	if err != nil {
		b.Skip(err)
	}
	defer s.Close(b.Context())
	d := intakeDesk{s}
	n := 0
	for b.Loop() {
		n++
		who := intake.Newcomer{Label: fmt.Sprintf("B-%d", n), Person: &gatehouse.PersonRecord{Name: "Somebody", Phone: "+49"}, Card: gatehouse.Secret(fmt.Sprint("card ", n))}
		if _, err := d.Enrol(b.Context(), socketOperator, who); err != nil {
			b.Fatal(err)
		}
	}
}
