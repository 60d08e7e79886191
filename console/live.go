package console

import (
	"net/http"

	"gatehouse"
)

// liveRows is how many passages the live page shows; pageRows how many a list.
const (
	liveRows = 40
	pageRows = 50
)

// liveBody is the live page.
type liveBody struct {
	Rows   []row
	Failed bool // the store did not answer
	Gates  []gateView
	Counts countView
	Faces  bool
	Since  string // the feed's position when the page was read
	// Channel names what the browser's tabs of one session and language share.
	Channel string
}

func (c *Console) live(w http.ResponseWriter, r *http.Request) {
	lang := languageOf(w, r)
	// The position is taken first: what comes while the page is being read is told again.
	b := liveBody{Since: c.o.Hub.LastID()}
	var err error
	if b.Rows, err = c.latest(r, lang); err != nil {
		c.o.Log.Error("live page", "err", err)
		b.Failed = true
	}
	if b.Counts, _, err = c.countView(r, lang, 0); err != nil {
		c.o.Log.Error("counts", "err", err)
	}
	b.Channel = who(r).Session + " " + lang
	b.Gates, b.Faces = c.gateViews(r), c.o.Hub.Faces()
	c.render(w, r, http.StatusOK, "live", "live.title", "live", b)
}

func (c *Console) latest(r *http.Request, lang string) ([]row, error) {
	gates := gatesOf(r, gatehouse.SeeLive)
	passages, err := c.o.Passages.Passages(r.Context(), gatehouse.PassageQuery{Place: c.o.Place, Within: &gates, Limit: liveRows})
	if err != nil {
		return nil, err
	}
	return c.lentRows(r, lang, passages)
}

// passagesBody is the list of earlier passages.
type passagesBody struct {
	Rows  []row
	Older gatehouse.ID // cursor, zero at the end
	First bool
}

func (c *Console) passages(w http.ResponseWriter, r *http.Request) {
	gates := gatesOf(r, gatehouse.SeePassages)
	q := gatehouse.PassageQuery{Place: c.o.Place, Within: &gates, Limit: pageRows + 1}
	if before := r.URL.Query().Get("before"); before != "" {
		id, err := gatehouse.ParseID(before)
		if err != nil {
			c.fail(w, r, err)
			return
		}
		q.Before = id
	}
	found, err := c.o.Passages.Passages(r.Context(), q)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	b := passagesBody{First: q.Before.IsZero()}
	if len(found) > pageRows {
		found = found[:pageRows]
		b.Older = found[pageRows-1].ID
	}
	if b.Rows, err = c.lentRows(r, languageOf(w, r), found); err != nil {
		c.fail(w, r, err)
		return
	}
	for i := range b.Rows {
		b.Rows[i].Dated = true
	}
	c.render(w, r, http.StatusOK, "passages", "passages.title", "passages", b)
}
