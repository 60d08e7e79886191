package worker

import (
	"encoding/binary"
	"encoding/json"
	"math"

	"gatehouse"
	"gatehouse/internal/child"
)

// The child answers two methods.
const (
	seeMethod  = "see"  // seeRequest + the image's bytes → seen + pictures and templates
	loadMethod = "load" // loadRequest: loads models ahead of the first frame that needs them
)

// seeRequest asks for one image; its bytes are the only attachment.
type seeRequest struct {
	Look   gatehouse.Look        `json:"look"`
	Format gatehouse.ImageFormat `json:"format"`
	Width  int                   `json:"width,omitempty"`
	Height int                   `json:"height,omitempty"`
}

// loadRequest says which models will be needed.
type loadRequest struct {
	Faces, Plates bool
}

// seen is an Observation whose templates and pictures travel as attachments. An
// attachment is named by its index plus one; 0 means that there is none.
type seen struct {
	Width  int         `json:"width"`
	Height int         `json:"height"`
	Faces  []faceSeen  `json:"faces,omitempty"`
	Plates []plateSeen `json:"plates,omitempty"`
	Still  int         `json:"still,omitempty"`
	Tile   int         `json:"tile,omitempty"`
}

type faceSeen struct {
	Box       gatehouse.Box         `json:"box"`
	Score     float32               `json:"score"`
	Landmarks [5]gatehouse.Point    `json:"landmarks"`
	Quality   gatehouse.FaceQuality `json:"quality"`
	Live      float32               `json:"live"`
	Template  int                   `json:"template,omitempty"`
	Crop      int                   `json:"crop,omitempty"`
	Thumb     int                   `json:"thumb,omitempty"`
}

type plateSeen struct {
	Box   gatehouse.Box       `json:"box"`
	Quad  [4]gatehouse.Point  `json:"quad"`
	Read  gatehouse.PlateRead `json:"read"`
	Crop  int                 `json:"crop,omitempty"`
	Thumb int                 `json:"thumb,omitempty"`
}

// pack splits an observation into its header and attachments.
func pack(o gatehouse.Observation) (seen, [][]byte) {
	var blobs [][]byte
	attach := func(b []byte) int {
		if len(b) == 0 {
			return 0
		}
		blobs = append(blobs, b)
		return len(blobs)
	}
	s := seen{Width: o.Width, Height: o.Height, Still: attach(o.Still), Tile: attach(o.Tile)}
	for _, f := range o.Faces {
		s.Faces = append(s.Faces, faceSeen{f.Box, f.Score, f.Landmarks, f.Quality, f.Live, attach(floatBytes(f.Template)), attach(f.Crop), attach(f.Thumb)})
	}
	for _, p := range o.Plates {
		s.Plates = append(s.Plates, plateSeen{p.Box, p.Quad, p.Read, attach(p.Crop), attach(p.Thumb)})
	}
	return s, blobs
}

// unpack is pack's inverse. It fails with vision.protocol where the child's answer
// contradicts itself: the child decodes hostile pictures and is not trusted.
func unpack(s seen, blobs [][]byte) (gatehouse.Observation, error) {
	var wrong bool
	blob := func(i int) []byte {
		if i == 0 {
			return nil
		}
		if i < 0 || i > len(blobs) {
			wrong = true
			return nil
		}
		return blobs[i-1]
	}
	o := gatehouse.Observation{Width: s.Width, Height: s.Height, Still: blob(s.Still), Tile: blob(s.Tile)}
	for _, f := range s.Faces {
		t, ok := bytesFloats(blob(f.Template))
		wrong = wrong || !ok
		o.Faces = append(o.Faces, gatehouse.FaceSeen{Box: f.Box, Score: f.Score, Landmarks: f.Landmarks, Quality: f.Quality, Template: t, Live: f.Live, Crop: blob(f.Crop), Thumb: blob(f.Thumb)})
	}
	for _, p := range s.Plates {
		o.Plates = append(o.Plates, gatehouse.PlateSeen{Box: p.Box, Quad: p.Quad, Read: p.Read, Crop: blob(p.Crop), Thumb: blob(p.Thumb)})
	}
	if wrong || s.Width <= 0 || s.Height <= 0 {
		return gatehouse.Observation{}, gatehouse.Errorf("vision.protocol", "this is a fault of the program", "the vision process's answer contradicts itself")
	}
	return o, nil
}

// floatBytes gives the little-endian IEEE 754 form.
func floatBytes(v []float32) []byte {
	b := make([]byte, 0, 4*len(v))
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

// bytesFloats is floatBytes's inverse; false for bytes that no template gives.
func bytesFloats(b []byte) ([]float32, bool) {
	if len(b) == 0 {
		return nil, true
	}
	if len(b)%4 != 0 {
		return nil, false
	}
	v := make([]float32, len(b)/4)
	for i := range v {
		x := math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		if x != x || x < -1.001 || x > 1.001 { // a component of a unit vector
			return nil, false
		}
		v[i] = x
	}
	return v, true
}

// image puts a request's picture together again.
func (r seeRequest) image(blobs [][]byte) (gatehouse.Image, error) {
	if len(blobs) != 1 {
		return gatehouse.Image{}, gatehouse.Errorf("request.malformed", "this is a fault of the program", "a request to see has %d pictures, not one", len(blobs))
	}
	return gatehouse.Image{Format: r.Format, Width: r.Width, Height: r.Height, Bytes: blobs[0]}, nil
}

// decode reads a request's header.
func decode[T any](r *child.Request) (v T, err error) {
	if len(r.Header) == 0 {
		r.Header = json.RawMessage("{}")
	}
	return v, r.Decode(&v)
}
