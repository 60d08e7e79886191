package fault_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/internal/child"
	"gatehouse/server"
	"gatehouse/vision/models"
	"gatehouse/vision/worker"
)

// siteChild is the argument with which the test binary is a whole site, with its vault
// and vision processes, that does everything at once until it is killed. It says on its
// standard output what it is about to do and what it was told is done.
const siteChild = "__site"

// order is what the site is told on its standard input.
type order struct {
	Config  server.Config
	Key     []byte // the key file that opens the vault
	Seed    uint64
	Serial  int      // of the first enrolment
	People  []person // enrolled, and nobody is erasing them
	Pending []person // whose erasure was begun before a kill, and waits for its turn
	Gone    []person // some of those that were erased
	Holds   map[string]gatehouse.ID
	Photos  [][]byte // to enrol people by their face; none where vision does not see
}

// person is somebody, or a vehicle, and what must never be found of them.
type person struct {
	Label, Name, IDNumber, Phone, Card, Plate string
	Vehicle                                   bool
	ID                                        gatehouse.SubjectID
	Since                                     int // the round of the enrolment
}

// What every planted value begins with: whoever finds none of these finds no value.
const (
	markName  = "Qvhzvnja"
	markID    = "4711471182"
	markPhone = "7946095803"
	markPlate = "QXZ7J44"
	markCard  = "9900733115"
)

// letters writes a number in letters, as a name has them.
func letters(n int) string {
	s := make([]byte, 6)
	for i := range s {
		s[i], n = 'a'+byte(n%26), n/26
	}
	return string(s)
}

func newPerson(serial int, vehicle bool) person {
	p := person{Label: fmt.Sprint("B-", serial), Vehicle: vehicle}
	if vehicle {
		p.Plate = fmt.Sprintf("%s%05d", markPlate, serial)
		p.Name = p.Plate
		return p
	}
	p.Name, p.IDNumber = markName+" "+letters(serial), fmt.Sprintf("%s%08d", markID, serial)
	p.Phone, p.Card = fmt.Sprintf("+44%s%06d", markPhone, serial), fmt.Sprintf("%s%08d", markCard, serial)
	return p
}

// event is one line of the site's. N pairs what was begun with how it ended.
type event struct {
	N       int
	Verb    string
	Phase   string // begun, done, refused (Text: the code), failed
	Person  *person
	ID      gatehouse.ID  // of the passage, hold or backup
	Text    string        // the reason, the secret's value, the key's name, the code
	Name    string        // of the secret or the holder
	Erasure *wire.Erasure // the certificate
	Units   int           // of the budget that are left
	At      time.Time
}

// site is the child's side.
type site struct {
	*server.Server
	order

	out     sync.Mutex
	n       int
	mu      sync.Mutex // of what follows, and of order's lists
	rand    *rand.Rand
	erased  map[string]bool
	unclear map[string]bool // whose hold may have been lifted
	serial  int
}

func (s *site) say(e event) {
	s.out.Lock()
	defer s.out.Unlock()
	e.At = time.Now()
	b, err := json.Marshal(e)
	if err == nil {
		_, err = os.Stdout.Write(append(b, '\n')) // one call: what it acknowledges is in the pipe
	}
	if err != nil {
		os.Exit(1) // nobody listens any more
	}
}

// do says that a verb begins, carries it out, and says how it ended.
func (s *site) do(e event, f func(*event) error) (ok bool) {
	s.out.Lock()
	s.n++
	e.N = s.n
	s.out.Unlock()
	e.Phase = "begun"
	s.say(e)
	err := f(&e)
	e.Phase = "done"
	if err != nil {
		e.Phase, e.Text = "refused", gatehouse.ErrorCode(err)
		if e.Text == "" {
			e.Phase, e.Text = "failed", err.Error()
		}
		if e.Name == "" {
			e.Name = err.Error()
		}
	}
	s.say(e)
	return err == nil
}

func (s *site) chance(percent int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rand.IntN(100) < percent
}

func (s *site) number(n int) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rand.IntN(n)
}

// pick takes somebody of a list; out takes them off it.
func (s *site) pick(list *[]person, out bool, fits func(person) bool) (p person, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range 20 {
		if len(*list) == 0 {
			return p, false
		}
		i := s.rand.IntN(len(*list))
		if p = (*list)[i]; !fits(p) {
			continue
		}
		if out {
			*list = append((*list)[:i], (*list)[i+1:]...)
		}
		return p, true
	}
	return p, false
}

func runSite(ctx context.Context) error {
	s := &site{erased: map[string]bool{}, unclear: map[string]bool{}}
	if err := json.NewDecoder(os.Stdin).Decode(&s.order); err != nil {
		return err
	}
	s.rand, s.serial = rand.New(rand.NewPCG(s.Seed, 2)), s.order.Serial
	if s.Holds == nil {
		s.Holds = map[string]gatehouse.ID{}
	}
	failed := make(chan error, 4)
	if !s.do(event{Verb: "start"}, func(*event) (err error) {
		if s.Server, err = server.Open(ctx, s.Config, server.Options{Stderr: os.Stderr}); err != nil {
			return err
		}
		ready := make(chan string, 1)
		go func() { failed <- s.Run(ctx, func(l string) { ready <- l }) }()
		select {
		case <-ready:
			return nil
		case err := <-failed:
			return err
		}
	}) {
		return errors.New("the site did not start")
	}
	go s.doors(ctx)
	go s.office(ctx)
	go s.keeper(ctx)
	return <-failed
}

// doors shows cards.
func (s *site) doors(ctx context.Context) {
	for {
		card, known := fmt.Sprintf("%s99%06d", markCard, s.number(1000)), false
		p, ok := s.pick(&s.People, false, func(p person) bool { return !p.Vehicle })
		if ok && s.chance(80) {
			card, known = p.Card, true
		}
		s.do(event{Verb: "passage"}, func(e *event) error {
			got, err := s.Post(ctx, gatehouse.Capture{Device: "reader", Kind: gatehouse.CardCapture, Received: time.Now(), Secret: gatehouse.Secret(card)})
			if err != nil || len(got) != 1 {
				return errors.Join(err, fmt.Errorf("%d passages", len(got)))
			}
			e.ID = got[0].ID
			s.mu.Lock()
			erased := s.erased[p.Label]
			s.mu.Unlock()
			if known && !erased && (!got[0].Decision.Grant || got[0].Subject != p.ID) {
				return fmt.Errorf("the card of %s does not open the door: %v", p.Label, got[0].Decision.Reason)
			}
			if !known && got[0].Decision.Grant {
				return errors.New("a stranger's card opens the door")
			}
			return nil
		})
		time.Sleep(time.Duration(s.number(60)) * time.Millisecond)
	}
}

// office enrols, erases, holds, and keeps secrets.
func (s *site) office(ctx context.Context) {
	admin := s.Admin()
	for {
		s.mu.Lock()
		people, chosen := len(s.People), s.rand.IntN(100)
		s.mu.Unlock()
		switch {
		case chosen < 35 && people < 120:
			s.enrol(ctx)
		case chosen < 45 && people < 120:
			s.enrolVehicle(ctx)
		case chosen < 70:
			s.eraseOne(ctx)
		case chosen < 82:
			s.hold(ctx)
		case chosen < 92:
			s.lift(ctx)
		default:
			name, value := fmt.Sprint("relay-", s.number(5)), fmt.Sprintf("%s secret %d", markName, s.number(1<<30))
			s.do(event{Verb: "secret", Name: name, Text: value}, func(*event) error { return admin.SetSecret(ctx, name, gatehouse.Secret(value)) })
		}
		time.Sleep(time.Duration(s.number(30)) * time.Millisecond)
	}
}

func (s *site) next(vehicle bool) person {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial++
	return newPerson(s.serial, vehicle)
}

func (s *site) came(p person) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.People = append(s.People, p)
}

var everywhere = []gatehouse.Grant{{Gate: "*", Schedule: "always"}}

func (s *site) enrol(ctx context.Context) {
	p := s.next(false)
	r := wire.EnrollPersonRequest{Label: p.Label, Card: p.Card, Grants: everywhere, Record: gatehouse.PersonRecord{Name: p.Name, NationalID: p.IDNumber, Phone: p.Phone}}
	s.mu.Lock()
	if len(s.Photos) > 0 && s.rand.IntN(3) == 0 {
		r.Photos, s.Photos = s.Photos[:1:1], s.Photos[1:]
		r.ConsentGiven, r.ConsentHow, r.ConsentRef = true, "reference", markName+" signed"
	}
	s.mu.Unlock()
	verb := "enrol"
	if r.Photos != nil {
		verb = "enrol with a face"
	}
	s.do(event{Verb: verb, Person: &p}, func(e *event) error {
		got, err := s.Admin().EnrollPerson(ctx, r)
		if err == nil {
			p.ID = got.Subject
			s.came(p)
		}
		return err
	})
}

func (s *site) enrolVehicle(ctx context.Context) {
	p := s.next(true)
	s.do(event{Verb: "enrol", Person: &p}, func(*event) error {
		got, err := s.Admin().EnrollVehicle(ctx, wire.EnrollVehicleRequest{Label: p.Label, Grants: everywhere, Record: gatehouse.VehicleRecord{Plate: p.Plate, Owner: markName + " owner"}})
		if err == nil {
			p.ID = got.Subject
			s.came(p)
		}
		return err
	})
}

func (s *site) eraseOne(ctx context.Context) {
	from := &s.People
	if s.chance(20) { // again, whose erasure waits
		from = &s.Pending
	}
	p, ok := s.pick(from, true, func(person) bool { return true })
	if !ok {
		return
	}
	s.mu.Lock()
	s.erased[p.Label] = true // or about to be: the doors expect nothing any more
	s.mu.Unlock()
	if s.do(event{Verb: "erase", Person: &p}, func(e *event) error {
		got, err := s.Admin().Erase(ctx, wire.EraseRequest{Subject: p.ID, Reason: markName + " asked for it"})
		if err == nil {
			e.Erasure = &got
		}
		return err
	}) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.Gone = append(s.Gone, p)
	}
}

func (s *site) hold(ctx context.Context) {
	p, ok := s.pick(&s.People, true, func(p person) bool { return s.Holds[p.Label].IsZero() })
	if !ok || len(s.Holds) > 20 {
		if ok {
			s.came(p)
		}
		return
	}
	var code string
	s.do(event{Verb: "hold", Person: &p}, func(e *event) error {
		h, err := s.Admin().AddHold(ctx, wire.HoldRequest{Subject: p.ID, Until: time.Now().Add(48 * time.Hour), Reason: markName + " is in court"})
		e.ID = h.ID
		if err == nil {
			s.mu.Lock()
			s.Holds[p.Label] = h.ID
			s.mu.Unlock()
		}
		code = gatehouse.ErrorCode(err)
		return err
	})
	// Who may be held or not is left alone until the check has found out: another hold that is
	// refused would say nothing about the first.
	if code != "hold.unfinished" && !slices.Contains(unsure, code) {
		s.came(p)
	}
}

func (s *site) lift(ctx context.Context) {
	s.mu.Lock()
	var label string
	var id gatehouse.ID
	for l, held := range s.Holds {
		if !s.unclear[l] {
			label, id = l, held
			break
		}
	}
	s.mu.Unlock()
	if label == "" {
		return
	}
	s.do(event{Verb: "lift", Name: label, ID: id}, func(*event) error {
		_, err := s.Admin().LiftHold(ctx, id)
		s.mu.Lock()
		defer s.mu.Unlock()
		switch {
		case err == nil:
			delete(s.Holds, label)
		case slices.Contains(unsure, gatehouse.ErrorCode(err)):
			s.unclear[label] = true // as above
		}
		return err
	})
}

// keeper unseals and seals, rotates every key, backs up, searches and looks at the
// budget.
func (s *site) keeper(ctx context.Context) {
	s.unseal(ctx)
	for {
		switch chosen := s.number(100); {
		case chosen < 12:
			s.unseal(ctx)
		case chosen < 16:
			s.do(event{Verb: "seal"}, func(*event) error { _, err := s.Admin().Seal(ctx); return err })
		case chosen < 40:
			s.search(ctx)
		case chosen < 52:
			s.do(event{Verb: "budget"}, func(e *event) error {
				b, err := s.Admin().Budget(ctx)
				e.Units = -1
				for _, l := range b.Left {
					if l.Scope == "operator" && l.Window == "day" && b.Known {
						e.Units = l.Units
					}
				}
				return err
			})
		case chosen < 60:
			s.do(event{Verb: "rotate vault key"}, func(e *event) error { return s.rotateVault(ctx, e) })
		case chosen < 70:
			s.do(event{Verb: "rotate gate key"}, func(*event) error { return s.rotateGate(ctx) })
		case chosen < 75:
			s.do(event{Verb: "rotate gallery"}, func(*event) error { _, err := s.Admin().RotateGallery(ctx); return err })
		case chosen < 83:
			s.do(event{Verb: "rotate file"}, func(*event) error { return s.rotateFile(ctx) })
		default:
			s.do(event{Verb: "backup"}, func(e *event) error {
				b, err := s.Admin().Backup(ctx)
				e.ID = b.ID
				return err
			})
		}
		time.Sleep(time.Duration(s.number(20)) * time.Millisecond)
	}
}

func (s *site) credential() gatehouse.Credential {
	return gatehouse.Credential{Kind: gatehouse.FileCredential, Secret: append([]byte(nil), s.Key...)}
}

func (s *site) unseal(ctx context.Context) {
	s.do(event{Verb: "unseal"}, func(*event) error {
		_, err := s.Admin().UnsealWith(ctx, s.credential(), time.Hour)
		return err
	})
}

func (s *site) search(ctx context.Context) {
	q := wire.SearchRequest{Limit: 20}
	from, gone := &s.People, s.chance(40)
	if gone {
		from = &s.Gone
	}
	p, ok := s.pick(from, false, func(person) bool { return true })
	if !ok {
		return
	}
	switch {
	case p.Vehicle:
		q.Plate = p.Plate
	case s.chance(50):
		q.Name = p.Name
	default:
		q.NationalID = p.IDNumber
	}
	s.mu.Lock()
	q.Reason = fmt.Sprintf("%s wants to know %x", markName, s.rand.Uint64())
	s.mu.Unlock()
	s.do(event{Verb: "search", Text: q.Reason}, func(e *event) error {
		got, err := s.Admin().Search(ctx, q)
		if err != nil {
			return err
		}
		found := false
		for _, h := range got.Hits {
			found = found || h.Kind == gatehouse.RecordHit && h.Subject == p.ID
		}
		s.mu.Lock()
		erased := s.erased[p.Label]
		s.mu.Unlock()
		if gone && found {
			return fmt.Errorf("the search finds %s, who is erased", p.Label)
		}
		// A name begins others' names, too: what is behind the first page is not looked at.
		if !gone && !erased && !found && got.Current && got.Next == "" && p.Since > 0 {
			return fmt.Errorf("the search does not find %s", p.Label)
		}
		return nil
	})
}

func (s *site) rotateVault(ctx context.Context, e *event) error {
	r, err := s.Admin().RotateVaultKey(ctx, wire.RotateRequest{With: wire.Shown(s.credential())})
	if err != nil {
		return err
	}
	for {
		p, err := s.Admin().RotateVaultBatch(ctx, wire.RotateBatchRequest{Ticket: r.Ticket})
		if err != nil {
			return err
		}
		if p.Damaged > 0 {
			return fmt.Errorf("%d rows of the key store do not open", p.Damaged)
		}
		if p.Done {
			e.Text = r.To
			return nil
		}
	}
}

func (s *site) rotateGate(ctx context.Context) error {
	for {
		p, err := s.Admin().RotateGateKey(ctx)
		if err != nil || p.Finished {
			return err
		}
	}
}

func (s *site) rotateFile(ctx context.Context) error {
	list, err := s.Admin().Databases(ctx)
	if err != nil || len(list.Databases) == 0 {
		return err
	}
	_, err = s.Admin().RewriteDatabase(ctx, wire.RewriteRequest{File: list.Databases[s.number(len(list.Databases))].File})
	return err
}

// blind is the folder of a vision process that sees nothing: in most rounds no model is
// loaded, which takes longer than all the rest.
const blind = "no-vision"

func runVision(ctx context.Context) error {
	if strings.HasSuffix(os.Getenv(models.AssetsEnv), blind) {
		return child.Serve(ctx, map[string]child.Handler{"load": func(context.Context, *child.Request) (any, [][]byte, error) { return nil, nil, nil }})
	}
	return worker.RunChild(ctx)
}
