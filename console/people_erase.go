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
	all map[gatehouse.ID]*erasing
}

type erasing struct {
	session string
	subject gatehouse.SubjectID
	began   time.Time
	done    chan struct{} // closed once id and err are there
	id      gatehouse.ID  // of the certificate
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
func (e *erasures) add(session string, subject gatehouse.SubjectID) (id gatehouse.ID, one *erasing, fresh bool) {
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
	Photos  int
	Problem string
	Field   string
	Reason  string
}

func (c *Console) askErase(w http.ResponseWriter, r *http.Request) {
	c.showErase(w, r, http.StatusOK, "", "")
}

func (c *Console) showErase(w http.ResponseWriter, r *http.Request, status int, problem, field string) {
	b, s, err := c.subjectIn(r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	page := eraseBody{person: c.person(Enrolled{Badge: b, Enrolled: s.Enrolled}, ""), Photos: len(s.Photos), Problem: problem, Field: field}
	if status != http.StatusOK {
		page.Reason = r.PostFormValue("reason")
	}
	c.render(w, r, status, "erase", "erase.title", "people", page)
}

// eraseSubject erases once the label was typed as it stands. It goes on when the browser
// goes away: what was begun is finished.
func (c *Console) eraseSubject(w http.ResponseWriter, r *http.Request) {
	b, s, err := c.subjectIn(r)
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
	if typed := strings.TrimSpace(r.PostFormValue("label")); typed != b.Label || typed == "" {
		c.showErase(w, r, http.StatusUnprocessableEntity, text(lang, "erase.other"), "label")
		return
	}
	me := who(r)
	id, one, fresh := c.erased.add(me.Session, s.ID)
	if fresh {
		go func() {
			defer close(one.done)
			one.id, one.err = c.o.Registry.Erasures.Erase(context.WithoutCancel(r.Context()), me, s.ID, reason)
		}()
	}
	select {
	case <-one.done:
	case <-time.After(awaitErasure):
	case <-r.Context().Done():
	}
	http.Redirect(w, r, "/erasures/"+id.String(), http.StatusSeeOther)
}

// erasureBody is the page of an erasure that is under way, or was refused.
type erasureBody struct {
	ID      gatehouse.ID
	Running bool
	Since   time.Time
	Problem string
	Code    string
}

// erasure shows one that was asked for in this session, and leads on to its certificate.
func (c *Console) erasure(w http.ResponseWriter, r *http.Request) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	one := c.erased.of(who(r).Session, id)
	if err == nil && one == nil {
		err = gatehouse.Errorf("erase.unknown", "", "no such erasure was asked for here")
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	script := r.Header.Get("HX-Request") != ""
	b := erasureBody{ID: id}
	switch {
	case !one.ended() && script:
		w.WriteHeader(http.StatusNoContent) // nothing new: the page stays as it is
		return
	case !one.ended():
		b.Running, b.Since = true, one.began
	case script:
		w.Header().Set("HX-Redirect", "/erasures/"+id.String())
		return
	case one.err == nil:
		http.Redirect(w, r, "/privacy/erasures/"+one.id.String(), http.StatusSeeOther)
		return
	default:
		b.Code, b.Problem = gatehouse.ErrorCode(one.err), codeText(languageOf(w, r), one.err)
	}
	w.Header().Set("Cache-Control", "no-store")
	c.render(w, r, http.StatusOK, "erasure", "erasure.title", "people", b)
}
