package enroll

import (
	"context"

	"gatehouse"
)

// Vehicle asks for the enrolment of a vehicle.
type Vehicle struct {
	ID     gatehouse.SubjectID // zero: a fresh one
	Label  string              // shown while the vault is sealed; required
	Record gatehouse.VehicleRecord
	Grants []gatehouse.Grant
	Into   Membership
}

// Vehicle enrols a vehicle and returns the new opaque id. Errors: enroll.label,
// enroll.plate, enroll.duplicate.
func (e *Enroller) Vehicle(ctx context.Context, r Vehicle) (gatehouse.SubjectID, error) {
	var none gatehouse.SubjectID
	e.mu.Lock()
	defer e.mu.Unlock()
	plate, err := e.checkVehicle(r)
	if err != nil {
		return none, err
	}
	rest := r.Record
	rest.Plate = ""

	now := e.Now().UTC()
	p := plan{At: now, Into: r.Into, Subject: gatehouse.Subject{Place: e.Place, ID: idOr(r.ID), Kind: gatehouse.VehicleSubject, Status: gatehouse.Active, Enrolled: now}}
	if p.Subject.Record, err = e.sealRecord(ctx, p.Subject.ID, plate, "", rest); err != nil {
		return none, err
	}
	badge, err := e.Working.BadgeItem(gatehouse.Badge{Subject: p.Subject.ID, Kind: gatehouse.VehicleSubject, Status: gatehouse.Active, Label: r.Label,
		Grants: r.Grants, ValidFrom: r.Record.ValidFrom, ValidUntil: r.Record.ValidUntil})
	if err != nil {
		return none, err
	}
	allowed, err := e.Working.PlateItem(p.Subject.ID, plate)
	if err != nil {
		return none, err
	}
	p.Items = []gatehouse.WorkingItem{badge, allowed}
	return p.Subject.ID, e.carryOut(ctx, p)
}

// CheckVehicle refuses what Vehicle would refuse.
func (e *Enroller) CheckVehicle(r Vehicle) error {
	_, err := e.checkVehicle(r)
	return err
}

func (e *Enroller) checkVehicle(r Vehicle) (plate string, err error) {
	if err := checkLabel(r.Label); err != nil {
		return "", err
	}
	if err := checkValidity(r.Record.ValidFrom, r.Record.ValidUntil); err != nil {
		return "", err
	}
	if plate, err = checkPlate(r.Record.Plate); err != nil {
		return "", err
	}
	if id, taken := e.Working.ByPlate(plate); taken {
		return "", plateTaken(id)
	}
	return plate, nil
}

// checkPlate gives the form in which a plate is compared, or refuses what is none.
func checkPlate(text string) (string, error) {
	plate := gatehouse.NormalizePlate(text)
	if n := len([]rune(plate)); n < 2 || n > 12 {
		return "", gatehouse.Errorf("enroll.plate", "give --plate with 2 to 12 letters and digits", "that is no number plate")
	}
	return plate, nil
}

func plateTaken(by gatehouse.SubjectID) error {
	return gatehouse.Errorf("enroll.duplicate", "`gatehouse people` shows it", "this plate is enrolled already as %s", by)
}
