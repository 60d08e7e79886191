package demo

import (
	"context"
	"fmt"
	"image/color"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
	"gatehouse/lab/demo/scene"
	"gatehouse/vision/imaging"
	"gatehouse/vision/models"
)

// person and vehicle are the demo's actors.
type person struct {
	label, name string
	portrait    *imaging.RGB
	card        string
	suspended   bool
	id          gatehouse.SubjectID // zero for strangers
}

type vehicle struct {
	label, plate, class string
	paint               color.RGBA
	suspended           bool
	id                  gatehouse.SubjectID
}

// cast is everybody who may arrive. It follows from the seed, so that a second
// start stages the same people that the first one enrolled.
type cast struct {
	seed     uint64
	people   []*person // enrolled
	others   []*person // strangers
	vehicles []*vehicle
	visitors []*vehicle
	plates   *scene.Plates
}

func newCast(o Options) (*cast, error) {
	assets := o.Assets
	if assets == "" {
		assets = models.Dir()
	}
	plates, err := scene.LoadPlates(filepath.Join(assets, "fonts", "ZCOOLQingKeHuangYou-Regular.ttf"))
	if err != nil {
		return nil, err
	}
	c := &cast{seed: o.Seed, plates: plates}
	files, err := filepath.Glob(filepath.Join(assets, "portraits", "*.jpg"))
	if err != nil || len(files) < o.People+10 {
		return nil, gatehouse.Errorf("demo.portraits", "run `make assets`, or ask for fewer --people", "there are %d portraits for %d people and 10 strangers", len(files), o.People)
	}
	slices.Sort(files)
	r := rand.New(rand.NewPCG(o.Seed, 1))
	r.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
	for i, file := range files[:o.People+10] {
		raw, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		portrait, err := imaging.Decode(raw, imaging.Limits{})
		if err != nil {
			return nil, err
		}
		p := &person{portrait: portrait}
		if i < o.People {
			p.label, p.name, p.card = fmt.Sprintf("P-%03d", i+1), fullName(r, strings.HasSuffix(file, "f.jpg")), fmt.Sprintf("%010d", r.Uint64N(1e10))
			p.suspended = i == 3
			c.people = append(c.people, p)
		} else {
			c.others = append(c.others, p)
		}
	}
	for i := range o.Vehicles + 6 {
		v := &vehicle{paint: paints[r.IntN(len(paints))]}
		v.plate, v.class = plateText(r)
		if i < o.Vehicles {
			v.label, v.suspended = fmt.Sprintf("V-%03d", i+1), i == 2
			c.vehicles = append(c.vehicles, v)
		} else {
			c.visitors = append(c.visitors, v)
		}
	}
	return c, nil
}

// enrol takes the cast in, those who are not there yet.
func (c *cast) enrol(ctx context.Context, admin api.Admin, stderr io.Writer) error {
	have := map[string]gatehouse.SubjectID{}
	var after gatehouse.SubjectID
	for {
		page, err := admin.Subjects(ctx, after, 200)
		if err != nil {
			return err
		}
		for _, s := range page.Subjects {
			have[s.Label] = s.ID
		}
		if after = page.Next; after.IsZero() {
			break
		}
	}
	bar := progress(stderr, len(c.people)+len(c.vehicles), "enrolling the cast")
	r := rand.New(rand.NewPCG(c.seed, 2))
	var kept []*person
	for _, p := range c.people {
		photo := scene.Enrolment(p.portrait, r)
		record := record(p.name, r)
		if id, ok := have[p.label]; ok {
			p.id = id
			kept = append(kept, p)
			_ = bar.Add(1)
			continue
		}
		answer, err := admin.EnrollPerson(ctx, wire.EnrollPersonRequest{Label: p.label, Record: record, Photos: [][]byte{photo}, Card: p.card,
			Grants: []gatehouse.Grant{{Gate: door, Schedule: "always"}}, ConsentGiven: true, ConsentHow: "reference", ConsentRef: "demo portrait, MIT licence"})
		_ = bar.Add(1)
		switch code := gatehouse.ErrorCode(err); {
		case strings.HasPrefix(code, "face."), code == "enroll.no_face", code == "enroll.two_faces", code == "enroll.duplicate":
			continue // some portraits are too poor to enrol: as at a real desk, they are refused
		case err != nil:
			return err
		}
		p.id = answer.Subject
		if p.suspended {
			if err := admin.SetStatus(ctx, p.id, gatehouse.SuspendedStatus); err != nil {
				return err
			}
		}
		kept = append(kept, p)
	}
	c.people = kept
	for _, v := range c.vehicles {
		_ = bar.Add(1)
		if id, ok := have[v.label]; ok {
			v.id = id
			continue
		}
		answer, err := admin.EnrollVehicle(ctx, wire.EnrollVehicleRequest{Label: v.label, Grants: []gatehouse.Grant{{Gate: lane, Schedule: "always"}},
			Record: gatehouse.VehicleRecord{Plate: v.plate, Class: "car"}})
		if err != nil {
			return err
		}
		v.id = answer.Subject
		if v.suspended {
			if err := admin.SetStatus(ctx, v.id, gatehouse.SuspendedStatus); err != nil {
				return err
			}
		}
	}
	return nil
}

var paints = []color.RGBA{{122, 30, 34, 255}, {36, 58, 96, 255}, {52, 54, 58, 255}, {190, 192, 194, 255}, {30, 84, 62, 255}, {206, 140, 40, 255}}

// The portraits' file names end in f or m; the invented names follow them.
var (
	womensNames = []string{"Ana", "Chloé", "Elif", "Fatima", "Hana", "Ines", "Lena", "Nadia", "Olga", "Rosa", "Uma", "Xenia", "Zoë", "Mei", "Ayşe", "Marta"}
	mensNames   = []string{"Ben", "David", "Goran", "Jonas", "Kofi", "Mateo", "Pedro", "Sami", "Tomás", "Viktor", "Wei", "Yusuf", "Anders", "Luca", "Ravi", "Hugo"}
)

var familyNames = []string{"Almeida", "Bauer", "Chen", "Dubois", "Eriksen", "Ferrari", "García", "Haddad", "Ivanova", "Jansen", "Kowalski", "Lindqvist", "Mensah", "Novák", "Okafor", "Petrov", "Quispe", "Rossi", "Silva", "Tanaka", "Ueda", "Varga", "Wang", "Yilmaz", "Zhang"}

func fullName(r *rand.Rand, woman bool) string {
	given := mensNames
	if woman {
		given = womensNames
	}
	return given[r.IntN(len(given))] + " " + familyNames[r.IntN(len(familyNames))]
}

// record is an invented person's record.
func record(name string, r *rand.Rand) gatehouse.PersonRecord {
	units := []string{"Operations", "Finance", "Research", "Facilities"}
	return gatehouse.PersonRecord{Name: name, BirthDate: fmt.Sprintf("%04d-%02d-%02d", 1960+r.IntN(40), 1+r.IntN(12), 1+r.IntN(28)),
		NationalID: fmt.Sprintf("%018d", r.Uint64N(1e18)), Number: fmt.Sprintf("E%05d", r.IntN(1e5)), Phone: fmt.Sprintf("+49151%07d", r.IntN(1e7)),
		Unit: units[r.IntN(len(units))]}
}

// plateText invents a plate of one of the regions.
func plateText(r *rand.Rand) (text, class string) {
	letters := func(set string, n int) string {
		b := make([]rune, n)
		all := []rune(set)
		for i := range b {
			b[i] = all[r.IntN(len(all))]
		}
		return string(b)
	}
	const cn, az, digits = "ABCDEFGHJKLMNPQRSTUVWXYZ", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789"
	provinces := "京津沪渝冀豫云辽黑湘皖鲁苏浙赣鄂甘晋陕吉闽贵粤川青琼宁"
	switch r.IntN(5) {
	case 0, 1:
		return letters(provinces, 1) + letters(cn, 1) + letters(digits, 1) + letters(cn, 1) + letters(digits, 3), "cn-blue"
	case 2:
		return letters(provinces, 1) + letters(cn, 1) + "D" + letters(digits, 5), "cn-new-energy"
	case 3:
		return letters(az, 2) + letters(digits, 2) + letters("ABCDEFGHJKLMNPRSTVWXYZ", 3), "eu"
	}
	return letters(az, 3) + letters(digits, 1) + letters(az, 1) + letters(digits, 2), "br"
}
