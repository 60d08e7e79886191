package track

import (
	"slices"
	"time"

	"gatehouse"
)

// maxReads is how many reads of one plate are kept for the vote; the least
// confident go first.
const maxReads = 64

// plateTrack is one vehicle's plate over time.
type plateTrack struct {
	base
	reads  []gatehouse.PlateRead // in order of time
	vote   gatehouse.PlateRead   // over reads
	stable int                   // frames running in which the vote and the read agreed
	since  time.Time             // when it first counted; zero before
}

// match says whether the plate can be the track's, and how likely (higher is better).
func (p *plateTrack) match(o *Options, fr frame, s gatehouse.PlateSeen) (score float64, ok bool) {
	dist, size, over := p.distance(fr.at, s.Box), sizes(p.box, s.Box), iou(p.box, s.Box)
	gap := fr.at.Sub(p.last).Seconds()
	// A plate is seen from afar: a car at walking pace moves its plate by up to
	// three plate widths a second.
	near := size >= 0.4 && (over > 0 || dist <= 1+3*gap)
	alike := p.alike(s.Read)
	bothSure := p.vote.Confidence >= o.PlateSure && s.Read.Confidence >= o.PlateSure
	switch {
	case p.same(o, s.Read):
		// One car has one plate: the text alone is enough, wherever the box went.
		return 2*alike + over - min(dist, 4)/4, true
	case bothSure && (alike < 0.4 || gap > 0.6):
		// Two texts, both well read: the next car, were its plate one character off.
		return 0, false
	case alike >= 0.4:
		return 2*alike + over - dist, near
	default:
		// A misread, of either: believe it only where it hardly moved.
		return alike + over - dist, size >= 0.6 && over >= 0.2 && gap <= 1
	}
}

// same reports whether the text alone says that it is the same plate: equal, or
// nearly so while one of the two is not sure.
func (p *plateTrack) same(o *Options, r gatehouse.PlateRead) bool {
	if p.vote.Text == r.Text {
		return true
	}
	return min(p.vote.Confidence, r.Confidence) < o.PlateSure && Alike(p.vote.Text, r.Text) >= 0.8
}

// alike is the best similarity of a read to the vote and to the latest reads, 0..1.
func (p *plateTrack) alike(r gatehouse.PlateRead) float64 {
	best := Alike(p.vote.Text, r.Text)
	for _, old := range p.reads[max(0, len(p.reads)-3):] {
		best = max(best, Alike(old.Text, r.Text))
	}
	return best
}

func (p *plateTrack) see(o *Options, fr frame, s gatehouse.PlateSeen) {
	w := s.Read.Confidence * float64(s.Box.W)
	p.base.see(fr, s.Box, w, s.Crop, s.Thumb, o.Pictures)
	if p.done {
		return
	}
	p.reads = append(p.reads, s.Read)
	if len(p.reads) > maxReads {
		worst := 0
		for i, r := range p.reads {
			if r.Confidence < p.reads[worst].Confidence {
				worst = i
			}
		}
		p.reads = slices.Delete(p.reads, worst, worst+1)
	}
	old := p.vote.Text
	p.vote = o.Vote(p.reads)
	if p.vote.Text == s.Read.Text && (p.vote.Text == old || p.stable == 0) {
		p.stable++
	} else {
		p.stable = 0
	}
	if p.since.IsZero() && p.counts(o) {
		p.since = fr.at
	}
}

// counts reports whether it was seen well enough to be a vehicle at all.
func (p *plateTrack) counts(o *Options) bool {
	if p.vote.Text == "" {
		return false
	}
	return p.frames >= 2 || p.vote.Confidence >= o.PlateSure
}

// settled reports whether more frames would say nothing new: surely read and
// stable, or the same for three times as long. A plate that comes nearer is read
// better in a moment; who is allowed in need not wait for that, only a denial does.
func (p *plateTrack) settled(o *Options) bool {
	if p.approaching() {
		return false
	}
	return p.stable >= o.PlateStable && p.vote.Confidence >= o.PlateSure || p.stable >= 3*o.PlateStable
}

func (p *plateTrack) sighting(final bool) gatehouse.Sighting {
	s := p.base.sighting(gatehouse.PlateReading)
	s.Final, s.Plate = final, p.vote
	return s
}

func (t *Tracker) addPlates(fr frame, plates []gatehouse.PlateSeen) (out []gatehouse.Sighting) {
	t.recall(fr, plates)
	var pairs []pair
	for i, p := range t.plates {
		for j, s := range plates {
			if score, ok := p.match(&t.o, fr, s); ok {
				pairs = append(pairs, pair{i, j, score})
			}
		}
	}
	owner := make([]*plateTrack, len(plates))
	for _, p := range assign(pairs) {
		owner[p.seen] = t.plates[p.track]
	}
	for j, s := range plates {
		if s.Read.Text == "" {
			continue
		}
		p := owner[j]
		if p == nil {
			p = &plateTrack{base: t.newBase(fr, s.Box)}
			t.plates = append(t.plates, p)
		}
		p.see(&t.o, fr, s)
		if p.done || !p.counts(&t.o) {
			continue
		}
		p.done = p.settled(&t.o) || p.overdue(p.since, fr.at, t.o.PlateFinal)
		out = append(out, p.sighting(p.done))
	}
	for len(t.plates) > maxTracks {
		out = append(out, t.finish(t.plates[0])...)
		t.plates = t.plates[1:]
	}
	return out
}

// recall brings back finished plates whose text is read again: the same car,
// after it was hidden for a while.
func (t *Tracker) recall(fr frame, plates []gatehouse.PlateSeen) {
	kept := t.gone[:0]
	for _, p := range t.gone {
		if fr.at.Sub(p.last) > t.o.PlateMemory {
			continue
		}
		again := slices.ContainsFunc(plates, func(s gatehouse.PlateSeen) bool { return p.same(&t.o, s.Read) })
		followed := slices.ContainsFunc(t.plates, func(q *plateTrack) bool { return p.same(&t.o, q.vote) })
		if again && !followed {
			t.plates = append(t.plates, p)
		} else {
			kept = append(kept, p)
		}
	}
	clear(t.gone[len(kept):])
	t.gone = kept
}

func (t *Tracker) tickPlates() (out []gatehouse.Sighting) {
	kept := t.plates[:0]
	var left []*plateTrack
	for _, p := range t.plates {
		if t.now.Sub(p.last) > t.o.MaxGap {
			left = append(left, p)
			continue
		}
		kept = append(kept, p)
		if !p.done && p.overdue(p.since, t.now, t.o.PlateFinal) {
			p.done = true
			out = append(out, p.sighting(true))
		}
	}
	clear(t.plates[len(kept):])
	t.plates = kept
	for _, p := range left {
		out = append(out, t.finish(p)...)
	}
	return out
}

// finish ends a track that is not seen any more, and remembers its text.
func (t *Tracker) finish(p *plateTrack) (out []gatehouse.Sighting) {
	if !p.done {
		p.done = true
		if !p.counts(&t.o) || t.echo(p) {
			return nil
		}
		out = append(out, p.sighting(true))
	}
	t.gone = append(t.gone, p)
	t.gone = t.gone[max(0, len(t.gone)-maxTracks):]
	return out
}

// echo reports whether a track that just ended says nearly the same as another
// one of that time: a distant misread of a car that was read well later, or a
// ghost beside it.
func (t *Tracker) echo(p *plateTrack) bool {
	same := func(q *plateTrack) bool {
		return q != p && q.frames >= p.frames && q.counts(&t.o) && Alike(q.vote.Text, p.vote.Text) >= 0.7 &&
			q.first.Sub(p.last) <= t.o.MaxGap && p.first.Sub(q.last) <= t.o.MaxGap
	}
	return slices.ContainsFunc(t.plates, same) || slices.ContainsFunc(t.gone, same)
}

// heaviest is the vote where none is injected: the read of the greatest
// confidence among those of the text with the greatest sum of confidences.
func heaviest(reads []gatehouse.PlateRead) (best gatehouse.PlateRead) {
	sum := map[string]float64{}
	for _, r := range reads {
		sum[r.Text] += r.Confidence
	}
	for _, r := range reads {
		a, b := sum[r.Text], sum[best.Text]
		if best.Text == "" || a > b || r.Text == best.Text && r.Confidence > best.Confidence {
			best = r
		}
	}
	return best
}
