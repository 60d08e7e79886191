package bench

import (
	"bufio"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse"
	"gatehouse/rules/attendance"
)

// AttendanceOptions say how much is calculated, and where the punches lie meanwhile.
type AttendanceOptions struct {
	People, Days int
	Dir          string
	// Progress is told after each person of the full run.
	Progress func(done, total int)
}

// Attendance are the figures of recalculating hours.
type Attendance struct {
	People  int     `json:"people"`
	Days    int     `json:"days"`
	Punches int64   `json:"punches"`
	Threads int     `json:"threads"`
	Full    float64 `json:"full_s"` // everybody's whole time, read from a file
	// OneMonth is the slowest of 200 people, the best of three times each: their month before and
	// after a correction, and the difference between the two.
	OneMonth    float64 `json:"one_month_ms"`
	OneMonthP50 float64 `json:"one_month_p50_ms"`
	// Changed are the differences that those corrections made.
	Changed int `json:"changed"`
	// Worked are the hours that came out, so that nobody measures nothing.
	Worked int64 `json:"worked_hours"`
}

// A punch in the file: its id, its second, its direction.
const punchBytes = 16 + 8 + 1

var (
	benchFirst = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	benchNow   = time.Date(2029, 1, 1, 0, 0, 0, 0, time.UTC)
)

// RunAttendance makes punches of so many people and days into a file, and recalculates
// all of them, and the month of some.
func RunAttendance(ctx context.Context, o AttendanceOptions) (res Attendance, err error) {
	if o.People < 1 || o.Days < 31 || o.Days > attendance.MostDays {
		return res, gatehouse.Errorf("bench.size", "ask for 1 or more people and 31 to 800 days", "there is nothing to measure")
	}
	f, err := os.CreateTemp(o.Dir, "bench-attendance-*")
	if err != nil {
		return res, gatehouse.Errorf("bench.dir", "give a folder that can be written", "making a file: %w", err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	ends, err := writePunches(f, o)
	if err != nil {
		return res, err
	}
	res = Attendance{People: o.People, Days: o.Days, Punches: ends[len(ends)-1] / punchBytes, Threads: runtime.GOMAXPROCS(0)}
	runtime.GC() // the making of the punches is not what is measured

	began := time.Now()
	var next, worked atomic.Int64
	var telling sync.Mutex
	done := 0
	var failed atomic.Pointer[error]
	var all sync.WaitGroup
	for range res.Threads {
		all.Go(func() {
			for failed.Load() == nil && ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= o.People {
					return
				}
				n, err := everyDay(f, ends, i, o.Days)
				if err != nil {
					failed.Store(&err)
					return
				}
				worked.Add(n)
				telling.Lock()
				if done++; o.Progress != nil {
					o.Progress(done, o.People)
				}
				telling.Unlock()
			}
		})
	}
	all.Wait()
	if e := failed.Load(); e != nil {
		return res, *e
	}
	if err := ctx.Err(); err != nil {
		return res, err
	}
	res.Full, res.Worked = time.Since(began).Seconds(), worked.Load()/60

	var ms []float64
	for i := range min(o.People, 200) {
		best, changed := time.Hour, 0
		for range 3 { // whatever else the machine does is not what is measured
			began := time.Now()
			if changed, err = oneMonth(f, ends, i*o.People/min(o.People, 200)); err != nil {
				return res, err
			}
			if took := time.Since(began); took < best {
				best = took
			}
		}
		res.Changed += changed
		ms = append(ms, float64(best.Nanoseconds())/1e6)
	}
	slices.Sort(ms)
	res.OneMonth, res.OneMonthP50 = ms[len(ms)-1], percentile(ms, 0.5)
	return res, nil
}

func everyDay(f *os.File, ends []int64, i, days int) (minutes int64, err error) {
	in, err := person(f, ends, i)
	if err != nil {
		return 0, err
	}
	in.From, in.Until = gatehouse.DateOf(benchFirst), gatehouse.DateOf(benchFirst.AddDate(0, 0, days-1))
	s, err := attendance.Recalculate(in)
	for _, d := range s.Days {
		minutes += int64(d.Worked)
	}
	return minutes, err
}

// oneMonth is what somebody waits for who corrects a punch: the hours as they were, as they
// are, and what became of them.
func oneMonth(f *os.File, ends []int64, i int) (differences int, err error) {
	in, err := person(f, ends, i)
	if err != nil || len(in.Punches) == 0 {
		return 0, err
	}
	at := in.Punches[len(in.Punches)/2]
	first := time.Date(at.At.Year(), at.At.Month(), 1, 0, 0, 0, 0, time.UTC)
	in.From, in.Until = gatehouse.DateOf(first), gatehouse.DateOf(first.AddDate(0, 1, -1))
	before, err := attendance.Recalculate(in)
	if err != nil {
		return 0, err
	}
	moved := at
	moved.ID, moved.Corrects, moved.At, moved.Made = gatehouse.RandomID(), at.ID, at.At.Add(-20*time.Minute), benchNow
	in.Punches = append(in.Punches, moved)
	after, err := attendance.Recalculate(in)
	return len(attendance.Differences(before, after)), err
}

// The shifts of a firm: offices, flexible hours, three rotating shifts with nights, a
// restaurant.
var (
	benchShifts = map[gatehouse.ShiftID]gatehouse.Shift{
		"day":   {ID: "day", Kind: gatehouse.FixedShift, Parts: []gatehouse.ShiftPart{{From: 480, Until: 1020}}, Breaks: []gatehouse.ShiftBreak{{From: 720, Until: 780}}},
		"flex":  {ID: "flex", Kind: gatehouse.FlexibleShift, Parts: []gatehouse.ShiftPart{{From: 360, Until: 1200}}, Core: []gatehouse.ShiftPart{{From: 600, Until: 900}}, Due: 480, Breaks: []gatehouse.ShiftBreak{{After: 360, Minutes: 30}, {After: 540, Minutes: 15}}},
		"early": {ID: "early", Kind: gatehouse.FixedShift, Parts: []gatehouse.ShiftPart{{From: 360, Until: 840}}},
		"late":  {ID: "late", Kind: gatehouse.FixedShift, Parts: []gatehouse.ShiftPart{{From: 840, Until: 1320}}},
		"night": {ID: "night", Kind: gatehouse.FixedShift, Parts: []gatehouse.ShiftPart{{From: 1320, Until: 1800}}},
		"split": {ID: "split", Kind: gatehouse.FixedShift, Parts: []gatehouse.ShiftPart{{From: 600, Until: 840}, {From: 1020, Until: 1320}}},
	}
	benchPatterns = [][]gatehouse.ShiftID{
		{"day", "day", "day", "day", "day", "", ""}, {"flex", "flex", "flex", "flex", "flex", "", ""}, {"split", "split", "", "split", "split", "split", ""},
		{"early", "early", "early", "early", "early", "", "", "late", "late", "late", "late", "late", "", "", "night", "night", "night", "night", "night", "", ""},
	}
	benchMonday  = time.Date(2025, 12, 29, 0, 0, 0, 0, time.UTC)
	benchZone, _ = time.LoadLocation("Europe/Berlin")
)

// person reads somebody's punches and adds their plan and the rules: the EU's, whose average
// of 17 weeks makes a month look back furthest, with overtime by day, week and rest day.
func person(f *os.File, ends []int64, i int) (attendance.Input, error) {
	from := int64(0)
	if i > 0 {
		from = ends[i-1]
	}
	b := make([]byte, ends[i]-from)
	if _, err := f.ReadAt(b, from); err != nil {
		return attendance.Input{}, gatehouse.Errorf("bench.read", "", "reading punches: %w", err)
	}
	who := benchSubject(i)
	rules := attendance.EuropeanUnion()
	rules.DuplicateWithin, rules.TravelWithin = 3, 10
	rules.GraceIn, rules.GraceOut = gatehouse.PunchGrace{Early: 15, Late: 5}, gatehouse.PunchGrace{Early: 5, Late: 10}
	rules.RoundIn, rules.RoundOut = gatehouse.PunchRounding{To: 5, Mode: gatehouse.ToNearest}, gatehouse.PunchRounding{To: 5, Mode: gatehouse.ToNearest}
	rules.Overtime = []gatehouse.OvertimeTier{{Code: "overtime-150", Scope: gatehouse.OverDay, After: 480, Rate: 15000}, {Code: "overtime-150", Scope: gatehouse.OverWeek, After: 2400, Rate: 15000},
		{Code: "overtime-200", Scope: gatehouse.OnRestDay, Rate: 20000}, {Code: "overtime-300", Scope: gatehouse.OnHoliday, Rate: 30000}}
	in := attendance.Input{Subject: who, Shifts: benchShifts, Rules: rules, Calendar: attendance.ChineseCalendar(), Zone: benchZone, Now: benchNow,
		Roster:  []gatehouse.RosterEntry{{Kind: gatehouse.StandingRoster, Who: who, From: gatehouse.DateOf(benchMonday), Pattern: benchPatterns[i%len(benchPatterns)]}},
		Punches: make([]gatehouse.Punch, len(b)/punchBytes)}
	for k := range in.Punches {
		r := b[k*punchBytes:]
		p := &in.Punches[k]
		copy(p.ID[:], r)
		p.Subject, p.Source, p.Site, p.Gate = who, gatehouse.FromPassage, "bench", "door"
		p.At = time.Unix(int64(binary.BigEndian.Uint64(r[16:])), 0).UTC()
		p.Made = p.At
		p.Direction = gatehouse.In
		if r[24] != 0 {
			p.Direction = gatehouse.Out
		}
	}
	return in, nil
}

func benchSubject(i int) (id gatehouse.SubjectID) {
	binary.BigEndian.PutUint64(id[8:], uint64(i)+1)
	return id
}

// writePunches makes the punches, four on most days: people come early and late, forget,
// stay longer, punch twice. It returns where each person's end.
func writePunches(f *os.File, o AttendanceOptions) ([]int64, error) {
	w := bufio.NewWriterSize(f, 1<<20)
	ends := make([]int64, 0, o.People)
	r := rand.New(rand.NewPCG(6, 26))
	var at, seq int64
	var rec [punchBytes]byte
	for i := range o.People {
		pattern := benchPatterns[i%len(benchPatterns)]
		for d := range o.Days {
			date := benchFirst.AddDate(0, 0, d)
			shift := pattern[int(date.Sub(benchMonday)/(24*time.Hour))%len(pattern)]
			if shift == "" && r.IntN(20) > 0 || shift != "" && r.IntN(40) == 0 {
				continue
			}
			begin, end := 480, 960
			if shift != "" {
				parts := benchShifts[shift].Parts
				if begin, end = parts[0].From, parts[len(parts)-1].Until; shift == "flex" {
					begin, end = 480+r.IntN(120), 1000+r.IntN(120)
				}
			}
			local := time.Date(date.Year(), date.Month(), date.Day(), 0, 0, 0, 0, benchZone)
			pause := begin + 230 + r.IntN(30)
			for k, m := range []int{begin - 12 + r.IntN(20), pause, pause + 25 + r.IntN(40), end - 5 + r.IntN(40)} {
				if r.IntN(200) == 0 {
					continue // forgotten
				}
				times := 1
				if r.IntN(50) == 0 {
					times = 2 // shown twice
				}
				for n := range times {
					seq++
					binary.BigEndian.PutUint64(rec[8:16], uint64(seq))
					binary.BigEndian.PutUint64(rec[16:24], uint64(local.Add(time.Duration(m)*time.Minute).Unix()+int64(n*20+r.IntN(60))))
					rec[24] = byte(k % 2)
					if _, err := w.Write(rec[:]); err != nil {
						return nil, gatehouse.Errorf("bench.write", "free some space", "writing punches: %w", err)
					}
					at += punchBytes
				}
			}
		}
		ends = append(ends, at)
	}
	if err := w.Flush(); err != nil {
		return nil, gatehouse.Errorf("bench.write", "free some space", "writing punches: %w", err)
	}
	return ends, nil
}
