package enroll

import (
	"bytes"
	"context"

	"gatehouse"
)

// look describes the one face of each photo, or says why a photo will not do.
func (e *Enroller) look(ctx context.Context, photos [][]byte) ([]gatehouse.FaceSeen, error) {
	var faces []gatehouse.FaceSeen
	for i, photo := range photos {
		face, err := e.see(ctx, photo, i+1)
		if err != nil {
			return nil, err
		}
		faces = append(faces, face)
	}
	for i, f := range faces[min(1, len(faces)):] {
		if !e.same(f, faces[0]) {
			return nil, gatehouse.Errorf("enroll.differ", "give photos of one person", "photo %d shows somebody else than photo 1", i+2)
		}
	}
	return faces, nil
}

// see describes the one face of a photo, which is the n-th.
func (e *Enroller) see(ctx context.Context, photo []byte, n int) (gatehouse.FaceSeen, error) {
	seen, err := e.Eyes.See(ctx, gatehouse.Image{Format: formatOf(photo), Bytes: photo}, gatehouse.Look{Faces: true, Templates: true})
	if err != nil {
		return gatehouse.FaceSeen{}, err
	}
	return e.theFace(seen.Faces, n)
}

func (e *Enroller) same(a, b gatehouse.FaceSeen) bool {
	return dot(a.Template, b.Template) >= e.Threshold(1)
}

// theFace returns the one face that a photo shows. A face in the background that
// is less than half as large does not count as a second one.
func (e *Enroller) theFace(faces []gatehouse.FaceSeen, photo int) (gatehouse.FaceSeen, error) {
	refuse := func(code, hint, what string) (gatehouse.FaceSeen, error) {
		return gatehouse.FaceSeen{}, gatehouse.Errorf(code, hint, "photo %d %s", photo, what)
	}
	var best gatehouse.FaceSeen
	for _, f := range faces {
		if f.Box.W > best.Box.W {
			best = f
		}
	}
	near := 0
	for _, f := range faces {
		if 2*f.Box.W >= best.Box.W {
			near++
		}
	}
	switch {
	case near == 0 || best.Template == nil && best.Quality.EyeDistance == 0:
		return refuse("enroll.no_face", "use a photo from the front, the whole face in the picture", "shows no face")
	case near > 1:
		return refuse("enroll.two_faces", "crop it to the person", "shows more than one face")
	}
	if code, sentence := e.Fault(best.Quality); code != "" {
		return gatehouse.FaceSeen{}, gatehouse.Errorf(code, "take another photo: from the front, in even light, not too far away", "photo %d: %s", photo, sentence)
	}
	if best.Template == nil {
		return refuse("enroll.no_face", "use a photo from the front, the whole face in the picture", "shows a face that cannot be described")
	}
	return best, nil
}

// checkDistinct refuses a face that is enrolled already as anybody but of, unless it is a
// declared twin's; then it returns that twin's id. The caller holds e.mu.
func (e *Enroller) checkDistinct(of gatehouse.SubjectID, faces []gatehouse.FaceSeen, distinct gatehouse.SubjectID) (twin gatehouse.SubjectID, err error) {
	for _, f := range faces {
		m, ok := e.Gallery.Nearest(e.Place, f.Template)
		if !ok || m.Similarity < e.Threshold(e.Gallery.Size(e.Place)) || m.Subject == of && !of.IsZero() {
			continue
		}
		if m.Subject != distinct {
			return twin, gatehouse.Errorf("enroll.duplicate", "if they are two people (twins), enrol with --distinct-from and that id", "this face is enrolled already as %s", m.Subject)
		}
		if _, ok := e.Working.Badge(distinct); !ok {
			return twin, gatehouse.Errorf("enroll.distinct", "give the id that `gatehouse people` shows", "--distinct-from names nobody who is enrolled")
		}
		twin = distinct
	}
	return twin, nil
}

func formatOf(b []byte) gatehouse.ImageFormat {
	if bytes.HasPrefix(b, []byte("\x89PNG")) {
		return gatehouse.PNG
	}
	return gatehouse.JPEG
}

func dot(a, b []float32) float32 {
	var s float32
	for i := range a {
		s += a[i] * b[i]
	}
	return s
}
