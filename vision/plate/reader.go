package plate

import (
	"fmt"

	"gatehouse"
	"gatehouse/vision/imaging"
	"gatehouse/vision/ort"
)

// Runner runs a loaded model; *ort.Model is one. A Reader calls it from one
// goroutine at a time.
type Runner interface {
	// Run takes the model's inputs in order and returns its outputs in order.
	Run(inputs ...ort.Tensor) ([]ort.Tensor, error)
}

// Models are what a Reader needs of the model registry.
type Models struct {
	Detector   Runner   // PP-OCRv4 text detector: 1×3×H×W, sides multiples of 32 → 1×1×H×W text probability
	Recognizer Runner   // PP-OCRv4 text recognizer: 1×3×48×W → 1×W/8×classes probabilities
	Keys       []string // the recognizer's dictionary, from ParseKeys
}

// Reader finds and reads the plates of a picture. It keeps buffers between calls,
// so that Read may be called from one goroutine at a time.
type Reader struct {
	models   Models
	alphabet *alphabet

	detBuf, recBuf []float32
	seen           []bool
	stack          []int32
	border         []vec
	axis           axis
}

// New returns a Reader over loaded models.
func New(m Models) *Reader {
	return &Reader{models: m, alphabet: newAlphabet(m.Keys)}
}

// Read returns the plates that are legible in the picture, best first: one entry a
// physical plate. region is one of Regions; its syntax decides what is a plate.
// No plate is an empty slice and no error. Errors are an unknown region, an empty
// picture, or a model that fails.
func (r *Reader) Read(img *imaging.RGB, region string) ([]gatehouse.PlateSeen, error) {
	syn := syntaxes[region]
	if syn == nil {
		return nil, fmt.Errorf("unknown plate region %q: use one of %v", region, Regions())
	}
	if img == nil || img.W < 1 || img.H < 1 || len(img.Pix) < 3*img.W*img.H {
		return nil, fmt.Errorf("the picture is empty")
	}
	s := scan{r: r, img: img, syn: syn}
	if err := s.run(); err != nil {
		return nil, err
	}
	return s.seen(), nil
}
