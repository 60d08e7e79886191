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

// SpareCanary implements api.DisclosureAdmin: somebody made up, enrolled as anybody
// is. A person has a card that nobody holds and no face; a vehicle a plate whose time
// is over, so that it opens nothing. That one of the spares became a canary, and when,
// stands in the vault alone.
func (a admin) SpareCanary(ctx context.Context, r wire.CanarySpareRequest) (wire.CanarySpareResponse, error) {
	out := wire.CanarySpareResponse{Kind: r.Kind, Label: r.Label, Subject: gatehouse.RandomID()}
	if out.Label == "" {
		out.Label = fmt.Sprintf("B-%04d", pick(10_000))
	}
	now := time.Now()
	always := []gatehouse.Grant{{Gate: "*", Schedule: "always"}}
	var err error
	switch r.Kind {
	case string(gatehouse.VehicleSubject):
		record := gatehouse.VehicleRecord{Plate: madeUpPlate(), Class: "car", Colour: one(colours), ValidUntil: now.AddDate(0, 0, -30-pick(300))}
		record.ValidFrom = record.ValidUntil.AddDate(-1, 0, 0)
		_, err = a.enroll.Vehicle(ctx, enroll.Vehicle{ID: out.Subject, Label: out.Label, Record: record, Grants: always})
	case string(gatehouse.PersonSubject):
		_, err = a.enroll.Person(ctx, enroll.Person{ID: out.Subject, Label: out.Label, Record: madeUpPerson(now), Grants: always, Card: gatehouse.Secret(auth.NewToken())})
	default:
		err = gatehouse.Errorf("canary.kind", "make a person or a vehicle", "a spare is a person or a vehicle")
	}
	return out, err
}

// PlantCanary implements api.DisclosureAdmin. The subjects were enrolled before, at
// another time, so that neither the log's order nor a date tells which of the people
// are canaries.
func (a admin) PlantCanary(ctx context.Context, r wire.CanaryPlantRequest) (wire.CanaryPlantResponse, error) {
	if len(r.Subjects) == 0 {
		out := wire.CanaryPlantResponse{Planted: 1, Token: auth.NewToken()}
		return out, a.vault.PlantCanary(ctx, a.operator, r.With.Credential(), vault.Canary{Kind: tokenKind, Label: r.Note, Digest: vault.TokenDigest(out.Token)})
	}
	var all []vault.Canary
	for _, id := range r.Subjects {
		row, err := a.store.Subject(ctx, a.site.Place, id)
		if err != nil {
			return wire.CanaryPlantResponse{}, err
		}
		all = append(all, vault.Canary{Subject: id, Kind: string(row.Kind), Label: r.Note})
	}
	return wire.CanaryPlantResponse{Planted: len(all)}, a.vault.PlantCanary(ctx, a.operator, r.With.Credential(), all...)
}

const tokenKind = "token"

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
