package server

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
	"gatehouse/flow/enroll"
	"gatehouse/vault"
)

// PlantCanary implements api.DisclosureAdmin. The vault knows of the canary before it
// is enrolled, so that a crash leaves one that is not there and never a person who is
// none. A person has a card that nobody holds and no face; a vehicle a plate whose
// time is over, so that it opens nothing.
func (a admin) PlantCanary(ctx context.Context, r wire.CanaryPlantRequest) (wire.CanaryPlantResponse, error) {
	out := wire.CanaryPlantResponse{Kind: r.Kind, Label: r.Label}
	if r.Kind == tokenKind {
		out.Label, out.Token = "", auth.NewToken()
		return out, a.vault.PlantCanary(ctx, socketOperator, r.With.Credential(), vault.Canary{Kind: r.Kind, Label: r.Note, Digest: vault.TokenDigest(out.Token)})
	}
	if out.Label == "" {
		out.Label = fmt.Sprintf("B-%04d", pick(10_000))
	}
	if err := a.bait(ctx, r, &out); err != nil {
		return wire.CanaryPlantResponse{}, err
	}
	now := time.Now()
	always := []gatehouse.Grant{{Gate: "*", Schedule: "always"}}
	var err error
	if r.Kind == string(gatehouse.VehicleSubject) {
		record := gatehouse.VehicleRecord{Plate: madeUpPlate(), Class: "car", Colour: one(colours), ValidUntil: now.AddDate(0, 0, -30-pick(300))}
		record.ValidFrom = record.ValidUntil.AddDate(-1, 0, 0)
		_, err = a.enroll.Vehicle(ctx, enroll.Vehicle{ID: out.Subject, Label: out.Label, Record: record, Grants: always})
	} else {
		_, err = a.enroll.Person(ctx, enroll.Person{ID: out.Subject, Label: out.Label, Record: madeUpPerson(now), Grants: always, Card: gatehouse.Secret(auth.NewToken())})
	}
	return out, err
}

const tokenKind = "token"

// bait chooses the canary's id and tells the vault of it, unless somebody has done so at
// the vault's machine: then no vault is asked, and the id must be nobody's here.
func (a admin) bait(ctx context.Context, r wire.CanaryPlantRequest, out *wire.CanaryPlantResponse) error {
	if r.Planted.IsZero() {
		out.Subject = gatehouse.RandomID()
		return a.vault.PlantCanary(ctx, socketOperator, r.With.Credential(), vault.Canary{Subject: out.Subject, Kind: r.Kind, Label: r.Note})
	}
	if elsewhere, _ := a.vault.Elsewhere(); !elsewhere || r.Note != "" {
		return gatehouse.Errorf("canary.site", "leave --planted out here, and --note where the vault is", "a canary is planted at the vault's machine only where a site has one")
	}
	if _, err := a.store.Subject(ctx, a.site.Place, r.Planted); gatehouse.ErrorCode(err) != "store.not_found" {
		if err == nil {
			err = gatehouse.Errorf("canary.subject", "give the id that `gatehouse vault canary plant` printed, once", "this id is somebody's already")
		}
		return err
	}
	out.Subject = r.Planted
	return nil
}

// pick is a random number below n.
func pick(n int) int {
	v, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic("the system has no randomness: " + err.Error())
	}
	return int(v.Int64())
}

func one(list []string) string { return list[pick(len(list))] }

var (
	givenNames = []string{"Alice", "Amir", "Anna", "Ben", "Carla", "Chen", "Daniel", "Elena", "Emma", "Farid", "Hannah", "Ivan", "Jana", "Jonas", "Julia", "Kenji", "Laura", "Leon", "Li",
		"Lucas", "Maria", "Marta", "Mei", "Mohamed", "Nina", "Noah", "Olga", "Omar", "Paul", "Priya", "Rosa", "Sara", "Sofia", "Tariq", "Thomas", "Vera", "Wei", "Yara", "Yusuf", "Zoe"}
	surnames = []string{"Ahmed", "Bauer", "Bianchi", "Chen", "Costa", "Diaz", "Fischer", "Garcia", "Haddad", "Hoffmann", "Ivanov", "Jansen", "Kaya", "Keller", "Kim", "Kowalski", "Kumar", "Lang",
		"Lee", "Lopez", "Martin", "Meyer", "Moreau", "Novak", "Okafor", "Olsen", "Patel", "Pereira", "Petrov", "Ricci", "Rossi", "Santos", "Schmidt", "Silva", "Singh", "Sato", "Tanaka", "Vogel", "Wang", "Weber"}
	units   = []string{"Accounts", "Building services", "Development", "Human resources", "Logistics", "Production", "Purchasing", "Quality", "Sales", "Support"}
	colours = []string{"black", "blue", "grey", "red", "silver", "white"}
)

// madeUpPerson is a record that looks like the others and is nobody's.
func madeUpPerson(now time.Time) gatehouse.PersonRecord {
	given, surname := one(givenNames), one(surnames)
	born := now.AddDate(-20-pick(40), 0, -pick(365))
	return gatehouse.PersonRecord{Name: given + " " + surname, BirthDate: born.Format(time.DateOnly), NationalID: madeUpID(born),
		Number: fmt.Sprint(10_000 + pick(80_000)), Phone: fmt.Sprintf("+49 15%d %07d", pick(10), pick(10_000_000)),
		Email: string(given[0]|0x20) + "." + lower(surname) + "@example.com", Unit: one(units)}
}

// madeUpID has the form of an 18-digit resident identity number with its check digit
// (GB 11643-1999, ISO 7064 MOD 11-2), of a district code that was never given out.
func madeUpID(born time.Time) string {
	digits := "100000" + born.Format("20060102") + fmt.Sprintf("%03d", pick(1000))
	sum := 0
	for i, c := range digits {
		sum += int(c-'0') * ((1 << (17 - i)) % 11)
	}
	return digits + string("10X98765432"[sum%11])
}

func madeUpPlate() string {
	const letters = "ABCDEFGHJKLMNPRSTUVWXYZ"
	letter := func() string { return string(letters[pick(len(letters))]) }
	return letter() + letter() + fmt.Sprintf("%02d", pick(100)) + letter() + letter() + letter()
}

func lower(s string) string {
	b := []byte(s)
	for i := range b {
		if b[i] >= 'A' && b[i] <= 'Z' {
			b[i] |= 0x20
		}
	}
	return string(b)
}
