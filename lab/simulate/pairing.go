package simulate

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"gatehouse"
	"gatehouse/rules/parking/pairing"
)

// PairingOptions is what is simulated.
type PairingOptions struct {
	Seed    uint64
	Stays   int
	Traffic Traffic
	Misreads
	// Missed is the share of entries, and of exits, that no camera saw.
	Missed float64
	// Looks says that colour and shape are seen, each wrong in one picture of ten.
	Looks bool
	// Attended is after which time a person has attached an exit that was not paired to
	// its entry.
	Attended time.Duration
}

// PairingResult counts what became of the exits.
type PairingResult struct {
	Stays         int                    `json:"stays"`
	Paired        int                    `json:"paired"`
	Corrected     int                    `json:"corrected"` // paired though the texts differ
	Ambiguous     int                    `json:"ambiguous"`
	UnpairedExits int                    `json:"unpaired_exits"`
	WronglyPaired int                    `json:"wrongly_paired"`
	Alarms        int                    `json:"plate_twice"` // entries of a plate that is inside
	Misread       int                    `json:"misread"`     // of both gates' readings
	Fleet         int                    `json:"fleet"`       // visits by vehicles of fleets
	MostInside    int                    `json:"most_inside"`
	Reasons       map[pairing.Reason]int `json:"reasons"`
}

// Pairing lets visits happen and pairs their exits, and compares with the truth.
func Pairing(o PairingOptions) PairingResult {
	rng := rand.New(rand.NewPCG(o.Seed, 1))
	visits := o.Traffic.Visits(rng, o.Stays, time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC))
	type event struct {
		at    time.Time
		visit int
		exit  bool
	}
	var events []event
	for i, v := range visits {
		events = append(events, event{v.In, i, false}, event{v.Out, i, true})
	}
	slices.SortFunc(events, func(a, b event) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.visit, b.visit))
	})
	r := PairingResult{Stays: o.Stays, Reasons: map[pairing.Reason]int{}}
	ids := make([]gatehouse.ID, len(visits))
	var open []pairing.Open
	var lost []pairing.Sighting
	drop := func(id gatehouse.ID) {
		open = slices.DeleteFunc(open, func(x pairing.Open) bool { return x.ID == id })
	}
	type attach struct {
		at time.Time
		id gatehouse.ID
	}
	var later []attach
	for _, e := range events {
		for len(later) > 0 && !later[0].at.After(e.at) {
			drop(later[0].id)
			later = later[1:]
		}
		lost = slices.DeleteFunc(lost, func(s pairing.Sighting) bool { return s.At.Before(e.at.Add(-72 * time.Hour)) })
		v := visits[e.visit].Vehicle
		m := o.see(rng, v)
		if m.Plate.Text != v.Plate {
			r.Misread++
		}
		if rng.Float64() < o.Missed {
			if e.exit {
				later = append(later, attach{e.at.Add(o.Attended), ids[e.visit]})
			}
			continue
		}
		if !e.exit {
			enter := pairing.Enter(m, open)
			if enter.Reason == pairing.EntryTwice {
				r.Alarms++
			}
			if enter.Reason == pairing.EntryAgain {
				drop(enter.Missed)
			}
			ids[e.visit] = gatehouse.NewID(e.at)
			open = append(open, pairing.Open{ID: ids[e.visit], Mark: m, Entered: e.at})
			r.MostInside = max(r.MostInside, len(open))
			if v.Fleet {
				r.Fleet++
			}
			continue
		}
		verdict := pairing.Pair(pairing.Exit{Mark: m, At: e.at, Lost: lost}, open)
		r.Reasons[verdict.Reason]++
		switch verdict.State {
		case pairing.Paired:
			r.Paired++
			if verdict.Corrected {
				r.Corrected++
			}
			if verdict.Stay != ids[e.visit] {
				r.WronglyPaired++
				later = append(later, attach{e.at.Add(o.Attended), ids[e.visit]})
			}
			drop(verdict.Stay)
		case pairing.Ambiguous:
			r.Ambiguous++
			drop(ids[e.visit]) // a person looks at the pictures
		default:
			r.UnpairedExits++
			lost = append(lost, pairing.Sighting{Mark: m, At: e.at})
			later = append(later, attach{e.at.Add(o.Attended), ids[e.visit]})
		}
	}
	return r
}

// see returns what a gate sees of a vehicle.
func (o PairingOptions) see(rng *rand.Rand, v *Vehicle) gatehouse.Mark {
	m := gatehouse.Mark{Plate: o.Read(rng, v.Plate), Class: v.Class}
	if o.Looks {
		m.Look = v.Look
		if rng.IntN(10) == 0 {
			m.Look.Colour = colours[rng.IntN(len(colours))]
		}
		if rng.IntN(10) == 0 {
			m.Look.Shape = shapes[rng.IntN(len(shapes))]
		}
	}
	return m
}
