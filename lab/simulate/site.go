package simulate

import (
	"context"
	"crypto/rand"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"gatehouse"
	"gatehouse/flow/books"
	"gatehouse/flow/passage"
	"gatehouse/flow/stay"
	"gatehouse/flow/workingset"
	"gatehouse/gallery"
	"gatehouse/pay/desk"
	"gatehouse/rules/parking"
	"gatehouse/store/sqlite"
	"gatehouse/tariff"
	"gatehouse/vault"
)

// take books what a driver pays; the machine at the exit tells of it twice.
func (w *world) take(ctx context.Context, stay gatehouse.ID, amount gatehouse.Money) error {
	id := gatehouse.NewID(w.now)
	for range 2 {
		if _, err := w.books.Desk(ctx, "card", stay, amount, "", id); err != nil {
			return err
		}
	}
	return nil
}

// booked is what the books have as a stay's charge: revenue and tax, as they add up.
func (w *world) booked(ctx context.Context, stay gatehouse.ID) (minor int64, err error) {
	entries, err := w.books.Entries(ctx, stay)
	for _, e := range entries {
		for _, p := range e.Postings {
			if p.Account == gatehouse.Revenue || p.Account == gatehouse.TaxOwed {
				minor -= p.Amount // what is earned is a credit
			}
		}
	}
	return minor, err
}

// unsealed stands for the archive, which nothing here reads.
type unsealed struct{}

// Seal implements gatehouse.Sealer.
func (unsealed) Seal(context.Context, gatehouse.SubjectID, gatehouse.RetentionClass, gatehouse.SealContext, []byte, gatehouse.Padding) ([]byte, error) {
	b := make([]byte, 64)
	_, err := rand.Read(b)
	return b, err
}

// OneOff implements gatehouse.Sealer.
func (unsealed) OneOff(context.Context, gatehouse.Place) (gatehouse.SubjectID, error) {
	return gatehouse.RandomID(), nil
}

// Prepare implements gatehouse.Sealer.
func (unsealed) Prepare(gatehouse.Place, gatehouse.SubjectID, gatehouse.RetentionClass) {}

// nobody watches.
type nobody struct{}

// Committed implements passage.Feed.
func (nobody) Committed(gatehouse.Passage, []gatehouse.Picture) {}

// Changed implements passage.Feed.
func (nobody) Changed(gatehouse.Passage) {}

// Unrecorded implements passage.Feed.
func (nobody) Unrecorded(gatehouse.Passage, error) {}

// opened is a barrier that everybody passes, at a moment.
type opened time.Time

// Open implements gatehouse.Actuator.
func (o opened) Open(context.Context, gatehouse.OpenCommand) <-chan gatehouse.Confirmation {
	c := make(chan gatehouse.Confirmation, 1)
	c <- gatehouse.Confirmation{Outcome: gatehouse.Passed, At: time.Time(o)}
	close(c)
	return c
}

// open makes the site: the product's own store, working set, lanes and stays. What is
// sealed for the archive is not, since nothing here reads it: there is no vault.
func (w *world) open(ctx context.Context) (close func(), err error) {
	closers := []func(){}
	close = func() {
		for i := len(closers) - 1; i >= 0; i-- {
			closers[i]()
		}
	}
	base := w.o.Dir
	if base == "" {
		if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
			base = "/dev/shm" // nothing of it has to survive
		}
	}
	dir, err := os.MkdirTemp(base, "gatehouse-simulate-")
	if err != nil {
		return close, err
	}
	closers = append(closers, func() { _ = os.RemoveAll(dir) })
	data, keys := filepath.Join(dir, "data"), filepath.Join(dir, "keys")
	for _, d := range []string{filepath.Join(data, "db"), keys} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return close, err
		}
	}
	if err := vault.CreateGateKey(data, filepath.Join(keys, "gate.key")); err != nil {
		return close, err
	}
	key, err := vault.OpenGateKey(data, filepath.Join(keys, "gate.key"))
	if err != nil {
		return close, err
	}
	w.store, err = sqlite.Open(ctx, sqlite.Options{Dir: filepath.Join(data, "db"), Key: func(file string) ([32]byte, error) { return key.FileKey(filepath.Join("db", file)) }})
	if err != nil {
		return close, err
	}
	closers = append(closers, func() { _ = w.store.Close() })
	w.place = gatehouse.Place{Org: "simulated", Site: "car-park"}
	working, err := workingset.Load(ctx, w.place, w.store, key, gallery.New(8))
	if err != nil {
		return close, err
	}
	return close, w.openFlows(ctx, working)
}

// exitLanes is how many exits there are: with one, drivers would wait for each other.
const exitLanes = 4

func (w *world) openFlows(ctx context.Context, working *workingset.Set) (err error) {
	quiet := slog.New(slog.DiscardHandler)
	park := gatehouse.CarPark{ID: "simulated", Name: "Simulated", Capacity: w.o.Traffic.Spaces, Entries: []gatehouse.GateID{"entry"}, Longest: 30 * 24 * time.Hour, Tariff: "simulated"}
	policy := gatehouse.GatePolicy{MinPlateConfidence: 0.8, RepeatWithin: 2 * time.Second}
	gates := map[gatehouse.GateID]gatehouse.Gate{"entry": {Place: w.place, ID: "entry", Kind: gatehouse.Lane, Direction: gatehouse.In, Policy: policy}}
	for i := range exitLanes {
		id := gatehouse.GateID("exit-" + string(rune('1'+i)))
		park.Exits = append(park.Exits, id)
		w.lanes = append(w.lanes, &exitLane{gate: id})
		gates[id] = gatehouse.Gate{Place: w.place, ID: id, Kind: gatehouse.Lane, Direction: gatehouse.Out, Policy: policy}
	}
	clock := func() time.Time { return w.now }
	w.books = books.New(books.Ports{Place: w.place, Location: time.UTC, Store: w.store, Providers: desk.All(clock), Label: "Simulated", Log: quiet, Now: clock})
	w.stays, err = stay.Load(ctx, stay.Ports{Place: w.place, Location: time.UTC, CarParks: []gatehouse.CarPark{park}, Store: w.store, Passages: w.store, Newest: w.store.Newest, Working: working,
		Sealer: unsealed{}, Books: w.books, ReadTariff: readTariff, Alarm: func(context.Context, gatehouse.GateID) { w.result.Alarms++ }, Now: clock, Log: quiet})
	if err != nil {
		return err
	}
	w.flow = passage.New(passage.Ports{Site: passage.Site{Place: w.place, Location: time.UTC, Gates: gates, CommitWithin: time.Minute}, Parking: w.stays, Working: working, Sealer: unsealed{}, Store: w.store, Feed: nobody{}, Now: clock, Log: quiet,
		Actuator: w.actuator})
	w.stays.Opens(w.flow)
	if _, err := w.stays.PutTariff(ctx, []byte(simTariff), "operator"); err != nil {
		return err
	}
	t, err := readTariff([]byte(simTariff))
	if err == nil {
		w.version, err = parking.InForce(t, w.now)
		w.result.Currency = string(w.version.Currency)
	}
	return err
}

// actuator is there for an operator alone: what a sensor says of a vehicle that passes a
// lane would be committed beside what happens next, and no seed would give the same twice.
func (w *world) actuator(gatehouse.GateID) gatehouse.Actuator {
	if w.helping {
		return opened(w.now)
	}
	return nil
}

func readTariff(body []byte) (gatehouse.Tariff, error) {
	t, problems := tariff.Read(body)
	if len(problems) > 0 {
		return t, gatehouse.Errorf("parking.tariff", "", "%s", problems[0])
	}
	return t, nil
}
