package pairing

import (
	"slices"
	"testing"
	"time"

	"gatehouse"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// read is a reading of a text; the characters under a ? of the doubts are unsure, and
// candidates are other texts that the reader thought of.
func read(text, doubts string, candidates ...string) gatehouse.Mark {
	p := gatehouse.PlateRead{Text: text, Raw: text, Confidence: 0.99}
	for i, r := range []rune(text) {
		c := 0.995
		if d := []rune(doubts); i < len(d) && d[i] == '?' {
			c = 0.6
		}
		p.Chars = append(p.Chars, gatehouse.CharRead{Char: r, Confidence: c})
	}
	for _, c := range candidates {
		p.Candidates = append(p.Candidates, gatehouse.PlateCandidate{Text: c, Confidence: 0.3})
	}
	return gatehouse.Mark{Plate: p, Class: gatehouse.Car}
}

func look(m gatehouse.Mark, colour, shape string) gatehouse.Mark {
	m.Look = gatehouse.Appearance{Colour: colour, Shape: shape}
	return m
}

func ticket(m gatehouse.Mark, code string) gatehouse.Mark {
	m.Ticket = code
	return m
}

// inside makes open stays of marks; the first began an hour ago, each next a minute later.
func inside(marks ...gatehouse.Mark) []Open {
	var all []Open
	for i, m := range marks {
		all = append(all, Open{ID: gatehouse.ID{byte(i + 1)}, Mark: m, Entered: noon.Add(-time.Hour + time.Duration(i)*time.Minute)})
	}
	return all
}

func TestPair(t *testing.T) {
	for _, c := range []struct {
		name   string
		exit   gatehouse.Mark
		open   []Open
		state  State
		stay   byte // which of open, from 1
		reason Reason
	}{
		{"the same text", read("AB12CDE", ""), inside(read("XY98ZZZ", ""), read("AB12CDE", "")), Paired, 2, SameText},
		{"nobody inside", read("AB12CDE", ""), nil, Unpaired, 0, NoEntry},
		{"nobody near", read("AB12CDE", ""), inside(read("AB34CDE", "")), Unpaired, 0, NoEntry},

		{"a lookalike at the exit", read("AB12C0E", ""), inside(read("AB12CDE", "")), Paired, 1, OneLookalike},
		{"a lookalike at the entry", read("AB12CDE", ""), inside(read("A812CDE", "")), Paired, 1, OneLookalike},
		{"a province that looks alike", read("浙A12345", ""), inside(read("湘A12345", "")), Paired, 1, OneLookalike},
		{"a province that does not", read("京A12345", ""), inside(read("粤A12345", "")), Unpaired, 0, NoEntry},
		{"a character that nobody confuses", read("AB12CDE", ""), inside(read("AB17CDE", "")), Unpaired, 0, NoEntry},
		{"but the reader did", read("AB12CDE", "   ?", "AB17CDE"), inside(read("AB17CDE", "")), Paired, 1, ReadersChoice},
		{"or the other reader", read("AB17CDE", ""), inside(read("AB12CDE", "   ?", "AB17CDE")), Paired, 1, ReadersChoice},
		{"two lookalikes", read("A812C0E", ""), inside(read("AB12CDE", "")), Unpaired, 0, NoEntry},
		{"one dropped", read("AB2CDE", ""), inside(read("AB12CDE", "")), Paired, 1, OneMissing},
		{"the first dropped", read("B12CDE", ""), inside(read("AB12CDE", "")), Paired, 1, OneMissing},
		{"one added", read("AB112CDE", ""), inside(read("AB12CDE", "")), Paired, 1, OneMissing},
		{"one dropped, another wrong", read("AB2CXE", ""), inside(read("AB12CDE", "")), Unpaired, 0, NoEntry},
		{"two dropped", read("A2CDE", ""), inside(read("AB12CDE", "")), Unpaired, 0, NoEntry},

		{"two could be meant", read("FLT10B", "     ?"), inside(read("FLT103", ""), read("FLT108", "")), Ambiguous, 0, TwoStays},
		{"well read, though a twin is inside", read("FLT103", ""), inside(read("FLT103", ""), read("FLT108", "")), Paired, 1, SameText},
		{"not so well", read("FLT103", "     ?"), inside(read("FLT103", ""), read("FLT108", "")), Ambiguous, 0, TwoStays},
		{"well read, but a twin is inside and it might have been better", func() gatehouse.Mark {
			m := read("FLT103", "")
			m.Plate.Chars[5].Confidence = 0.985
			return m
		}(), inside(read("FLT103", ""), read("FLT108", "")), Ambiguous, 0, TwoStays},
		{"unsure of another character of a fleet", read("FLT103", ""), inside(read("FLT103", ""), read("FLT105", "")), Paired, 1, SameText},
		{"the stay's own entry unsure, and its neighbour misread", read("NHU2118", ""), inside(read("NHU2118", "  ?"), read("NMU2118", "")), Ambiguous, 0, TwoStays},
		{"two misread entries near one exit", read("ZNN0969", ""), inside(read("ZNN969", ""), read("ZNN096", "     ?")), Ambiguous, 0, TwoStays},
		{"perhaps wrong in two characters", read("浙UJB978", "    ?  ?"), inside(read("浙UJ8978", ""), read("浙UJ8973", "")), Ambiguous, 0, TwoStays},
		{"two apart, and alike", look(read("A812C0E", ""), "red", "van"), inside(look(read("AB12CDE", ""), "red", "van"), look(read("A812CDE", ""), "blue", "saloon")), Ambiguous, 0, TwoStays},
		{"unsure elsewhere", read("FLT103", "?"), inside(read("FLT103", ""), read("FLT108", "")), Paired, 1, SameText},
		{"both entries unsure", read("FLT103", ""), inside(read("FLT103", "     ?"), read("FLT108", "     ?")), Ambiguous, 0, TwoStays},
		{"the reader thought of the twin", read("FLT103", "", "FLT108"), inside(read("FLT103", ""), read("FLT108", "")), Ambiguous, 0, TwoStays},
		{"one of a fleet, whose entry was missed", read("FLT103", ""), inside(read("FLT108", ""), read("FLT105", "")), Unpaired, 0, OtherVehicle},
		{"one of a fleet, misread", read("FLT10B", "     ?"), inside(read("FLT108", ""), read("FLT105", "")), Paired, 1, OneLookalike},
		{"dropped within a fleet", read("FLT10", "    ?"), inside(read("FLT104", ""), read("FLT105", "")), Ambiguous, 0, TwoStays},
		{"the same plate twice", read("AB12CDE", ""), inside(read("AB12CDE", ""), read("AB12CDE", "")), Ambiguous, 0, TwoStays},
		{"told apart by their looks", look(read("AB12CDE", ""), "red", "van"), inside(look(read("AB12CDE", ""), "blue", "saloon"), look(read("AB12CDE", ""), "red", "van")), Paired, 2, SameText},
		{"by half their looks", look(read("AB12CDE", ""), "red", "van"), inside(look(read("AB12CDE", ""), "red", "saloon"), look(read("AB12CDE", ""), "red", "van")), Ambiguous, 0, TwoStays},
		{"near, and another vehicle", look(read("A812CDE", ""), "red", "van"), inside(look(read("AB12CDE", ""), "blue", "saloon")), Ambiguous, 0, LooksOther},
		{"the same text, and another vehicle", look(read("AB12CDE", ""), "red", "van"), inside(look(read("AB12CDE", ""), "blue", "saloon")), Paired, 1, SameText},
		{"another light", look(read("AB12CDE", ""), "red", "van"), inside(look(read("AB12CDE", ""), "brown", "van")), Paired, 1, SameText},

		{"a ticket", ticket(gatehouse.Mark{}, "T1"), inside(read("AB12CDE", ""), ticket(gatehouse.Mark{}, "T1")), Paired, 2, ByTicket},
		{"a ticket that is not inside", ticket(gatehouse.Mark{}, "T9"), inside(ticket(gatehouse.Mark{}, "T1")), Unpaired, 0, UnknownTicket},
		{"a ticket of another car", ticket(read("XY98ZZZ", ""), "T1"), inside(ticket(read("AB12CDE", ""), "T1")), Ambiguous, 0, TicketOfOther},
		{"a ticket of a misread car", ticket(read("A812CDE", ""), "T1"), inside(ticket(read("AB12CDE", ""), "T1")), Paired, 1, ByTicket},
		{"neither plate nor ticket", gatehouse.Mark{Class: gatehouse.Motorbike}, inside(gatehouse.Mark{Class: gatehouse.Motorbike}), Unpaired, 0, NoPlate},
		{"no plate is not the same as no plate", read("AB12CDE", ""), inside(gatehouse.Mark{}), Unpaired, 0, NoEntry},
	} {
		v := Pair(Exit{Mark: c.exit, At: noon}, c.open)
		if v.State != c.state || v.Reason != c.reason || v.Stay != (gatehouse.ID{c.stay}) {
			t.Errorf("%s: %+v, want %s %s %d", c.name, v, c.state, c.reason, c.stay)
		}
		if want := c.state == Paired && c.reason != ByTicket && c.open[c.stay-1].Mark.Plate.Text != c.exit.Plate.Text; c.reason != ByTicket && v.Corrected != want {
			t.Errorf("%s: corrected %t", c.name, v.Corrected)
		}
		if v.State == Ambiguous && len(v.Could) == 0 {
			t.Errorf("%s: nobody is told which stays could be meant", c.name)
		}
	}
}

func TestPairLooksAtWhatElseIsKnown(t *testing.T) {
	open := inside(read("A812CDE", ""))
	if v := Pair(Exit{Mark: read("AB12CDE", ""), At: noon, Known: true}, open); v.State != Unpaired || v.Reason != OtherVehicle {
		t.Errorf("a known plate was taken for its neighbour: %+v", v)
	}
	if v := Pair(Exit{Mark: read("AB12CDE", " ?"), At: noon, Known: true}, open); v.State != Paired {
		t.Errorf("a known plate that was read badly: %+v", v)
	}
	if v := Pair(Exit{Mark: read("A812CDE", ""), At: open[0].Entered.Add(-time.Minute)}, open); v.State != Unpaired {
		t.Errorf("an exit was paired with an entry that came after it: %+v", v)
	}
	clone := Pair(Exit{Mark: look(read("AB12CDE", ""), "red", "van"), At: noon}, inside(look(read("AB12CDE", ""), "blue", "saloon")))
	if !clone.Unlike {
		t.Error("nobody is told that the vehicle looks like another one")
	}
	later := inside(ticket(gatehouse.Mark{}, "T1"))
	if v := Pair(Exit{Mark: ticket(gatehouse.Mark{}, "T1"), At: later[0].Entered.Add(-time.Minute)}, later); v.State != Unpaired {
		t.Errorf("a ticket left before it was given: %+v", v)
	}
	away := []Sighting{{Mark: read("A81ZCDE", ""), At: noon.Add(-30 * time.Minute)}}
	if v := Pair(Exit{Mark: read("A812CDE", ""), At: noon, Lost: away}, open); v.State != Ambiguous || v.Reason != DoubleDip {
		t.Errorf("two visits were taken for one: %+v", v)
	}
	for _, text := range []string{"A812CDE", "A81CDE", "8A812CDE", "A8I2C0E", "AI2CDE", "812CD"} {
		if v := Pair(Exit{Mark: read("A812CDE", ""), At: noon, Lost: []Sighting{{Mark: read(text, ""), At: away[0].At}}}, open); v.Reason != DoubleDip {
			t.Errorf("seen meanwhile as %s: %+v", text, v)
		}
	}
	for name, s := range map[string]Sighting{"a neighbour": {Mark: read("A815CDE", ""), At: away[0].At}, "three away": {Mark: read("4812C0O", ""), At: away[0].At}, "before it came": {Mark: away[0].Mark, At: noon.Add(-2 * time.Hour)}, "another plate": {Mark: read("XY98ZZZ", ""), At: away[0].At}} {
		if v := Pair(Exit{Mark: read("A812CDE", ""), At: noon, Lost: []Sighting{s}}, open); v.State != Paired {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// A driver who paid and typed the plate is a second reading, and a witness.
func TestPairKnowsWhoPaid(t *testing.T) {
	said := func(o Open, text string, ago time.Duration) Open {
		o.Said, o.PaidUntil = text, noon.Add(15*time.Minute-ago)
		return o
	}
	misread := inside(read("A812CDE", ""))[0] // of AB12CDE
	for name, c := range map[string]struct {
		exit   gatehouse.Mark
		open   []Open
		state  State
		reason Reason
	}{
		"the entry was misread":                     {read("AB12CDE", ""), []Open{said(misread, "AB12CDE", time.Minute)}, Paired, AsTyped},
		"paid long ago, it is the same plate still": {read("AB12CDE", ""), []Open{said(misread, "AB12CDE", time.Hour)}, Paired, AsTyped},
		"among a fleet that is well read":           {read("AB12CDE", ""), append(inside(read("XY98ZZZ", ""), read("AB13CDE", "")), said(misread, "AB12CDE", time.Minute)), Paired, AsTyped},
		"the same, but nobody typed it":             {read("AB12CDE", ""), append(inside(read("XY98ZZZ", ""), read("AB13CDE", "")), misread), Unpaired, OtherVehicle},
		"both gates misread, the driver did not":    {read("AB12CD0E", ""), []Open{said(misread, "AB12CDE", time.Minute)}, Paired, OneMissing},
		"two characters from what was typed":        {read("AB12C0EZ", ""), []Open{said(misread, "AB12CDE", time.Minute)}, Unpaired, NoEntry},
		"somebody else's very plate is inside, too": {read("AB12CDE", ""), append(inside(read("XY98ZZZ", ""), read("AB12CDE", "")), said(misread, "AB12CDE", time.Minute)), Ambiguous, TwoStays},
		"a twin did not pay":                        {read("AB12CDE", " ?"), append(inside(read("XY98ZZZ", ""), read("A812CDE", "")), said(Open{ID: gatehouse.ID{9}, Mark: read("AB12CDE", ""), Entered: noon.Add(-time.Hour)}, "AB12CDE", time.Minute)), Paired, SameText},
		"the same, but its time to leave is over":   {read("AB12CDE", " ?"), append(inside(read("XY98ZZZ", ""), read("A812CDE", "")), said(Open{ID: gatehouse.ID{9}, Mark: read("AB12CDE", ""), Entered: noon.Add(-time.Hour)}, "AB12CDE", time.Hour)), Ambiguous, TwoStays},
		"the twin paid, too":                        {read("AB12CDE", " ?"), append(inside(read("XY98ZZZ", "")), said(misread, "A812CDE", 0), said(Open{ID: gatehouse.ID{9}, Mark: read("AB12CDE", ""), Entered: noon.Add(-time.Hour)}, "AB12CDE", time.Minute)), Ambiguous, TwoStays},
		"the twin alone paid":                       {read("AB12CDE", " ?"), append(inside(read("XY98ZZZ", ""), read("AB12CDE", "")), said(Open{ID: gatehouse.ID{9}, Mark: read("A812CDE", ""), Entered: noon.Add(-time.Hour)}, "A812CDE", time.Minute)), Ambiguous, TwoStays},
	} {
		v := Pair(Exit{Mark: c.exit, At: noon}, c.open)
		if v.State != c.state || v.Reason != c.reason || v.State == Paired && v.Stay != c.open[len(c.open)-1].ID || v.Corrected != (v.State == Paired && v.Reason != SameText) {
			t.Errorf("%s: %+v", name, v)
		}
	}
	p := read("AB12CDE", "", "AX12CDE").Plate
	for typed, near := range map[string]bool{"AB12CDE": true, "A812CDE": true, "AB12DE": true, "AX12CDE": true, "AY12CDE": false, "A812C0E": false, "": false} {
		if Near(p, typed) != near {
			t.Errorf("%q is near: %v", typed, !near)
		}
	}
}

func TestEnter(t *testing.T) {
	red := func(text, doubts string) gatehouse.Mark { return look(read(text, doubts), "red", "van") }
	for name, c := range map[string]struct {
		m      gatehouse.Mark
		reason EntryReason
	}{
		"new":                           {red("XY98ZZZ", ""), EntryNew},
		"no plate":                      {gatehouse.Mark{}, EntryNew},
		"the same vehicle again":        {red("AB12CDE", ""), EntryAgain},
		"the same plate, not well read": {red("AB12CDE", " ?"), EntryTwice},
		"another vehicle":               {look(read("AB12CDE", ""), "blue", "saloon"), EntryTwice},
		"nobody saw what it looks like": {read("AB12CDE", ""), EntryTwice},
	} {
		e := Enter(c.m, inside(red("AB12CDE", ""), gatehouse.Mark{}))
		if e.Reason != c.reason || (e.Reason == EntryAgain) == e.Missed.IsZero() || (e.Reason == EntryTwice) != (len(e.Others) == 1) {
			t.Errorf("%s: %+v", name, e)
		}
	}
	old := inside(red("AB12CDE", ""), red("XY98ZZZ", ""))
	if got := Overdue(old, 59*time.Minute, noon); len(got) != 1 || got[0] != old[0].ID {
		t.Errorf("overdue: %v", got)
	}
}

// Whatever is inside, read and typed, the order of the stays does not matter, only one of them
// is closed, and never one whose text, and what its driver typed, are two characters away.
func TestPairIsCareful(t *testing.T) {
	text := rapid.StringMatching(`[AB][038BD]{3,4}`)
	rapid.Check(t, func(t *rapid.T) {
		mark := func(name string) gatehouse.Mark {
			m := read(text.Draw(t, name), rapid.StringMatching(`[ ?]{5}`).Draw(t, name+" doubts"), text.Draw(t, name+" candidate"))
			if rapid.Bool().Draw(t, name+" seen") {
				m = look(m, rapid.SampledFrom([]string{"red", "blue"}).Draw(t, name+" colour"), rapid.SampledFrom([]string{"van", "saloon"}).Draw(t, name+" shape"))
			}
			return m
		}
		var marks []gatehouse.Mark
		for range rapid.IntRange(0, 6).Draw(t, "inside") {
			marks = append(marks, mark("stay"))
		}
		open := inside(marks...)
		for i := range open {
			if typed := text.Draw(t, "typed"); rapid.Bool().Draw(t, "paid") && Near(open[i].Mark.Plate, typed) {
				open[i].Said, open[i].PaidUntil = typed, noon.Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "until"))*time.Minute)
			}
		}
		e := Exit{Mark: mark("exit"), At: noon}
		v := Pair(e, open)
		slices.Reverse(open)
		if w := Pair(e, open); w.State != v.State || w.Stay != v.Stay {
			t.Fatalf("in another order: %+v, %+v", v, w)
		}
		if v.State != Paired {
			return
		}
		same := 0
		for _, o := range open {
			if o.Mark.Plate.Text == e.Mark.Plate.Text || o.Said == e.Mark.Plate.Text {
				same++
			}
			if o.ID == v.Stay && differ([]rune(o.Mark.Plate.Text), []rune(e.Mark.Plate.Text)).kind == far && (o.Said == "" || differ([]rune(o.Said), []rune(e.Mark.Plate.Text)).kind == far) {
				t.Fatalf("%s was paired with %s", e.Mark.Plate.Text, o.Mark.Plate.Text)
			}
		}
		if same > 1 && e.Mark.Look == (gatehouse.Appearance{}) {
			t.Fatalf("one of %d stays with the same plate was chosen, without a picture", same)
		}
	})
}

// The relation is symmetric, and has the sets that were asked for.
func TestLookalikes(t *testing.T) {
	for _, set := range []string{"0ODQ", "38B", "1IL", "2Z", "5S", "6G", "HKMN", "VY"} {
		for _, a := range set {
			for _, b := range set {
				if a != b && !confusable(a, b) {
					t.Errorf("%c and %c", a, b)
				}
			}
		}
	}
	for _, r := range "0ODQ38B1IL2Z5S6GHKMNVY津浙湘沪渝京琼晋鲁黑贵青苏蒙藏陕鄂冀豫" {
		for _, x := range Lookalikes(r) {
			if !confusable(x, r) || !confusable(r, x) {
				t.Errorf("%c and %c", r, x)
			}
		}
	}
	if confusable('7', '4') || confusable('3', '5') || len(Lookalikes('7')) > 0 {
		t.Error("7 looks like something else")
	}
}

// What is read is nobody's business in a log.
func TestMarksAreRedacted(t *testing.T) {
	if s := read("AB12CDE", "").LogValue().String(); s != "[redacted]" {
		t.Error(s)
	}
}

func BenchmarkPair(b *testing.B) {
	var marks []gatehouse.Mark
	for i := range 500 {
		marks = append(marks, read("FLT"+string(rune('0'+i/100))+string(rune('0'+i/10%10))+string(rune('0'+i%10)), ""))
	}
	open := inside(marks...)
	e := Exit{Mark: read("FLT250", ""), At: noon.Add(24 * time.Hour)}
	for b.Loop() {
		Pair(e, open)
	}
}
