package timesheet

import (
	"context"

	"gatehouse"
	"gatehouse/flow/follow"
	"gatehouse/rules/attendance"
)

var _ follow.Sink = (*Hours)(nil)

// The follower's punches have the ids of their passages, so a leaf that is dealt with again
// after a crash changes nothing. The position may therefore be written after them, and on
// a site where little counts only now and then.

// keepEvery is how many leaves may have to be looked at again after a crash.
const keepEvery = 4 * follow.Batch

// Cursor implements follow.Sink. At the first start it is the log's end: what happened
// before somebody switched attendance on counts nobody's hours.
func (h *Hours) Cursor(ctx context.Context) (uint64, error) {
	h.following.Lock()
	defer h.following.Unlock()
	if h.cursor != 0 {
		return h.cursor, nil
	}
	at, ok, err := h.Store.PunchCursor(ctx, h.Place)
	if err != nil {
		return 0, err
	}
	if !ok {
		if at, err = h.Newest(ctx); err == nil {
			err = h.Store.SetPunchCursor(ctx, h.Place, at)
		}
	}
	h.cursor = at
	return at, err
}

// Deal implements follow.Sink: passages at gates that count become punches.
func (h *Hours) Deal(ctx context.Context, leaves []follow.Leaf) error {
	if len(leaves) == 0 {
		return nil
	}
	var add []gatehouse.Punch
	var drop []gatehouse.ID
	for _, l := range leaves {
		id, ok := h.mayCount(l.Leaf)
		if !ok {
			continue
		}
		stored, err := h.Passages.Passage(ctx, h.Place, id)
		if gatehouse.ErrorCode(err) == "store.not_found" {
			continue // it has expired
		}
		if err != nil {
			return err
		}
		p := stored.Passage
		if p.Outcome == gatehouse.NotPassed {
			drop = append(drop, id) // the gate was opened, and nobody passed
			continue
		}
		agreed, err := h.agreed(ctx, p)
		if err != nil {
			return err
		}
		counting := attendance.Counting{Gates: h.Gates, NoFaces: !h.Faces, FaceConsent: func(gatehouse.Passage) bool { return agreed }}
		if punch, ok := counting.Of(p); ok {
			punch.Made = h.Now().UTC() // when it was known: a closed period was paid without it
			add = append(add, punch)
		}
	}
	if _, err := h.Store.AddPunches(ctx, h.Place, add, nil); err != nil {
		return err
	}
	if err := h.Store.DropPunches(ctx, h.Place, drop); err != nil {
		return err
	}
	return h.advance(ctx, leaves, len(add)+len(drop) > 0)
}

func (h *Hours) advance(ctx context.Context, leaves []follow.Leaf, counted bool) error {
	h.following.Lock()
	defer h.following.Unlock()
	at := leaves[len(leaves)-1].Position
	if h.unwritten += len(leaves); counted || h.unwritten >= keepEvery {
		if err := h.Store.SetPunchCursor(ctx, h.Place, at); err != nil {
			return err
		}
		h.unwritten = 0
	}
	h.cursor = at
	return nil
}

// mayCount is the passage that a leaf is about, if it may count. A passage's leaf names its
// gate, so that nothing is read for the others; an outcome's does not.
func (h *Hours) mayCount(leaf []byte) (gatehouse.ID, bool) {
	kind, _, parts, err := gatehouse.LeafParts(leaf)
	if err != nil || len(h.Gates) == 0 || len(parts) < 4 || gatehouse.OrgID(parts[0]) != h.Place.Org || gatehouse.SiteID(parts[1]) != h.Place.Site || len(parts[2]) != len(gatehouse.ID{}) {
		return gatehouse.ID{}, false
	}
	switch kind {
	case gatehouse.PassageLeafKind:
		return gatehouse.ID(parts[2]), h.Gates[gatehouse.GateID(parts[3])]
	case gatehouse.OutcomeLeafKind:
		return gatehouse.ID(parts[2]), gatehouse.Outcome(parts[3]) == gatehouse.NotPassed
	}
	return gatehouse.ID{}, false
}

// agreed reports whether a face's owner had agreed at that moment that it counts.
func (h *Hours) agreed(ctx context.Context, p gatehouse.Passage) (bool, error) {
	if p.Kind != gatehouse.FaceReading || !h.Faces || !p.Known {
		return false, nil
	}
	consents, err := h.Subjects.Consents(ctx, h.Place, p.Subject)
	if err != nil {
		return false, err
	}
	for _, c := range consents {
		if c.Purpose == gatehouse.FaceAtAttendance && c.InForce(p.At) {
			return true, nil
		}
	}
	return false, nil
}
