package console

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/auth"
	"gatehouse/feed"
)

// The stream's times: what comes within coalesce is one update; a quiet stream says
// that it lives every heartbeat; a browser that takes longer than writeWithin to
// read is let go and resumes by its last event id; sayEvery bounds how often a
// screen reader is spoken to.
const (
	coalesce    = 100 * time.Millisecond
	heartbeat   = 15 * time.Second
	writeWithin = 10 * time.Second
	sayEvery    = 5 * time.Second
)

// events is the live page's stream: server-sent events whose data are fragments of
// HTML, rendered for this session and language. Each top element says in data-op
// what to do with it (see static/live.js).
func (c *Console) events(w http.ResponseWriter, r *http.Request) {
	session, _ := auth.SessionFrom(r.Context())
	last := r.Header.Get("Last-Event-ID")
	if last == "" {
		last = r.URL.Query().Get("since")
	}
	s := &stream{c: c, w: w, r: r, lang: languageOf(w, r), rc: http.NewResponseController(w), sub: c.o.Hub.Subscribe(last)}
	defer s.sub.Close()
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if !s.send("retry: 1500\n\n") {
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	go func() {
		select {
		case <-c.stop:
			cancel()
		case <-ctx.Done():
		}
	}()
	for ctx.Err() == nil {
		wait, done := context.WithTimeout(ctx, s.patience())
		events := s.sub.TakeWithin(wait, coalesce)
		done()
		if !c.o.Auth.Alive(session.Key) {
			s.send("event: ended\ndata: ended\n\n")
			return
		}
		if ctx.Err() != nil || !s.update(events) {
			return
		}
	}
}

// stream is one open live page.
type stream struct {
	c    *Console
	w    http.ResponseWriter
	r    *http.Request
	rc   *http.ResponseController
	lang string
	sub  *feed.Subscription

	counted time.Time // when the counts were last sent
	owed    bool      // they have changed since
	changed time.Time // when
	said    time.Time
	unsaid  []row
}

// patience is how long to wait for events before something else is due.
func (s *stream) patience() time.Duration {
	if s.owed || len(s.unsaid) > 0 {
		return countsFor + coalesce
	}
	return heartbeat
}

// update sends one message for a batch of events; false ends the stream.
func (s *stream) update(events []feed.Event) bool {
	var b bytes.Buffer
	if err := s.fragments(&b, events); err != nil {
		// Nothing was shown: the page asks for everything again.
		s.c.o.Log.Error("live update", "err", err)
		return false
	}
	s.dueCounts(&b)
	s.dueWords(&b)
	if b.Len() == 0 {
		return s.send(": alive\n\n")
	}
	var m strings.Builder
	if len(events) > 0 {
		fmt.Fprintf(&m, "id: %s\n", events[len(events)-1].ID)
	}
	m.WriteString("event: live\n")
	for line := range strings.SplitSeq(strings.ReplaceAll(b.String(), "\r", ""), "\n") {
		m.WriteString("data: ")
		m.WriteString(line)
		m.WriteByte('\n')
	}
	m.WriteByte('\n')
	return s.send(m.String())
}

func (s *stream) fragments(b *bytes.Buffer, events []feed.Event) error {
	c, fresh := s.c, map[gatehouse.ID]int{}
	var passages, outcomes []gatehouse.Passage
	gates := map[gatehouse.GateID]bool{}
	var vault, all, health, came, alarms bool
	mine, wanted := gatesOf(s.r, gatehouse.SeeLive), filterOf(s.r).passages(s.r, c.o.Place, 1)
	for _, e := range events {
		if of, ok := gateOf(e); ok && !mine.Has(of) {
			continue
		}
		switch e.Kind {
		case feed.Committed:
			gates[e.Passage.Gate], came = true, true
			if wanted.Has(e.Passage) {
				fresh[e.Passage.ID] = len(passages)
				passages = append(passages, e.Passage)
			}
		case feed.Updated:
			if i, ok := fresh[e.Passage.ID]; ok {
				passages[i] = e.Passage
			} else {
				outcomes = append(outcomes, e.Passage)
			}
		case feed.GateKind:
			gates[e.Gate.Gate] = true
		case feed.Vault:
			vault, all = true, true
		case feed.Health:
			health = true
		case feed.Alarm:
			alarms = true
		case feed.Resync:
			vault, all, health, alarms = true, true, true, true
		}
	}
	if vault {
		c.part(b, s.lang, "vault", c.sessionPage(s.r))
	}
	if alarms {
		c.part(b, s.lang, "alarms", c.alarmsView(s.r, s.lang))
	}
	if health || all {
		c.part(b, s.lang, "health", c.o.Hub.Faces())
	}
	if all {
		rows, err := c.latest(s.r, s.lang)
		if err != nil {
			return err
		}
		c.part(b, s.lang, "rows", rows)
	} else if len(passages) > 0 {
		// A burst longer than the list would push its own first rows out again.
		passages = passages[max(0, len(passages)-liveRows):]
		rows, err := c.lentRows(s.r, s.lang, passages)
		if err != nil {
			return err
		}
		for _, row := range rows {
			c.part(b, s.lang, "row", row)
		}
		s.unsaid = append(s.unsaid, rows...)
	}
	for _, p := range outcomes {
		c.part(b, s.lang, "outcome", c.row(s.lang, p, Lent{}))
	}
	for _, v := range c.gateViews(s.r) {
		if all || gates[v.ID] {
			c.part(b, s.lang, "gate", v)
		}
	}
	if all || came {
		s.owed, s.changed = true, c.o.Now()
	}
	return nil
}

// gateOf is the gate that an event is about; ok is false for one about none.
func gateOf(e feed.Event) (gate gatehouse.GateID, ok bool) {
	switch e.Kind {
	case feed.Committed, feed.Updated:
		return e.Passage.Gate, true
	case feed.GateKind:
		return e.Gate.Gate, true
	}
	return "", false
}

// dueCounts sends today's counts, at most once a second.
func (s *stream) dueCounts(b *bytes.Buffer) {
	now := s.c.o.Now()
	if !s.owed || now.Sub(s.counted) < time.Second {
		return
	}
	v, asked, err := s.c.countView(s.r, s.lang, countsFor)
	if err != nil {
		s.c.o.Log.Error("counts", "err", err)
		return
	}
	if asked.Before(s.changed) {
		return // counted before the passage that is to be counted: again in a second
	}
	s.c.part(b, s.lang, "counts", v)
	s.counted, s.owed = now, false
}

// dueWords speaks to a screen reader: one passage in words, several as a number.
func (s *stream) dueWords(b *bytes.Buffer) {
	now := s.c.o.Now()
	if len(s.unsaid) == 0 || now.Sub(s.said) < sayEvery {
		return
	}
	words := ""
	if n := len(s.unsaid); n == 1 {
		r := s.unsaid[0]
		if r.Who == "" {
			r.Who = text(s.lang, "who."+string(r.Kind))
		}
		decision := "row.denied"
		if r.Grant {
			decision = "row.granted"
		}
		words = fmt.Sprintf(text(s.lang, "say.one"), r.Who, text(s.lang, decision), r.Gate.Name)
	} else {
		denied := 0
		for _, r := range s.unsaid {
			if !r.Grant {
				denied++
			}
		}
		words = fmt.Sprintf(text(s.lang, "say.many"), n, denied)
	}
	s.c.part(b, s.lang, "say", words)
	s.unsaid, s.said = slices.Delete(s.unsaid, 0, len(s.unsaid)), now
}

func (s *stream) send(m string) bool {
	// A server's own write time-out would end the stream; this one replaces it.
	_ = s.rc.SetWriteDeadline(time.Now().Add(writeWithin))
	if _, err := s.w.Write([]byte(m)); err != nil {
		return false
	}
	return s.rc.Flush() == nil
}
