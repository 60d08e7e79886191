package timesheet

import (
	"context"
	"strings"
	"time"
	"unicode/utf8"

	"gatehouse"
	"gatehouse/rules/attendance"
)

// The bounds of what people ask.
const (
	maxReason  = 1000 // bytes
	maxWaiting = 50   // requests of one person that nobody has decided
	maxAhead   = 400 * 24 * time.Hour
)

// Asked is a request to have hours put right.
type Asked struct {
	Who       gatehouse.SubjectID
	Kind      gatehouse.CorrectionKind
	Punch     gatehouse.ID // of move and void
	At        time.Time    // of add and move; of a dispute, a moment of the day that it is about
	Direction gatehouse.Direction
	Reason    string
}

// Ask makes a correction request. Whose it is may ask themselves, or somebody for them.
// Errors: correction.kind, correction.reason, correction.punch, correction.period,
// correction.too_many, hours.direction, hours.future, subject.unknown, sealing.*.
func (h *Hours) Ask(ctx context.Context, by Actor, a Asked) (gatehouse.TimeCorrection, error) {
	now := h.Now().UTC()
	c := gatehouse.TimeCorrection{Place: h.Place, ID: gatehouse.NewID(now), Subject: a.Who, Kind: a.Kind, Punch: a.Punch, At: a.At.UTC(), Direction: a.Direction, Site: h.Place.Site,
		By: by.Account, Made: now, State: gatehouse.CorrectionRequested}
	if err := reason(a.Reason); err != nil {
		return c, err
	}
	if err := h.enrolled(ctx, a.Who); err != nil {
		return c, err
	}
	h.writes.Lock()
	defer h.writes.Unlock()
	if err := h.checkAsked(ctx, &c); err != nil {
		return c, err
	}
	waiting, err := h.Store.TimeCorrections(ctx, gatehouse.TimesQuery{Place: h.Place, Subject: a.Who, State: gatehouse.CorrectionRequested, Limit: maxWaiting})
	if err != nil {
		return c, err
	}
	if len(waiting) >= maxWaiting {
		return c, gatehouse.Errorf("correction.too_many", "have some of them decided first", "%d requests wait already", len(waiting))
	}
	if c.Reason, err = h.seal(ctx, c.Subject, "corrections", c.ID, a.Reason); err != nil {
		return c, err
	}
	return c, h.Store.PutTimeCorrection(ctx, c, gatehouse.TimeCorrectionLeaf(now, c, by.String()))
}

// checkAsked looks at what a request is about, and takes over the punch's own day.
func (h *Hours) checkAsked(ctx context.Context, c *gatehouse.TimeCorrection) error {
	switch c.Kind {
	case gatehouse.AddPunch, gatehouse.MovePunch:
		if err := way(c.Direction); err != nil {
			return err
		}
		if err := h.changeable(ctx, c.At); err != nil {
			return err
		}
	case gatehouse.DisputeTime:
		return h.changeable(ctx, c.At)
	case gatehouse.VoidPunch:
		c.Direction = ""
	default:
		return gatehouse.Errorf("correction.kind", "use add, move, void or dispute", "there is no such kind of correction")
	}
	if c.Kind == gatehouse.AddPunch {
		c.Punch = gatehouse.ID{}
		return nil
	}
	was, err := h.punch(ctx, c.Subject, c.Punch)
	if err != nil {
		return err
	}
	if c.Kind == gatehouse.VoidPunch {
		c.At = was.At
	}
	return h.changeable(ctx, was.At)
}

// punch is one of a subject's punches, or what an approved correction made. Errors:
// correction.punch.
func (h *Hours) punch(ctx context.Context, who gatehouse.SubjectID, id gatehouse.ID) (gatehouse.Punch, error) {
	p, err := h.Store.Punch(ctx, h.Place, id)
	if gatehouse.ErrorCode(err) == "store.not_found" {
		var c gatehouse.TimeCorrection
		if c, err = h.Store.TimeCorrection(ctx, h.Place, id); err == nil {
			var made bool
			if p, made = attendance.Correction(c, c.ID); !made || p.Void {
				p = gatehouse.Punch{}
			}
		}
	}
	if gatehouse.ErrorCode(err) == "store.not_found" || err == nil && p.Subject != who {
		return p, gatehouse.Errorf("correction.punch", "choose one of the punches on the page", "they have no such punch")
	}
	return p, err
}

// Decide approves or refuses a request. Neither who asked nor whose hours it is about
// decides it. Errors: correction.decided, correction.own, correction.period,
// store.not_found.
func (h *Hours) Decide(ctx context.Context, by Actor, id gatehouse.ID, approve bool) (gatehouse.TimeCorrection, error) {
	h.writes.Lock()
	defer h.writes.Unlock()
	c, err := h.Store.TimeCorrection(ctx, h.Place, id)
	if err != nil {
		return c, err
	}
	if by.Person == c.Subject {
		return c, gatehouse.Errorf("correction.own", "ask somebody else to decide it", "nobody decides about their own hours")
	}
	period, err := h.periodsOf(ctx, c)
	if err != nil {
		return c, err
	}
	now := h.Now().UTC()
	if c, err = attendance.Decide(c, period, by.Account, approve, now); err != nil {
		return c, err
	}
	return c, h.Store.PutTimeCorrection(ctx, c, gatehouse.TimeCorrectionLeaf(now, c, by.String()))
}

// periodsOf is the period of a request's day, or of the day of the punch that it moves
// where that one is closed.
func (h *Hours) periodsOf(ctx context.Context, c gatehouse.TimeCorrection) (gatehouse.PayPeriod, error) {
	p, err := h.periodOf(ctx, gatehouse.DateOf(c.At.In(h.Location)))
	if err != nil || p.State != gatehouse.OpenPeriod || c.Punch.IsZero() {
		return p.PayPeriod, err
	}
	was, err := h.punch(ctx, c.Subject, c.Punch)
	if gatehouse.ErrorCode(err) == "correction.punch" {
		return p.PayPeriod, nil // its month is gone
	}
	if err != nil {
		return p.PayPeriod, err
	}
	p, err = h.periodOf(ctx, gatehouse.DateOf(was.At.In(h.Location)))
	return p.PayPeriod, err
}

// Withdraw takes a request back: who asked, or whose hours it is about. Errors:
// correction.decided, correction.not_yours, store.not_found.
func (h *Hours) Withdraw(ctx context.Context, by Actor, id gatehouse.ID) error {
	h.writes.Lock()
	defer h.writes.Unlock()
	c, err := h.Store.TimeCorrection(ctx, h.Place, id)
	switch {
	case err != nil:
		return err
	case by.Account != c.By && by.Person != c.Subject:
		return notYours()
	case c.State != gatehouse.CorrectionRequested:
		return gatehouse.Errorf("correction.decided", "make a new request", "this request was decided, or withdrawn")
	}
	now := h.Now().UTC()
	c.State, c.DecidedBy, c.Decided = gatehouse.CorrectionWithdrawn, by.Account, now
	return h.Store.PutTimeCorrection(ctx, c, gatehouse.TimeCorrectionLeaf(now, c, by.String()))
}

func notYours() error {
	return gatehouse.Errorf("correction.not_yours", "who asked, or whose hours it is about, may withdraw it", "this request is not yours")
}

// Corrections lists requests, the newest first.
func (h *Hours) Corrections(ctx context.Context, q gatehouse.TimesQuery) ([]gatehouse.TimeCorrection, error) {
	q.Place = h.Place
	return h.Store.TimeCorrections(ctx, q)
}

// Correction is one request: store.not_found.
func (h *Hours) Correction(ctx context.Context, id gatehouse.ID) (gatehouse.TimeCorrection, error) {
	return h.Store.TimeCorrection(ctx, h.Place, id)
}

// seal seals a reason under whoever it is about.
func (h *Hours) seal(ctx context.Context, who gatehouse.SubjectID, table string, id gatehouse.ID, text string) ([]byte, error) {
	return h.Sealer.Seal(ctx, who, gatehouse.ReasonClass, gatehouse.TimeContext(h.Place, table, id), []byte(text), gatehouse.PadField)
}

// reason checks what people write.
func reason(s string) error {
	if strings.TrimSpace(s) == "" || len(s) > maxReason || !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
		return gatehouse.Errorf("correction.reason", "say why, in at most 1,000 bytes", "a request needs its reason")
	}
	return nil
}
