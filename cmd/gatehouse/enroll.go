package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"

	"golang.org/x/term"
)

// EnrollCmd enrols people and vehicles, over the running server's socket or
// straight into the store when no server runs.
type EnrollCmd struct {
	Person  EnrollPersonCmd  `cmd:"" help:"Enrol a person from one or more photos, or with a card or PIN alone."`
	Vehicle EnrollVehicleCmd `cmd:"" help:"Enrol a vehicle by its plate."`
}

// EnrollPersonCmd enrols a person.
type EnrollPersonCmd struct {
	Photos       []string `arg:"" optional:"" help:"Photos of this person alone (JPEG or PNG)."`
	Label        string   `required:"" help:"What the badge says; the console shows it while the vault is sealed."`
	RecordFile   string   `help:"Read the personal record from a JSON file (- for standard input): one object with name, birth_date, gender, national_id, number, phone, email, address, unit. Other users see a command line and the shell's history keeps it: prefer this to the flags that follow." placeholder:"FILE"`
	Name         string   `help:"Full name."`
	BirthDate    string   `help:"YYYY-MM-DD."`
	Gender       string   `help:"As the person states it."`
	NationalID   string   `name:"national-id" help:"National ID number."`
	Number       string   `help:"Employee or student number."`
	Phone        string   `help:"Telephone number."`
	Email        string   `help:"E-mail address."`
	Address      string   `help:"Postal address."`
	Unit         string   `help:"Organization unit."`
	Allow        []string `help:"GATE or GATE:SCHEDULE, for example front-door:office-hours; \"*\" is every gate." default:"*"`
	ConsentRef   string   `help:"Where the signed consent lies; without it the person is asked on this terminal." placeholder:"TEXT"`
	Guardian     bool     `help:"A guardian signed (required below the age of the site's law: law in gatehouse.yml)."`
	DistinctFrom string   `help:"The id of a twin who is enrolled already; both need a second factor then." placeholder:"ID"`
	CardFile     string   `help:"Read the card number from a file (- for standard input): numbers do not belong on a command line." placeholder:"FILE"`
	PINFile      string   `name:"pin-file" help:"Read the PIN from a file." placeholder:"FILE"`
	QRFile       string   `name:"qr-file" help:"Read the QR code's text from a file." placeholder:"FILE"`
	ValidFrom    string   `help:"First day, YYYY-MM-DD."`
	ValidUntil   string   `help:"First day that counts no more, YYYY-MM-DD."`
}

// Run enrols.
func (cmd EnrollPersonCmd) Run(ctx context.Context, out *Out) error {
	r := wire.EnrollPersonRequest{Label: cmd.Label, ConsentRef: cmd.ConsentRef, Guardian: cmd.Guardian,
		Record: gatehouse.PersonRecord{Name: cmd.Name, BirthDate: cmd.BirthDate, Gender: cmd.Gender, NationalID: cmd.NationalID,
			Number: cmd.Number, Phone: cmd.Phone, Email: cmd.Email, Address: cmd.Address, Unit: cmd.Unit},
		Grants: grants(cmd.Allow)}
	var err error
	if cmd.RecordFile != "" {
		if r.Record != (gatehouse.PersonRecord{}) {
			return gatehouse.Errorf("record.twice", "put everything into the file", "--record-file and flags of the record do not go together")
		}
		if r.Record, err = readRecord(out, cmd.RecordFile); err != nil {
			return err
		}
	}
	if cmd.DistinctFrom != "" {
		if r.DistinctFrom, err = gatehouse.ParseID(cmd.DistinctFrom); err != nil {
			return err
		}
	}
	for _, f := range []struct {
		path string
		into *string
	}{{cmd.CardFile, &r.Card}, {cmd.PINFile, &r.PIN}, {cmd.QRFile, &r.QR}} {
		if *f.into, err = readSecret(out, f.path); err != nil {
			return err
		}
	}
	for _, d := range []struct {
		text string
		into *time.Time
	}{{cmd.ValidFrom, &r.ValidFrom}, {cmd.ValidUntil, &r.ValidUntil}} {
		if *d.into, err = parseDay(d.text); err != nil {
			return err
		}
	}
	for _, path := range cmd.Photos {
		photo, err := readPhoto(path)
		if err != nil {
			return err
		}
		r.Photos = append(r.Photos, photo)
	}
	if len(r.Photos) > 0 {
		if r.ConsentGiven, r.ConsentHow, err = consent(out, cmd.ConsentRef); err != nil {
			return err
		}
	}
	return answer(ctx, out, func(a api.Admin) (wire.EnrollResponse, error) { return a.EnrollPerson(ctx, r) }, func(got wire.EnrollResponse) {
		out.Say("enrolled %s as %s", cmd.Label, got.Subject)
	})
}

// consent is what the person answers on a terminal, or a reference to a signed form.
func consent(out *Out, ref string) (given bool, how string, err error) {
	if ref != "" {
		return true, "reference", nil
	}
	f, ok := out.Stdin.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return false, "", gatehouse.Errorf("enroll.consent", "run it on a terminal, or give --consent-ref", "the person must agree before a template is made")
	}
	fmt.Fprint(out.Stderr, "A description of your face will be computed from the photos and used to open the doors you\nare allowed at. It is kept until you withdraw, can be erased, and every door offers another\nway in. Do you agree? [yes/no] ")
	line, err := bufio.NewReader(f).ReadString('\n')
	if err != nil {
		return false, "", err
	}
	if answer := strings.ToLower(strings.TrimSpace(line)); answer != "yes" && answer != "y" {
		return false, "", gatehouse.Errorf("enroll.consent", "enrol with a card or PIN instead", "the person did not agree; nothing was stored")
	}
	return true, "terminal", nil
}

// EnrollVehicleCmd enrols a vehicle.
type EnrollVehicleCmd struct {
	PlateFile  string   `help:"Read the plate from a file instead of --plate." placeholder:"FILE"`
	Plate      string   `help:"The number plate."`
	Label      string   `required:"" help:"What the console shows while the vault is sealed, for example the pass number."`
	Region     string   `help:"cn, eu, us or br." enum:"cn,eu,us,br,any" default:"any"`
	Class      string   `help:"car, truck, bus or motorbike." default:"car"`
	Colour     string   `help:"Colour."`
	Owner      string   `help:"A person's id or a tenant's name."`
	Allow      []string `help:"GATE or GATE:SCHEDULE; \"*\" is every gate." default:"*"`
	ValidFrom  string   `help:"First day, YYYY-MM-DD."`
	ValidUntil string   `help:"First day that counts no more, YYYY-MM-DD."`
}

// Run enrols.
func (cmd EnrollVehicleCmd) Run(ctx context.Context, out *Out) error {
	r := wire.EnrollVehicleRequest{Label: cmd.Label, Grants: grants(cmd.Allow), Record: gatehouse.VehicleRecord{Plate: cmd.Plate,
		Region: cmd.Region, Class: cmd.Class, Colour: cmd.Colour, Owner: cmd.Owner}}
	var err error
	if cmd.PlateFile != "" {
		if r.Record.Plate, err = readSecret(out, cmd.PlateFile); err != nil {
			return err
		}
	}
	if r.Record.ValidFrom, err = parseDay(cmd.ValidFrom); err != nil {
		return err
	}
	if r.Record.ValidUntil, err = parseDay(cmd.ValidUntil); err != nil {
		return err
	}
	return answer(ctx, out, func(a api.Admin) (wire.EnrollResponse, error) { return a.EnrollVehicle(ctx, r) }, func(got wire.EnrollResponse) {
		out.Say("enrolled %s as %s", cmd.Label, got.Subject)
	})
}

// grants reads GATE or GATE:SCHEDULE.
func grants(allow []string) []gatehouse.Grant {
	var out []gatehouse.Grant
	for _, a := range allow {
		gate, schedule, ok := strings.Cut(a, ":")
		if !ok {
			schedule = "always"
		}
		out = append(out, gatehouse.Grant{Gate: gatehouse.GateID(gate), Schedule: schedule})
	}
	return out
}

func parseDay(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.ParseInLocation(time.DateOnly, text, time.Local)
	if err != nil {
		return t, gatehouse.Errorf("date.malformed", "write it as YYYY-MM-DD", "that is no date")
	}
	return t, nil
}
