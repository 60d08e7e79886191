package server

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/console"
	"gatehouse/flow/disclose"
	"gatehouse/flow/enroll"
	"gatehouse/flow/erase"
	"gatehouse/flow/intake"
	"gatehouse/internal/sheet"
)

// registry is what the console's pages about people and vehicles stand on.
func (s *Server) registry() console.Registry {
	return console.Registry{Enroller: s.enroll, Badges: s.working, Store: s.store, Records: records{s}, Erasures: erasures{s}, Imports: s.imports, ReadTable: readTable,
		CheckGrants: s.admin().checkGrants, Schedules: s.scheduleNames}
}

// scheduleNames are those of the rule book and of gatehouse.yml.
func (s *Server) scheduleNames() (names []string) {
	for _, schedule := range s.rules.List().Schedules {
		names = append(names, schedule.Name)
	}
	return names
}

// records implements console.Records.
type records struct{ *Server }

// Record implements console.Records.
func (r records) Record(ctx context.Context, who console.Who, id gatehouse.SubjectID, reason string, numbered bool) (disclose.Record, error) {
	return r.lend.As(who.Role).Record(ctx, who.Operator, id, reason, numbered)
}

// Photos implements console.Records.
func (r records) Photos(ctx context.Context, who console.Who, id gatehouse.SubjectID, reason string) ([][]byte, error) {
	return r.lend.As(who.Role).Photos(ctx, who.Operator, id, reason)
}

// erasures implements console.Erasures.
type erasures struct{ *Server }

// Erase implements console.Erasures.
func (e erasures) Erase(ctx context.Context, who console.Who, erasure gatehouse.ID, id gatehouse.SubjectID, reason, money string) error {
	_, err := e.eraseFor(ctx, who.Operator, erasure, id, reason, money)
	return err
}

// Known implements console.Erasures.
func (e erasures) Known(ctx context.Context, id gatehouse.SubjectID) (bool, error) {
	return e.erase.Known(ctx, id)
}

// Erasing implements console.Erasures.
func (e erasures) Erasing(ctx context.Context) ([]erase.Progress, error) { return e.erase.Open(ctx) }

// HeldMoney implements console.Erasures.
func (e erasures) HeldMoney(ctx context.Context, id gatehouse.SubjectID) ([]gatehouse.Money, error) {
	return e.heldMoney(ctx, id)
}

// eraseFor erases in an operator's name, by the vault's lease where there is one. The
// erasure's id may be zero. money says what becomes of what its passes hold: refund or keep;
// erase.money where there is some and it is "".
func (s *Server) eraseFor(ctx context.Context, operator string, erasure gatehouse.ID, id gatehouse.SubjectID, reason, money string) (erase.Document, error) {
	if err := s.settleMoney(context.WithoutCancel(ctx), id, money, operator); err != nil {
		return erase.Document{}, err
	}
	as, proof, _ := s.lend.Lease(operator)
	q := erase.Request{ID: erasure, Subject: id, Operator: as, Reason: reason, Proof: proof}
	doc, err := s.erase.Erase(ctx, q)
	switch gatehouse.ErrorCode(err) {
	case "vault.sealed", "vault.forbidden": // the lease has ended: as anybody may
		q.Proof = nil
		doc, err = s.erase.Erase(ctx, q)
	}
	return doc, err
}

// readTable reads a file that somebody gave for an import.
func readTable(file []byte, encoding string) (intake.Table, error) {
	t, err := sheet.Read(file, encoding)
	out := intake.Table{Header: t.Header, Encoding: t.Encoding, Date1904: t.Date1904, Rows: make([]intake.Row, len(t.Rows))}
	for i, row := range t.Rows {
		out.Rows[i] = intake.Row(row)
	}
	return out, err
}

// intakeDesk implements intake.Desk.
type intakeDesk struct{ *Server }

// Check implements intake.Desk.
func (d intakeDesk) Check(_ context.Context, n intake.Newcomer) error {
	if err := d.admin().checkGrants(n.Grants); err != nil {
		return err
	}
	if n.Vehicle != nil {
		return d.enroll.CheckVehicle(enroll.Vehicle{Label: n.Label, Record: *n.Vehicle, Grants: n.Grants})
	}
	return d.enroll.CheckPerson(d.person(n))
}

// Enrol implements intake.Desk.
func (d intakeDesk) Enrol(ctx context.Context, by string, n intake.Newcomer) (gatehouse.SubjectID, error) {
	if err := d.admin().checkGrants(n.Grants); err != nil {
		return gatehouse.SubjectID{}, err
	}
	into := enroll.Membership{By: by, Groups: n.Groups}
	if n.Vehicle != nil {
		return d.enroll.Vehicle(ctx, enroll.Vehicle{Label: n.Label, Record: *n.Vehicle, Grants: n.Grants, Into: into})
	}
	who := d.person(n)
	who.Into = into
	return d.enroll.Person(ctx, who)
}

// Groups implements intake.Desk.
func (d intakeDesk) Groups() []gatehouse.Group { return d.rules.Groups() }

func (intakeDesk) person(n intake.Newcomer) enroll.Person {
	return enroll.Person{Label: n.Label, Record: *n.Person, Later: true, Grants: n.Grants, Card: n.Card, PIN: n.PIN, QR: n.QR, ValidFrom: n.ValidFrom, ValidUntil: n.ValidUntil}
}

// Labels implements intake.Desk.
func (d intakeDesk) Labels(kind gatehouse.SubjectKind) map[string]bool {
	labels := map[string]bool{}
	for _, b := range d.working.Badges() {
		if b.Kind == kind {
			labels[b.Label] = true
		}
	}
	return labels
}

// openImports makes what takes tables.
func (s *Server) openImports() {
	s.imports = intake.NewJobs(intakeDesk{s}, time.Now)
	s.onClose(func(context.Context) error { s.imports.Close(); return nil })
}
