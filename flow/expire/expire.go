// Package expire takes away what may no longer be kept: first the keys, which makes
// every copy noise, then the storage. It may be stopped at any moment and goes on from
// there the next time.
package expire

import (
	"context"
	"time"

	"gatehouse"
	"gatehouse/rules/retention"
)

// Keys are the key store's days.
type Keys interface {
	// Days lists the days of which the key store has keys.
	Days(ctx context.Context, place gatehouse.Place) ([]gatehouse.KeyDay, error)
	// Expire deletes a day's keys. It refuses with vault.too_young where a longer
	// retention was in force within the last days.
	Expire(ctx context.Context, place gatehouse.Place, class gatehouse.RetentionClass, day time.Time) (chains int, err error)
	Holds(ctx context.Context, place gatehouse.Place) ([]gatehouse.Hold, error)
	// EndHolds ends the holds whose time has come.
	EndHolds(ctx context.Context) (ended int, err error)
}

// Store is where the sealed content lies.
type Store interface {
	DropContent(ctx context.Context, cut gatehouse.ContentCut, deleteBlobs func([]gatehouse.BlobID) error) (dropped int, err error)
	// Months lists the first moments of the months that are kept, and DropMonth removes
	// one as a whole if the audit log has all of its leaves up to the position followed.
	Months(ctx context.Context) ([]time.Time, error)
	DropMonth(ctx context.Context, month time.Time, followed uint64) (dropped bool, err error)
	Subjects(ctx context.Context, place gatehouse.Place, after gatehouse.SubjectID, limit int) ([]gatehouse.Subject, error)
	SubjectTraces(ctx context.Context, place gatehouse.Place, id gatehouse.SubjectID) (gatehouse.SubjectTraces, error)
}

// Blobs deletes sealed pictures; those that are gone are no error.
type Blobs interface {
	DeleteBlobs(ctx context.Context, ids []gatehouse.BlobID) error
}

// Expirer works for one site.
type Expirer struct {
	Place  gatehouse.Place
	Policy retention.Policy
	Keys   Keys
	Store  Store
	Blobs  Blobs
	// Badge tells until when a subject may pass.
	Badge func(gatehouse.SubjectID) (gatehouse.Badge, bool)
	// Erase erases somebody who has left; it may refuse with vault.erase_limit, and goes
	// on the next time.
	Erase func(ctx context.Context, id gatehouse.SubjectID) error
	// Followed is how far the audit log has the store's leaves: a month goes when they
	// are all there. nil keeps the months.
	Followed func(ctx context.Context) (uint64, error)
	// Progress is told what was done; nil tells nobody.
	Progress func(Report)
}

// Report counts what was taken away.
type Report struct {
	Days    int // whose keys were deleted
	Chains  int
	Delayed int // days that wait for a longer retention of before
	Items   int // sealed details and pictures
	Months  int
	Erased  int // subjects who had left
	Holds   int // that ended
}

// Run takes away all that is over its time.
func (e Expirer) Run(ctx context.Context, now time.Time) (r Report, err error) {
	report := func() {
		if e.Progress != nil {
			e.Progress(r)
		}
	}
	if r.Holds, err = e.Keys.EndHolds(ctx); err != nil {
		return r, err
	}
	if err := e.keys(ctx, now, &r, report); err != nil {
		return r, err
	}
	if err := e.content(ctx, now, &r, report); err != nil {
		return r, err
	}
	if err := e.months(ctx, now, &r, report); err != nil {
		return r, err
	}
	err = e.left(ctx, now, &r, report)
	return r, err
}

// keys deletes the keys of the days that are over.
func (e Expirer) keys(ctx context.Context, now time.Time, r *Report, report func()) error {
	days, err := e.Keys.Days(ctx, e.Place)
	if err != nil {
		return err
	}
	classes := e.Policy.Classes()
	for _, d := range days {
		keep, dated := classes[d.Class]
		if !dated || !d.Day.Before(retention.FirstKept(now, keep)) {
			continue
		}
		switch n, err := e.Keys.Expire(ctx, e.Place, d.Class, d.Day); {
		case gatehouse.ErrorCode(err) == "vault.too_young":
			r.Delayed++
		case err != nil:
			return err
		default:
			r.Days, r.Chains = r.Days+1, r.Chains+n
		}
		report()
	}
	return nil
}

// content drops what the keys of expired days opened. Where keys are delayed the
// content stays with them.
func (e Expirer) content(ctx context.Context, now time.Time, r *Report, report func()) error {
	holds, err := e.Keys.Holds(ctx, e.Place)
	if err != nil {
		return err
	}
	days, err := e.Keys.Days(ctx, e.Place)
	if err != nil {
		return err
	}
	for kind, of := range map[gatehouse.ContentKind]struct {
		class gatehouse.RetentionClass
		keep  time.Duration
	}{
		gatehouse.DetailContent:   {gatehouse.PassageClass, e.Policy.Passages},
		gatehouse.CropContent:     {gatehouse.PassageClass, e.Policy.Passages},
		gatehouse.FrameContent:    {gatehouse.FrameClass, e.Policy.Frames},
		gatehouse.StrangerContent: {gatehouse.StrangerClass, e.Policy.Strangers},
	} {
		cut := gatehouse.ContentCut{Place: e.Place, Kind: kind, Before: retention.FirstKept(now, of.keep)}
		for _, d := range days { // what is still there has its content still
			if d.Class == of.class && d.Day.Before(cut.Before) {
				cut.Before = d.Day
			}
		}
		for _, h := range holds {
			if !h.Subject.IsZero() {
				cut.HeldSubjects = append(cut.HeldSubjects, h.Subject)
			} else if day, err := time.Parse(time.DateOnly, h.Day); err == nil {
				cut.HeldDays = append(cut.HeldDays, day)
			}
		}
		n, err := e.Store.DropContent(ctx, cut, func(ids []gatehouse.BlobID) error { return e.Blobs.DeleteBlobs(ctx, ids) })
		r.Items += n
		if err != nil {
			return err
		}
		report()
	}
	return nil
}

// months drops the months of which nothing is kept any more.
func (e Expirer) months(ctx context.Context, now time.Time, r *Report, report func()) error {
	if e.Followed == nil {
		return nil
	}
	followed, err := e.Followed(ctx)
	if err != nil {
		return err
	}
	months, err := e.Store.Months(ctx)
	if err != nil {
		return err
	}
	holds, err := e.Keys.Holds(ctx, e.Place)
	if err != nil {
		return err
	}
	if len(holds) > 0 {
		return nil // what is held lies in some month
	}
	for _, month := range months {
		if !retention.MonthOver(month, e.Policy.Metadata, now) {
			continue
		}
		dropped, err := e.Store.DropMonth(ctx, month, followed)
		if err != nil {
			return err
		}
		if dropped {
			r.Months++
			report()
		}
	}
	return nil
}

// left erases who has left long ago.
func (e Expirer) left(ctx context.Context, now time.Time, r *Report, report func()) error {
	var after gatehouse.SubjectID
	for {
		page, err := e.Store.Subjects(ctx, e.Place, after, 200)
		if err != nil {
			return err
		}
		for _, s := range page {
			after = s.ID
			p := retention.Presence{Enrolled: s.Enrolled, Suspended: s.Status == gatehouse.SuspendedStatus}
			if b, ok := e.Badge(s.ID); ok {
				p.ValidUntil = b.ValidUntil
			}
			if !retention.Left(p, e.Policy.Records, now) {
				continue
			}
			traces, err := e.Store.SubjectTraces(ctx, e.Place, s.ID)
			if err != nil {
				return err
			}
			if p.Last = traces.Last; !retention.Left(p, e.Policy.Records, now) {
				continue
			}
			switch err := e.Erase(ctx, s.ID); gatehouse.ErrorCode(err) {
			case "vault.erase_limit":
				return nil // the rest the next time
			case "vault.held":
			default:
				if err != nil {
					return err
				}
				r.Erased++
				report()
			}
		}
		if len(page) < 200 {
			return nil
		}
	}
}
