package console

import (
	"context"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/flow/erase"
)

// number is a number in a path, -1 for none.
func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return -1
	}
	return n
}

// erasures are those that were asked for here and are under way, or have just ended.
type erasures struct {
	now func() time.Time
	mu  sync.Mutex
	all map[gatehouse.ID]*erasing // by the id of the erasure
}

type erasing struct {
	session string
	subject gatehouse.SubjectID
	began   time.Time
	ctx     context.Context // its end stops an erasure that has not begun
	stop    context.CancelFunc
	done    chan struct{} // closed once err is there
	err     error
}

// erasingFor is how long an ended one is remembered; its certificate stays in the log.
// awaitErasure is how long the browser waits before it is shown that the work goes on.
const (
	erasingFor   = time.Hour
	awaitErasure = 1500 * time.Millisecond
)

func newErasures(now func() time.Time) *erasures {
	return &erasures{now: now, all: map[gatehouse.ID]*erasing{}}
}

// add begins one of a subject; fresh is false where this session has begun it before.
func (e *erasures) add(ctx context.Context, session string, subject gatehouse.SubjectID) (id gatehouse.ID, one *erasing, fresh bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.now()
	for id, x := range e.all {
		if x.session == session && x.subject == subject && !x.ended() {
			return id, x, false
		}
	}
	maps.DeleteFunc(e.all, func(_ gatehouse.ID, x *erasing) bool { return x.ended() && now.Sub(x.began) >= erasingFor })
	id, one = gatehouse.RandomID(), &erasing{session: session, subject: subject, began: now, done: make(chan struct{})}
	one.ctx, one.stop = context.WithCancel(context.WithoutCancel(ctx)) // it outlives the request
	e.all[id] = one
	return id, one, true
}

func (e *erasures) of(session string, id gatehouse.ID) *erasing {
	e.mu.Lock()
	defer e.mu.Unlock()
	if one := e.all[id]; one != nil && one.session == session {
		return one
	}
	return nil
}

func (x *erasing) ended() bool {
	select {
	case <-x.done:
		return true
	default:
		return false
	}
}

// eraseBody is the page that asks whether to erase.
type eraseBody struct {
	person
	OneOff  bool // nobody who is enrolled: only passages have it, under Label, the begin of its id
	Photos  int
	Problem string
	Field   string
	Reason  string
	Money   []gatehouse.Money // on its passes: what becomes of it is asked
}

func (c *Console) askErase(w http.ResponseWriter, r *http.Request) {
	c.showErase(w, r, http.StatusOK, "", "")
}

// erasable is who or what the path names: somebody enrolled, or else a subject that only
// passages have, such as a stranger's capture or the stay of a car that is not enrolled.
func (c *Console) erasable(r *http.Request) (b eraseBody, err error) {
	badge, s, err := c.subjectIn(r)
	if err == nil {
		return eraseBody{person: c.person(Enrolled{Badge: badge, Enrolled: s.Enrolled}, ""), Photos: len(s.Photos)}, nil
	}
	id, malformed := gatehouse.ParseID(r.PathValue("id"))
	if malformed != nil || gatehouse.ErrorCode(err) != "store.not_found" {
		return b, err
	}
	switch known, failed := c.o.Registry.Erasures.Known(r.Context(), id); {
	case failed != nil:
		return b, failed
	case !known:
		return b, err
	}
	return eraseBody{person: person{ID: id, Label: id.String()[:8]}, OneOff: true}, nil
}

func (c *Console) showErase(w http.ResponseWriter, r *http.Request, status int, problem, field string) {
	page, err := c.erasable(r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	page.Problem, page.Field = problem, field
	if page.Money, err = c.o.Registry.Erasures.HeldMoney(r.Context(), page.ID); err != nil {
		c.fail(w, r, err)
		return
	}
	if status != http.StatusOK {
		page.Reason = r.PostFormValue("reason")
	}
	c.render(w, r, status, "erase", "erase.title", "people", page)
}

// eraseSubject erases once the label was typed as it stands. It goes on when the browser
// goes away: what was begun is finished.
func (c *Console) eraseSubject(w http.ResponseWriter, r *http.Request) {
	s, err := c.erasable(r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	lang := languageOf(w, r)
	reason, err := reasonIn(r)
	if err != nil {
		c.showErase(w, r, http.StatusUnprocessableEntity, codeText(lang, err), "reason")
		return
	}
	if typed := strings.TrimSpace(r.PostFormValue("label")); typed != s.Label || typed == "" {
		c.showErase(w, r, http.StatusUnprocessableEntity, text(lang, "erase.other"), "label")
		return
	}
	money := r.PostFormValue("money")
	held, err := c.o.Registry.Erasures.HeldMoney(r.Context(), s.ID)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	if len(held) > 0 && money != "refund" && money != "keep" {
		c.showErase(w, r, http.StatusUnprocessableEntity, text(lang, "code.erase.money"), "money")
		return
	}
	me := who(r)
	id, one, fresh := c.erased.add(r.Context(), me.Session, s.ID)
	if fresh {
		go func() {
			defer close(one.done)
			defer one.stop()
			one.err = c.o.Registry.Erasures.Erase(one.ctx, me, id, s.ID, reason, money)
		}()
	}
	select {
	case <-one.done:
	case <-time.After(awaitErasure):
	case <-r.Context().Done():
	}
	http.Redirect(w, r, "/erasures/"+id.String(), http.StatusSeeOther)
}

// erasureBody is the page of an erasure that is under way, or was refused or stopped.
type erasureBody struct {
	Running *erasingView
	Stopped bool
	Problem string
	Code    string
}

// erasingView is one that is under way.
type erasingView struct {
	erase.Progress
	Stop bool // whoever looks may stop it
}

// Steps are the stages through which it goes, with what became of each.
func (v erasingView) Steps() (all []stageView) {
	state := "held" // done
	for _, s := range erase.Stages {
		switch {
		case s == v.Stage:
			all = append(all, stageView{s, "now"})
			state = "unasked"
		case s != erase.Waits && s != erase.Left:
			all = append(all, stageView{s, state})
		}
	}
	return all
}

// Share is how many of the pictures are gone, 0 to 1.
func (v erasingView) Share() float64 { return float64(v.Unlinked) / float64(max(1, v.Pictures)) }

type stageView struct {
	Stage erase.Stage
	State string // held (done), now, unasked (to come)
}

// underWay is an erasure that has not ended, nil for none. Whoever may erase sees it, also
// after the server was started anew; who asked for it may stop it.
func (c *Console) underWay(r *http.Request, id gatehouse.ID) (*erasingView, error) {
	one := c.erased.of(who(r).Session, id)
	mine := one != nil && !one.ended()
	all, err := c.o.Registry.Erasures.Erasing(r.Context())
	if err != nil {
		return nil, err
	}
	for _, p := range all {
		if p.ID == id {
			return &erasingView{p, mine && p.Stoppable()}, nil
		}
	}
	if mine && !one.ended() { // it begins, or ends, at this moment
		return &erasingView{Progress: erase.Progress{ID: id, Stage: erase.Checks, Began: one.began}}, nil
	}
	return nil, nil
}

// erasure shows one that was asked for, and leads on to its certificate.
func (c *Console) erasure(w http.ResponseWriter, r *http.Request) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	var b erasureBody
	if err == nil {
		b.Running, err = c.underWay(r, id)
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	script, one, lang := r.Header.Get("HX-Request") != "", c.erased.of(who(r).Session, id), languageOf(w, r)
	switch {
	case b.Running != nil && script:
		c.fragment(w, lang, "parts", "erasing", b.Running)
		return
	case b.Running != nil:
	case script:
		w.Header().Set("HX-Redirect", "/erasures/"+id.String())
		return
	case one == nil || one.err == nil || gatehouse.ErrorCode(one.err) == "erase.unfinished": // finished meanwhile
		if err = gatehouse.Errorf("erase.unknown", "", "no such erasure was asked for here"); one == nil && c.o.Privacy != nil {
			_, err = c.o.Privacy.Certificate(r.Context(), id)
		}
		if one == nil && err != nil {
			c.fail(w, r, err)
			return
		}
		http.Redirect(w, r, "/privacy/erasures/"+id.String(), http.StatusSeeOther)
		return
	default:
		b.Code, b.Problem = gatehouse.ErrorCode(one.err), codeText(lang, one.err)
		b.Stopped = b.Code == "erase.stopped"
	}
	w.Header().Set("Cache-Control", "no-store")
	c.render(w, r, http.StatusOK, "erasure", "erasure.title", "people", b)
}

// stopErasure stops one that was asked for in this session, where it has not begun.
func (c *Console) stopErasure(w http.ResponseWriter, r *http.Request) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	one := c.erased.of(who(r).Session, id)
	if err == nil && one == nil {
		err = gatehouse.Errorf("erase.unknown", "", "no such erasure was asked for here")
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	one.stop()
	select {
	case <-one.done:
	case <-time.After(awaitErasure): // it has begun, and goes on
	case <-r.Context().Done():
	}
	http.Redirect(w, r, "/erasures/"+id.String(), http.StatusSeeOther)
}
