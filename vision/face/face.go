// Package face finds the faces of a picture and describes each: landmarks, how
// good the picture of it is, a template to compare, and whether it looks live. It
// compares nothing and keeps nothing.
package face

import (
	"cmp"
	"slices"

	"gatehouse"
	"gatehouse/vision/imaging"
	"gatehouse/vision/models"
	"gatehouse/vision/ort"
)

// Options says which parts of the work See does; detection, landmarks and quality
// are always done.
type Options struct {
	Template bool // fill FaceSeen.Template
	Live     bool // fill FaceSeen.Live
	Crop     bool // fill FaceSeen.Crop
	// Tiles looks for small faces in a large picture too: after the whole picture,
	// overlapping parts of it are searched at a higher resolution. It costs one
	// detection for each part, at most 12.
	Tiles bool
	// MaxFaces bounds the work in a crowd: the largest faces are described; 0 means 16.
	MaxFaces int
	// MinEyes is the distance of the eyes in pixels below which no template is made;
	// 0 means 12.
	MinEyes float32
}

const (
	defaultMaxFaces = 16
	defaultMinEyes  = 12
)

// Engine holds the loaded models. See may be called from one goroutine at a time.
type Engine struct {
	detect, landmark, template, live *ort.Model
	buf                              []float32 // input planes, reused
}

// New loads the registered models; threads is the number of cores one inference
// may use. Errors are those of models.Open.
func New(threads int) (*Engine, error) {
	e := &Engine{}
	for _, m := range []struct {
		name string
		to   **ort.Model
	}{
		{models.FaceDetect, &e.detect},
		{models.FaceLandmark, &e.landmark},
		{models.FaceTemplate, &e.template},
		{models.FaceLive, &e.live},
	} {
		loaded, err := models.Open(m.name, threads)
		if err != nil {
			e.Close()
			return nil, err
		}
		*m.to = loaded
	}
	return e, nil
}

// Close releases the models.
func (e *Engine) Close() {
	for _, m := range []*ort.Model{e.detect, e.landmark, e.template, e.live} {
		if m != nil {
			_ = m.Close()
		}
	}
	*e = Engine{}
}

// See returns the faces of an upright picture, from left to right. A face too
// small for a template (Options.MinEyes) is listed without one. An error means
// that a model failed, never that there is no face.
func (e *Engine) See(img *imaging.RGB, opt Options) ([]gatehouse.FaceSeen, error) {
	found, err := e.find(img, opt.Tiles)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(a, b detection) int { return cmp.Compare(b.area(), a.area()) })
	limit := opt.MaxFaces
	if limit <= 0 {
		limit = defaultMaxFaces
	}
	all := found
	found = found[:min(len(found), limit)]
	minEyes := opt.MinEyes
	if minEyes <= 0 {
		minEyes = defaultMinEyes
	}

	seen := make([]gatehouse.FaceSeen, 0, len(found))
	for i, d := range found {
		f := gatehouse.FaceSeen{Box: d.box(img.W, img.H), Score: d.score, Live: -1}
		points, err := e.landmarks(img, d)
		if err != nil {
			return nil, err
		}
		f.Landmarks = five(points)
		aligned, ok := align(img, f.Landmarks)
		if !ok {
			continue // the points fell together: no face
		}
		f.Quality = quality(f.Landmarks, aligned)
		if opt.Template && f.Quality.EyeDistance >= minEyes {
			if f.Template, err = e.describe(aligned); err != nil {
				return nil, err
			}
		}
		if opt.Live {
			if f.Live, err = e.liveness(img, d); err != nil {
				return nil, err
			}
		}
		if opt.Crop {
			if f.Crop, f.Thumb, err = surroundings(img, all, i); err != nil {
				return nil, err
			}
		}
		seen = append(seen, f)
	}
	slices.SortStableFunc(seen, func(a, b gatehouse.FaceSeen) int { return cmp.Compare(a.Box.X, b.Box.X) })
	return seen, nil
}

// Main returns the index of the face that a still of one person is about: the one
// with the largest area, where a face far from the middle counts for less; -1 for
// no faces.
func Main(faces []gatehouse.FaceSeen, width, height int) int {
	best, at := float64(0), -1
	for i, f := range faces {
		dx := (float64(f.Box.X) + float64(f.Box.W)/2 - float64(width)/2) / float64(max(width, 1))
		dy := (float64(f.Box.Y) + float64(f.Box.H)/2 - float64(height)/2) / float64(max(height, 1))
		// At the picture's edge (half a width away) a face counts a fifth.
		weight := float64(f.Box.W) * float64(f.Box.H) / (1 + 16*(dx*dx+dy*dy))
		if weight > best {
			best, at = weight, i
		}
	}
	return at
}

// run feeds one input of the given shape and returns the outputs' data.
func run(m *ort.Model, data []float32, shape ...int64) ([]ort.Tensor, error) {
	out, err := m.Run(ort.Tensor{Shape: shape, Data: data})
	if err != nil {
		return nil, gatehouse.Errorf(models.CodeRuntime, "run `make assets`, and report it if it stays", "a face model failed: %w", err)
	}
	return out, nil
}

// planes returns the reused input buffer with room for n values.
func (e *Engine) planes(n int) []float32 {
	if cap(e.buf) < n {
		e.buf = make([]float32, n)
	}
	return e.buf[:n]
}
