package enroll

import (
	"context"
	"errors"
	"strings"

	"gatehouse"
)

// Judgement is what one photo is worth before anybody is enrolled by it. It holds a
// description of the face, so it is made only for who has agreed, and MUST NOT outlive
// the enrolment that it is for.
type Judgement struct {
	// Code says why the photo will not do, "" for a good one: enroll.no_face,
	// enroll.two_faces, enroll.differ, enroll.duplicate, face.*, image.*.
	Code string
	// Score puts good photos in order, 0 to 1; it is no probability.
	Score float32
	// Known is whose face that is already; zero for nobody's.
	Known gatehouse.SubjectID
	face  gatehouse.FaceSeen
}

// Good reports whether somebody could be enrolled by the photo.
func (j Judgement) Good() bool { return j.Code == "" }

// Judge looks at one photo of the person that the good ones of others show. of is who it
// is to describe, zero for somebody new: a face that is somebody else's is enroll.duplicate.
// It fails where nothing can be said: vision.unavailable.
func (e *Enroller) Judge(ctx context.Context, of gatehouse.SubjectID, photo []byte, others []Judgement) (Judgement, error) {
	face, err := e.see(ctx, photo, len(others)+1)
	if err != nil {
		var known *gatehouse.Error
		family := ""
		if errors.As(err, &known) {
			family, _, _ = strings.Cut(known.Code, ".")
		}
		switch family {
		case "enroll", "face", "image":
			return Judgement{Code: known.Code}, nil
		}
		return Judgement{}, err
	}
	j := Judgement{Score: score(face.Quality), face: face}
	for _, o := range others {
		if o.Good() && !e.same(face, o.face) {
			j.Code = "enroll.differ"
			return j, nil
		}
	}
	if m, ok := e.Gallery.Nearest(e.Place, face.Template); ok && m.Similarity >= e.Threshold(e.Gallery.Size(e.Place)) && m.Subject != of {
		j.Code, j.Known = "enroll.duplicate", m.Subject
	}
	return j, nil
}

// What a photo is full marks for; Fault says what is too little.
const (
	bestEyes       = 90
	bestSharpness  = 80
	bestBrightness = 125
)

// score prefers large, sharp, evenly lit, frontal faces.
func score(q gatehouse.FaceQuality) float32 {
	abs := func(v float32) float32 { return max(v, -v) }
	turn := max(abs(q.Yaw), abs(q.Pitch))
	return min(1, q.EyeDistance/bestEyes) * min(1, q.Sharpness/bestSharpness) * max(0, 1-abs(q.Brightness-bestBrightness)/200) * max(0, 1-turn/90)
}
