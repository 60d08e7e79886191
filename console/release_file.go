package console

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"gatehouse"
)

// releaseFiles are files of releases that are being written, or wait to be saved: opening
// many values takes longer than a browser waits. What lies here is encrypted to its
// recipients already, and is one session's.
type releaseFiles struct {
	now func() time.Time
	mu  sync.Mutex
	all map[releaseKey]*releaseFile
}

type releaseKey struct {
	session string
	id      gatehouse.ID
}

type releaseFile struct {
	done   chan struct{}
	cancel context.CancelFunc
	mu     sync.Mutex
	job    Job
	sealed []byte
}

// releaseKept is how long a file waits for who asked for it. awaitRelease is how long the
// browser waits for it before it is shown how far it is.
const (
	releaseKept  = 30 * time.Minute
	awaitRelease = 1500 * time.Millisecond
)

func newReleaseFiles(now func() time.Time) *releaseFiles {
	return &releaseFiles{now: now, all: map[releaseKey]*releaseFile{}}
}

// of is a session's file of a release; nil for none.
func (f *releaseFiles) of(key releaseKey) *releaseFile {
	f.mu.Lock()
	defer f.mu.Unlock()
	maps.DeleteFunc(f.all, func(_ releaseKey, x *releaseFile) bool {
		s, _ := x.state()
		return !s.Running && f.now().Sub(s.Ended) >= releaseKept
	})
	return f.all[key]
}

// begin writes one, unless it is under way or waits already.
func (f *releaseFiles) begin(ctx context.Context, key releaseKey, write func(ctx context.Context, w *bytes.Buffer, tell func(done, total int)) error) *releaseFile {
	f.mu.Lock()
	defer f.mu.Unlock()
	if x := f.all[key]; x != nil {
		if s, ready := x.state(); s.Running || ready {
			return x
		}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	x := &releaseFile{done: make(chan struct{}), cancel: cancel, job: Job{Running: true, Began: f.now()}}
	f.all[key] = x
	go func() {
		defer close(x.done)
		defer cancel()
		var sealed bytes.Buffer // an error must not come after half a file
		err := write(ctx, &sealed, x.tell)
		x.mu.Lock()
		defer x.mu.Unlock()
		x.job.Running, x.job.Ended = false, f.now()
		switch {
		case err == nil:
			x.sealed = sealed.Bytes()
		case errors.Is(ctx.Err(), context.Canceled):
			x.job.Stopped = true
		default:
			x.job.Err = err
		}
	}()
	return x
}

// drop forgets one.
func (f *releaseFiles) drop(key releaseKey) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.all, key)
}

func (x *releaseFile) tell(done, total int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.job.Done, x.job.Total = int64(done), int64(total)
}

// state is how far it is, and whether the file waits to be saved.
func (x *releaseFile) state() (Job, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.job, x.sealed != nil
}

// releaseView is a file on the page of its release.
type releaseView struct {
	View  jobView
	ID    gatehouse.ID
	Ready bool
}

func (c *Console) releaseView(r *http.Request, lang string, id gatehouse.ID) releaseView {
	v := releaseView{ID: id}
	path := "/privacy/releases/" + id.String() + "/file"
	var job Job
	if x := c.files.of(releaseKey{who(r).Session, id}); x != nil {
		job, v.Ready = x.state()
	}
	v.View = viewJob(lang, job, path, path+"/stop", "releases.writing")
	return v
}

// releaseFile answers with the file where it is there within moments, and else leads to
// the release's page, which shows how far it is.
func (c *Console) releaseFile(w http.ResponseWriter, r *http.Request) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil {
		c.fail(w, r, err)
		return
	}
	me := who(r)
	key := releaseKey{me.Session, id}
	x := c.files.begin(r.Context(), key, func(ctx context.Context, w *bytes.Buffer, tell func(done, total int)) error {
		return c.o.Privacy.WriteRelease(ctx, me, id, w, tell)
	})
	select {
	case <-x.done:
	case <-time.After(awaitRelease):
	case <-r.Context().Done():
		return
	}
	job, ready := x.state()
	switch {
	case ready:
		c.attachment(w, "release-"+id.String()+".age", "application/octet-stream", x.sealed)
		c.files.drop(key)
	case job.Err != nil:
		c.files.drop(key)
		c.fail(w, r, job.Err)
	default:
		http.Redirect(w, r, "/privacy/releases/"+id.String(), http.StatusSeeOther)
	}
}

// releaseProgress is the part of the page that is asked for while the file is written.
func (c *Console) releaseProgress(w http.ResponseWriter, r *http.Request) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil {
		c.fail(w, r, err)
		return
	}
	if c.files.of(releaseKey{who(r).Session, id}) == nil { // ended, or never there
		all, err := c.o.Privacy.Releases(r.Context())
		if err == nil && !slices.ContainsFunc(all, func(x gatehouse.Release) bool { return x.Request.ID == id }) {
			err = gatehouse.Errorf("release.unknown", "go back to the list", "there is no such release")
		}
		if err != nil {
			c.fail(w, r, err)
			return
		}
	}
	lang := languageOf(w, r)
	c.fragment(w, lang, "parts", "releasefile", c.releaseView(r, lang, id))
}

// stopRelease ends it: nothing was written then, and it can be begun anew.
func (c *Console) stopRelease(w http.ResponseWriter, r *http.Request) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil {
		c.fail(w, r, err)
		return
	}
	if x := c.files.of(releaseKey{who(r).Session, id}); x != nil {
		x.cancel()
		<-x.done
	}
	http.Redirect(w, r, "/privacy/releases/"+id.String(), http.StatusSeeOther)
}
