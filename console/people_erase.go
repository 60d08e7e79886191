package console

import (
	"context"
	"encoding/json"
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
	all map[gatehouse.ID]*erasing
}

type erasing struct {
	session string
	subject gatehouse.SubjectID
	began   time.Time
	done    chan struct{} // closed once doc and err are there
	doc     erase.Document
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
			one.doc, one.err = c.o.Registry.Erasures.Erase(context.WithoutCancel(r.Context()), me, s.ID, reason)
		}()
	}
	select {
	case <-one.done:
	case <-time.After(awaitErasure):
	case <-r.Context().Done():
	}
	http.Redirect(w, r, "/erasures/"+id.String(), http.StatusSeeOther)
}

// erasureBody is the page of an erasure: under way, refused, or done.
type erasureBody struct {
	ID      gatehouse.ID
	Running bool
	Since   time.Time
	Problem string
	Code    string
	Doc     *erase.Document
	Proved  bool
	Later   bool // backups still hold the keys for a while
}

// erasure shows one that was asked for here, or the certificate of an earlier one.
func (c *Console) erasure(w http.ResponseWriter, r *http.Request) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil {
		c.fail(w, r, err)
		return
	}
	b := erasureBody{ID: id}
	var doc erase.Document
	if one := c.erased.of(who(r).Session, id); one == nil {
		doc, err = c.o.Registry.Erasures.Certificate(r.Context(), id)
		b.Doc = &doc
	} else if !one.ended() {
		b.Running, b.Since = true, one.began
	} else if one.err == nil { // from now on by its own address
		http.Redirect(w, r, "/erasures/"+one.doc.Certificate.ID.String(), http.StatusSeeOther)
		return
	} else {
		b.Code, b.Problem = gatehouse.ErrorCode(one.err), codeText(languageOf(w, r), one.err)
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	if b.Doc != nil {
		b.Proved, b.Later = len(doc.Proof) > 0, doc.Certificate.FinalAt.After(doc.Certificate.ErasedAt)
	}
	if r.Header.Get("HX-Request") != "" && b.Running {
		w.WriteHeader(http.StatusNoContent) // nothing new: the page stays as it is
		return
	}
	if r.Header.Get("HX-Request") != "" {
		w.Header().Set("HX-Redirect", "/erasures/"+id.String())
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	c.render(w, r, http.StatusOK, "erasure", "erasure.title", "people", b)
}

// certificate is the document that an auditor checks with `gatehouse audit verify-erasure`.
func (c *Console) certificate(w http.ResponseWriter, r *http.Request) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil {
		c.fail(w, r, err)
		return
	}
	doc, err := c.o.Registry.Erasures.Certificate(r.Context(), id)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	b, err := json.MarshalIndent(doc, "", "  ")
	if err != nil {
		c.fail(w, r, err)
		return
	}
	attachment(w, "application/json", "erasure-"+id.String()+".json")
	_, _ = w.Write(append(b, '\n'))
}
