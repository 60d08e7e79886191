package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"time"

	"gatehouse"
)

// contents compares passages, sealed details, evidence and records with the leaves of
// the gate's files that commit to them.
func (v *siteVerifier) contents(ctx context.Context) error {
	// Counted first: passages may be committed meanwhile.
	counts, err := v.store.CountPassages(ctx, v.place, time.UnixMicro(0), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), gatehouse.AllGates())
	if err != nil {
		return err
	}
	err = v.store.Leaves(ctx, 0, func(position uint64, leaf []byte) error {
		kind, at, parts, err := gatehouse.LeafParts(leaf)
		if err != nil {
			v.report.Add("audit.malformed", "the gate's files hold something that is no leaf")
			return nil
		}
		switch {
		case kind == gatehouse.PassageLeafKind && len(parts) > 2 && len(parts[2]) == 16:
			return v.passage(ctx, gatehouse.ID(parts[2]), leaf)
		case kind == gatehouse.OutcomeLeafKind && len(parts) == 4 && len(parts[2]) == 16:
			return v.outcome(ctx, gatehouse.ID(parts[2]), gatehouse.Outcome(parts[3]), at)
		case kind == gatehouse.BookLeafKind && len(parts) == 5 && len(parts[4]) == 32:
			v.bookLeaves.leaf(parts)
			return nil
		}
		v.roster.leaf(position, kind, at, parts)
		return nil
	})
	if err != nil {
		return err
	}
	if rows := counts.Granted + counts.Denied; rows > v.found {
		v.report.Add("passage.unlogged", "there are %d passages, and %d that a leaf commits to", rows, v.found)
	}
	if err := v.books(ctx); err != nil {
		return err
	}
	return v.subjectsAndDevices(ctx)
}

func (v *siteVerifier) passage(ctx context.Context, id gatehouse.ID, leaf []byte) error {
	stored, err := v.store.Passage(ctx, v.place, id)
	if gatehouse.ErrorCode(err) == "store.not_found" {
		if v.dayExpired(gatehouse.PassageClass, id.Time()) {
			v.report.Gone++
		} else {
			v.report.Add("passage.missing", "passage %s is not there any more", id)
		}
		return nil
	}
	if err != nil {
		return err
	}
	v.found++
	p := stored.Passage
	if !p.Decision.Reason.Fits(p.Decision.Grant) {
		v.report.Add("passage.altered", "passage %s says that it was granted and why not, or the other way round", id)
	}
	switch {
	case bytes.Equal(gatehouse.PassageLeaf(p, stored.Detail, stored.Evidence), leaf):
		v.report.Passages++
		return v.pictures(ctx, stored)
	case v.contentGone(ctx, p) && sameFacts(gatehouse.PassageLeaf(p, nil, nil), leaf) && len(stored.Detail) == 0 && len(stored.Evidence) == 0:
		v.report.Gone++
	default:
		v.report.Add("passage.altered", "passage %s, its sealed detail or its evidence is not what its leaf commits to", id)
	}
	return nil
}

// contentGone says whether a passage's sealed content may have been taken away: its
// day has expired, or its subject was erased. An erasure replaces the subject's id, so
// that what names nobody who is enrolled may be such a passage where the log has one.
func (v *siteVerifier) contentGone(ctx context.Context, p gatehouse.Passage) bool {
	if v.dayExpired(gatehouse.PassageClass, p.At) || v.erased[p.Subject] {
		return true
	}
	_, err := v.store.Subject(ctx, v.place, p.Subject)
	return v.erasing && gatehouse.ErrorCode(err) == "store.not_found"
}

// factParts are the parts of a passage's leaf before the digests of what is sealed.
const factParts = 9

func sameFacts(a, b []byte) bool {
	_, atA, x, errA := gatehouse.LeafParts(a)
	_, atB, y, errB := gatehouse.LeafParts(b)
	if errA != nil || errB != nil || !atA.Equal(atB) || len(x) < factParts || len(y) < factParts {
		return false
	}
	for i := range factParts {
		if !bytes.Equal(x[i], y[i]) {
			return false
		}
	}
	return true
}

// outcome compares what became of a passage; an outcome that was pending was replaced.
func (v *siteVerifier) outcome(ctx context.Context, id gatehouse.ID, o gatehouse.Outcome, at time.Time) error {
	if o == gatehouse.Pending {
		return nil
	}
	stored, err := v.store.Passage(ctx, v.place, id)
	if gatehouse.ErrorCode(err) == "store.not_found" {
		return nil // passage says so
	}
	if err == nil && (stored.Passage.Outcome != o || stored.Passage.OutcomeAt.UnixMilli() != at.UnixMilli()) {
		v.report.Add("passage.altered", "the outcome of passage %s is not the one that its leaf commits to", id)
	}
	return err
}

// pictures reads the sealed pictures of a passage, with --deep.
func (v *siteVerifier) pictures(ctx context.Context, stored gatehouse.StoredPassage) error {
	if !v.deep {
		return nil
	}
	for _, e := range stored.Evidence {
		sealed, err := v.blobs.Blob(ctx, e.Blob)
		if gatehouse.ErrorCode(err) == "store.not_found" {
			p := stored.Passage
			if !v.contentGone(ctx, p) && (p.Known || !v.dayExpired(gatehouse.StrangerClass, p.At)) {
				v.report.Add("blob.missing", "a sealed picture of passage %s is missing", p.ID)
			}
			continue
		}
		if err != nil {
			return err
		}
		if v.report.Blobs++; sha256.Sum256(sealed) != e.Digest {
			v.report.Add("blob.altered", "a sealed picture of passage %s was altered", stored.Passage.ID)
		}
	}
	return nil
}
