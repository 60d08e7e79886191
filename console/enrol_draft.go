package console

import (
	"maps"
	"slices"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/flow/enroll"
)

// draft is an enrolment that somebody is filling in. It is personal data in the clear and
// lies in memory only, for one session; nothing of it is stored before it is carried out.
type draft struct {
	mu      sync.Mutex
	id      gatehouse.ID
	session string
	seen    time.Time
	bytes   int // of photos

	Kind    gatehouse.SubjectKind
	Of      gatehouse.SubjectID // whose photos are changed; zero for somebody new
	Label   string
	Person  gatehouse.PersonRecord
	Vehicle gatehouse.VehicleRecord
	Consent agreed
	Photos  []draftPhoto
	Twin    gatehouse.SubjectID // somebody enrolled whom they look like
	Card    gatehouse.Secret
	PIN     gatehouse.Secret
	QR      gatehouse.Secret
	Access  accessForm
	reached int // the furthest step that was shown
}

// agreed is the consent step as it was filled in.
type agreed struct {
	Asked      bool // the step was gone through
	Held       bool // a consent was in force before, and nothing is recorded anew
	Doors      bool
	Attendance bool
	Guardian   bool
	How        string // terminal, reference
	Reference  string
	Notice     string // en, zh
}

// draftPhoto is one photo and what it is worth.
type draftPhoto struct {
	ID     gatehouse.ID
	Bytes  []byte
	Judged enroll.Judgement
}

// accessForm is the form of where and when somebody may pass, as it was filled in.
type accessForm struct {
	Asked    bool
	All      string            // the schedule at every gate; "" for chosen gates
	Gates    map[string]string // gate → schedule
	First    string
	Last     string
	Problems bool
}

// Grants are what the form grants.
func (a accessForm) Grants() (out []gatehouse.Grant) {
	if a.All != "" {
		return []gatehouse.Grant{{Gate: "*", Schedule: a.All}}
	}
	for _, gate := range slices.Sorted(maps.Keys(a.Gates)) {
		out = append(out, gatehouse.Grant{Gate: gatehouse.GateID(gate), Schedule: a.Gates[gate]})
	}
	return out
}

// drafts holds them.
type drafts struct {
	now   func() time.Time
	mu    sync.Mutex
	all   map[gatehouse.ID]*draft
	given map[gatehouse.SubjectID]handed
}

// handed is a QR code that was made for somebody, to be printed by who enrolled them.
type handed struct {
	session string
	text    gatehouse.Secret
	at      time.Time
}

// The limits of drafts.
const (
	draftFor       = 30 * time.Minute // after it was last touched
	maxDrafts      = 64
	maxDraftsEach  = 4         // of one session; the oldest goes
	maxDraftBytes  = 256 << 20 // photos of all of them
	maxDraftPhotos = 8
	bestPhotos     = 5 // that somebody is enrolled by
	handedFor      = 10 * time.Minute
)

func newDrafts(now func() time.Time) *drafts {
	return &drafts{now: now, all: map[gatehouse.ID]*draft{}, given: map[gatehouse.SubjectID]handed{}}
}

// begin keeps a draft for a session. It fails with enroll.busy.
func (d *drafts) begin(session string, one *draft) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sweep()
	var own []*draft
	for _, x := range d.all {
		if x.session == session {
			own = append(own, x)
		}
	}
	slices.SortFunc(own, func(a, b *draft) int { return a.seen.Compare(b.seen) })
	for len(own) >= maxDraftsEach {
		delete(d.all, own[0].id)
		own = own[1:]
	}
	if len(d.all) >= maxDrafts {
		return gatehouse.Errorf("enroll.busy", "wait until others have finished", "too many enrolments are being filled in at the same time")
	}
	one.id, one.session, one.seen = gatehouse.RandomID(), session, d.now()
	d.all[one.id] = one
	return nil
}

// of returns a session's draft, nil where it is not there or another's.
func (d *drafts) of(session string, id gatehouse.ID) *draft {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sweep()
	one := d.all[id]
	if one == nil || one.session != session {
		return nil
	}
	one.seen = d.now()
	return one
}

// grow counts a photo's bytes; false where there is no room for it.
func (d *drafts) grow(one *draft, by int) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	total := by
	for _, x := range d.all {
		total += x.bytes
	}
	if total > maxDraftBytes {
		return false
	}
	one.bytes += by
	return true
}

func (d *drafts) drop(id gatehouse.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.all, id)
}

// end forgets what a session had: somebody signed out.
func (d *drafts) end(session string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	maps.DeleteFunc(d.all, func(_ gatehouse.ID, x *draft) bool { return x.session == session })
	maps.DeleteFunc(d.given, func(_ gatehouse.SubjectID, h handed) bool { return h.session == session })
}

func (d *drafts) sweep() {
	now := d.now()
	maps.DeleteFunc(d.all, func(_ gatehouse.ID, x *draft) bool { return now.Sub(x.seen) >= draftFor })
	maps.DeleteFunc(d.given, func(_ gatehouse.SubjectID, h handed) bool { return now.Sub(h.at) >= handedFor })
}

// hand keeps a QR code for the page that follows.
func (d *drafts) hand(session string, to gatehouse.SubjectID, text gatehouse.Secret) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sweep()
	d.given[to] = handed{session, text, d.now()}
}

// handedTo is the QR code that this session made for somebody, "" for none.
func (d *drafts) handedTo(session string, id gatehouse.SubjectID) gatehouse.Secret {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sweep()
	if h := d.given[id]; h.session == session {
		return h.text
	}
	return ""
}

// best are the good photos, the best first, as many as somebody is enrolled by.
func (d *draft) best() (out []draftPhoto) {
	for _, p := range d.Photos {
		if d.good(p) {
			out = append(out, p)
		}
	}
	slices.SortStableFunc(out, func(a, b draftPhoto) int { return int(1000 * (b.Judged.Score - a.Judged.Score)) })
	return out[:min(len(out), bestPhotos)]
}

// good reports whether somebody may be enrolled by the photo: also one that shows the
// declared twin of somebody.
func (d *draft) good(p draftPhoto) bool {
	return p.Judged.Good() || p.Judged.Code == "enroll.duplicate" && p.Judged.Known == d.Twin
}

// judgements are those of the photos before.
func (d *draft) judgements() (out []enroll.Judgement) {
	for _, p := range d.Photos {
		if j := p.Judged; d.good(p) {
			j.Code = ""
			out = append(out, j)
		}
	}
	return out
}
