package drill

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/lab/demo/scene"
	"gatehouse/vision/models"
)

// cast is everybody and everything that is planted. It is invented anew for every
// drill, so that a mark can be nothing else's.
type cast struct {
	r         *rand.Rand
	portraits []string // files
	people    []*person
	vehicles  []*vehicle
	cameras   []camera
	motorists []*motorist
	secrets   []string // what operators put into `gatehouse secret set`
	reasons   []string
	given     int      // so many of the reasons were given to the copy
	labels    []string // pieces of canaries' labels
	labelled  int      // so many of them were planted
	prefix    string   // of every marked phone number; five digits follow
	used      map[string]bool
}

type person struct {
	record       gatehouse.PersonRecord
	consent      string
	payNumber    string // what they are paid by says it
	card, pin    string
	qr           string
	portrait     string // a file
	photo        []byte // nil: enrolled without a face
	template     []float32
	id           gatehouse.SubjectID // once enrolled
	label        string
	distinctFrom int  // the person whose portrait it is, too; -1 for nobody
	erased       bool // before the theft
}

type vehicle struct {
	plate    string
	enrolled bool
	label    string
	id       gatehouse.SubjectID
	erased   bool
}

type camera struct {
	id       gatehouse.DeviceID
	password string
}

// newCast invents n of each kind, and a tenth more: some portraits are refused.
func newCast(n int, seed uint64) (*cast, error) {
	files, err := filepath.Glob(filepath.Join(models.Dir(), "portraits", "*.jpg"))
	if err != nil || len(files) < 20 {
		return nil, gatehouse.Errorf("drill.portraits", "run `make assets`", "there are no portraits to enrol")
	}
	slices.Sort(files)
	c := &cast{r: rand.New(rand.NewPCG(seed, 1)), portraits: files, used: map[string]bool{}}
	c.r.Shuffle(len(files), func(i, j int) { files[i], files[j] = files[j], files[i] })
	c.prefix = "+86139" + c.digits(3)
	n += (n + 9) / 10
	for i := range n {
		c.join()
		c.vehicles = append(c.vehicles, &vehicle{plate: c.once(c.plate), label: fmt.Sprintf("DV-%03d", i+1), enrolled: i >= strangers})
		c.cameras = append(c.cameras, camera{gatehouse.DeviceID(fmt.Sprintf("drill-camera-%d", i+1)), c.word(9)})
		c.secrets = append(c.secrets, c.word(8))
		c.reasons = append(c.reasons, "because "+c.word(4)+" asked about "+c.word(5))
		c.labels = append(c.labels, c.word(4))
	}
	for range n {
		c.motorists = append(c.motorists, &motorist{plate: c.once(c.plate), buyer: gatehouse.InvoiceBuyer{Name: c.word(4) + " GmbH", TaxNumber: "91" + c.once(func() string { return c.digits(16) }),
			BankAccount: "62" + c.once(func() string { return c.digits(17) })}})
	}
	for range 2 * leaving { // for who is erased, however few the marks
		c.reasons = append(c.reasons, "because "+c.word(4)+" asked about "+c.word(5))
	}
	return c, nil
}

var born = time.Date(1941, 1, 1, 0, 0, 0, 0, time.UTC)

// join invents one more person. Portraits are used again when all had their turn.
func (c *cast) join() *person {
	i, files := len(c.people), c.portraits
	birth := c.once(func() string { return born.AddDate(0, 0, c.r.IntN(16_000)).Format(time.DateOnly) })
	p := &person{label: fmt.Sprintf("D-%03d", i+1), portrait: files[i%len(files)], distinctFrom: -1,
		payNumber: "PAY-" + c.once(func() string { return c.digits(8) }), consent: "Aktenordner " + c.word(4) + " " + c.digits(3), card: c.once(func() string { return "04" + strings.ToUpper(fmt.Sprintf("%012x", c.r.Uint64N(1<<48))) }),
		pin: c.once(func() string { return c.digits(11) }), qr: "QR:" + c.word(8)}
	if i >= len(files) {
		p.distinctFrom = i - len(files)
	}
	p.record = gatehouse.PersonRecord{Name: c.once(c.name), BirthDate: birth, NationalID: c.once(func() string { return "110105" + strings.ReplaceAll(birth, "-", "") + c.digits(4) }),
		Phone: c.once(func() string { return c.prefix + c.digits(5) }), Email: c.word(5) + "@" + c.word(3) + ".example.test",
		Address: fmt.Sprintf("%sweg %d, %s %s", c.word(4), 1+c.r.IntN(90), c.digits(5), c.word(3)), Number: "EMP-" + c.once(func() string { return c.digits(7) }), Unit: c.word(3) + " " + c.word(3)}
	c.people = append(c.people, p)
	return p
}

// strangers is how many of the cars are not enrolled.
const strangers = 3

// somePhoto is a picture that a device may post; nil where nobody has one.
func (c *cast) somePhoto() []byte {
	for _, p := range c.people {
		if p.photo != nil {
			return p.photo
		}
	}
	return nil
}

// nextReason gives a reason that was not given yet.
func (c *cast) nextReason() string {
	c.given++
	return c.reasons[c.given-1]
}

// leaving is how many subjects are erased before the theft, at most.
const leaving = 4

// leave picks them: the last people, and a car.
func (c *cast) leave() (ids []gatehouse.SubjectID) {
	for i := range min(leaving-1, len(c.people)/2) {
		p := c.people[len(c.people)-1-i]
		p.erased, ids = true, append(ids, p.id)
	}
	if v := c.vehicles[len(c.vehicles)-1]; v.enrolled {
		v.erased, ids = true, append(ids, v.id)
	}
	return ids
}

// once draws until it is something new.
func (c *cast) once(draw func() string) string {
	for {
		if v := draw(); !c.used[v] {
			c.used[v] = true
			return v
		}
	}
}

func (c *cast) digits(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = '0' + byte(c.r.IntN(10))
	}
	return string(b)
}

// word makes a word of n syllables that no language has.
func (c *cast) word(n int) string {
	return c.once(func() string {
		var b strings.Builder
		for range n {
			b.WriteByte("bdfgklmnprstvz"[c.r.IntN(14)])
			b.WriteByte("aeiou"[c.r.IntN(5)])
		}
		return strings.ToUpper(b.String()[:1]) + b.String()[1:]
	})
}

var (
	hanSurnames = []string{"欧阳", "司马", "上官", "诸葛", "慕容", "皇甫", "尉迟", "公孙", "轩辕", "令狐"}
	hanGiven    = []rune("竹青衫远霜砚溪屿棠澜朔霁瑾鸢汀岚旻芷珩苒")
)

// name is every other time a Chinese one of four characters.
func (c *cast) name() string {
	if c.r.IntN(2) == 0 {
		return hanSurnames[c.r.IntN(len(hanSurnames))] + string([]rune{hanGiven[c.r.IntN(len(hanGiven))], hanGiven[c.r.IntN(len(hanGiven))]})
	}
	return c.word(3) + " Ö" + strings.ToLower(c.word(4))
}

const plateLetters = "ABCDEFGHJKLMNPQRSTUVWXYZ"

// plate is one of the region that plates() lists.
func (c *cast) plate() string {
	return "沪A" + string(plateLetters[c.r.IntN(len(plateLetters))]) + c.digits(4)
}

// region lists every phone number and plate of the range that holds the marked ones.
func (c *cast) region() (all []string) {
	for n := range 100_000 {
		all = append(all, fmt.Sprintf("%s%05d", c.prefix, n))
	}
	for _, letter := range plateLetters {
		for n := range 10_000 {
			all = append(all, fmt.Sprintf("沪A%c%04d", letter, n))
		}
	}
	return all
}

// indexed are the marked values that an index would be made of.
func (c *cast) indexed() (all []string) {
	for _, p := range c.people {
		all = append(all, p.record.Phone)
	}
	for _, v := range c.vehicles {
		all = append(all, v.plate)
	}
	for _, v := range c.motorists {
		all = append(all, v.plate)
	}
	return all
}

// marks lists what was planted.
func (c *cast) marks() []mark {
	var all []mark
	gone := false
	text := func(k Kind, n int, value string) { all = append(all, mark{kind: k, n: n, erased: gone, text: value}) }
	for i, p := range c.people {
		gone = p.erased
		r := p.record
		for k, value := range map[Kind]string{Name: r.Name, NationalID: r.NationalID, Number: r.Number, Birth: r.BirthDate, Phone: r.Phone, Email: r.Email,
			Address: r.Address, Unit: r.Unit, PayNumber: p.payNumber, Card: p.card, PIN: p.pin, QR: p.qr} {
			text(k, i+1, value)
		}
		if p.photo != nil {
			text(ConsentRef, i+1, p.consent)
			all = append(all, mark{kind: Photo, n: i + 1, erased: gone, photo: p.photo})
		}
		if p.template != nil {
			all = append(all, mark{kind: Template, n: i + 1, erased: gone, template: p.template})
		}
	}
	for i, v := range c.vehicles {
		gone = v.erased
		text(Plate, i+1, v.plate)
	}
	for i, v := range c.motorists {
		if v.payer != nil {
			gone = v.payer.erased
			text(Buyer, i+1, v.buyer.Name)
			text(TaxNumber, i+1, v.buyer.TaxNumber)
			text(BankAccount, i+1, v.buyer.BankAccount)
		}
		if gone = false; v.ticket != "" {
			text(StayPlate, i+1, v.plate)
			text(TicketCode, i+1, v.ticket)
		}
	}
	gone = false
	for i, d := range c.cameras {
		text(CameraSecret, i+1, d.password)
	}
	for i, value := range c.secrets {
		text(StoredSecret, i+1, value)
	}
	for i, reason := range c.reasons[:c.given] {
		text(Reason, i+1, reason)
	}
	for i, label := range c.labels[:c.labelled] {
		text(CanaryLabel, i+1, label)
	}
	return all
}

// plates renders number plates.
func plates() (*scene.Plates, error) {
	return scene.LoadPlates(filepath.Join(models.Dir(), "fonts", "ZCOOLQingKeHuangYou-Regular.ttf"))
}
