package passage

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"

	"gatehouse"

	"golang.org/x/sync/errgroup"
)

// evidenceKept is how many pictures of a passage are kept; the memory ring has all.
const evidenceKept = 2

// commit seals what the passage says, writes its pictures, and commits row, sealed
// content and audit leaf in one transaction. The passage is returned even with an
// error, so that it can be shown and recorded later.
func (f *Flow) commit(ctx context.Context, a arrival, d gatehouse.Decision) (gatehouse.Passage, error) {
	ctx, cancel := context.WithTimeout(ctx, f.Site.CommitWithin)
	defer cancel()

	p := f.describe(a, d)
	var err error
	if !p.Known {
		if p.Subject, err = f.Sealer.OneOff(ctx, p.Place); err != nil {
			return p, err
		}
	}
	c := gatehouse.PassageCommit{Passage: p}
	if c.Detail, c.Evidence, err = f.seal(ctx, p, a); err != nil {
		return p, err
	}
	if a.parking {
		if err := f.Parking.Keep(ctx, p, a.mark, a.stay); err != nil {
			return p, err
		}
	}
	c.Leaf = gatehouse.PassageLeaf(p, c.Detail, c.Evidence)
	c.Passage.Latency = f.Now().Sub(a.since)
	if err := f.Store.CommitPassage(ctx, c); err != nil {
		return p, err
	}
	p.Latency = f.Now().Sub(a.since)
	return p, nil
}

// describe makes the passage's metadata.
func (f *Flow) describe(a arrival, d gatehouse.Decision) gatehouse.Passage {
	p := gatehouse.Passage{
		Place: f.Site.Place, ID: a.id, Gate: a.gate.ID, Device: a.device, Direction: a.gate.Direction,
		At: a.received, Kind: a.reading.Kind, Subject: a.reading.Subject, Known: a.reading.Known,
		Frames: a.reading.Frames, Decision: d, Outcome: gatehouse.NoAction,
	}
	if p.ID.IsZero() {
		p.ID = gatehouse.NewID(f.Now())
	}
	switch {
	case d.Grant && a.late:
		p.Outcome = gatehouse.Unconfirmed
	case d.Grant && f.Actuator(a.gate.ID) != nil:
		p.Outcome = gatehouse.Pending
	}
	return p
}

// seal returns the sealed detail and the evidence, whose blobs are on disk then.
func (f *Flow) seal(ctx context.Context, p gatehouse.Passage, a arrival) (detail []byte, evidence []gatehouse.Evidence, err error) {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		plain, err := json.Marshal(detailOf(a))
		if err != nil {
			return err
		}
		where := gatehouse.SealContext{Place: p.Place, Table: "passages", Row: p.ID, Field: "detail"}
		detail, err = f.Sealer.Seal(ctx, p.Subject, gatehouse.PassageClass, where, plain, gatehouse.PadField)
		return err
	})
	pictures, class := f.kept(p, a.pictures)
	evidence = make([]gatehouse.Evidence, len(pictures))
	for i, picture := range pictures {
		group.Go(func() error {
			blob := gatehouse.RandomID()
			where := gatehouse.SealContext{Place: p.Place, Table: "evidence", Row: blob, Field: string(picture.Kind)}
			sealed, err := f.Sealer.Seal(ctx, p.Subject, class, where, picture.JPEG, gatehouse.PadImage)
			if err != nil {
				return err
			}
			evidence[i] = gatehouse.Evidence{Blob: blob, Kind: picture.Kind, Digest: sha256.Sum256(sealed)}
			return f.Blobs.PutBlob(ctx, blob, sealed)
		})
	}
	return detail, evidence, errors.Join(group.Wait())
}

// kept chooses the pictures that go to the archive: crops of enrolled subjects; of
// strangers none, unless the site keeps them for a purpose.
func (f *Flow) kept(p gatehouse.Passage, all []gatehouse.Picture) ([]gatehouse.Picture, gatehouse.RetentionClass) {
	class := gatehouse.PassageClass
	if !p.Known {
		if !f.Site.KeepStrangers {
			return nil, class
		}
		class = gatehouse.StrangerClass
	}
	var crops []gatehouse.Picture
	for _, picture := range all {
		if picture.Kind == gatehouse.CropEvidence && len(crops) < evidenceKept {
			crops = append(crops, picture)
		}
	}
	return crops, class
}

func detailOf(a arrival) gatehouse.Detail {
	r := a.reading
	d := gatehouse.Detail{
		Plate: r.Plate.Text, RawPlate: r.Plate.Raw, Chars: r.Plate.Chars, Candidates: r.Plate.Candidates, Class: r.Plate.Class,
		Confidence: r.Confidence, Box: r.Box, Reason: a.reason.Reveal(),
	}
	if r.Live.Judged {
		d.Live = &r.Live.Score
	}
	return d
}
