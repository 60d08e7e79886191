package worker

import (
	"sync"

	"gatehouse"
	"gatehouse/vision/face"
	"gatehouse/vision/imaging"
	"gatehouse/vision/models"
	"gatehouse/vision/plate"
)

// Limits on what one picture may be. A raw frame is bounded by the pixels, an
// encoded one by both.
const (
	maxBytes  = 20 << 20
	maxPixels = 50_000_000
	// maxMessage holds the largest raw frame: 16 megapixels of RGB.
	maxMessage = 64 << 20
)

// Engine decodes pictures and runs the models, in the child process. Models are
// loaded when first needed. It is safe for concurrent use: one picture is decoded
// while another is looked at.
type Engine struct {
	threads int

	decoding sync.Mutex // one at a time: a large picture takes several hundred megabytes

	mu     sync.Mutex // the models and all that is below
	faces  *face.Engine
	plates *plate.Reader
}

// NewEngine returns an engine that has loaded nothing; threads is the number of
// cores that one model run may use.
func NewEngine(threads int) *Engine { return &Engine{threads: threads} }

// Load loads models ahead of the first frame that needs them. Errors: model.*.
func (e *Engine) Load(faces, plates bool) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.load(faces, plates)
}

func (e *Engine) load(faces, plates bool) error {
	if faces && e.faces == nil {
		f, err := face.New(e.threads)
		if err != nil {
			return err
		}
		e.faces = f
	}
	if plates && e.plates == nil {
		r, err := openReader(e.threads)
		if err != nil {
			return err
		}
		e.plates = r
	}
	return nil
}

func openReader(threads int) (*plate.Reader, error) {
	var m plate.Models
	data, err := models.Load(models.TextKeys)
	if err != nil {
		return nil, err
	}
	if m.Keys, err = plate.ParseKeys(data); err != nil {
		return nil, err
	}
	detector, err := models.Open(models.TextDetect, threads)
	if err != nil {
		return nil, err
	}
	recognizer, err := models.Open(models.TextRead, threads)
	if err != nil {
		_ = detector.Close()
		return nil, err
	}
	m.Detector, m.Recognizer = detector, recognizer
	return plate.New(m), nil
}

// See looks at one picture. Errors: image.* for one that cannot be decoded,
// plate.region for a region that does not exist, model.*.
func (e *Engine) See(img gatehouse.Image, look gatehouse.Look) (gatehouse.Observation, error) {
	e.decoding.Lock()
	m, err := decodeImage(img)
	e.decoding.Unlock()
	if err != nil {
		return gatehouse.Observation{}, err
	}
	o := gatehouse.Observation{Width: m.W, Height: m.H}
	if err := e.look(m, look, &o); err != nil {
		return gatehouse.Observation{}, err
	}
	if look.Still {
		if o.Still, o.Tile, err = encodeStill(m, look.Large); err != nil {
			return gatehouse.Observation{}, err
		}
	}
	return o, nil
}

func (e *Engine) look(m *imaging.RGB, look gatehouse.Look, o *gatehouse.Observation) error {
	region := look.Region
	if region == "" {
		region = "any"
	}
	if look.Plates && !knownRegion(region) {
		return gatehouse.Errorf("plate.region", "use cn, eu, us, br or any", "there is no plate region of that name")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	// A plate's crop shows the car; a face in it is somebody's, and is hidden.
	hide := look.Plates && look.Crops
	if err := e.load(look.Faces || hide, look.Plates); err != nil {
		return err
	}
	var err error
	if look.Faces {
		o.Faces, err = e.faces.See(m, face.Options{Template: look.Templates, Live: look.Live, Crop: look.Crops, Tiles: look.Far})
		if err != nil {
			return err
		}
	}
	if !look.Plates {
		return nil
	}
	if o.Plates, err = e.plates.Read(m, region); err != nil {
		return err
	}
	if !hide || len(o.Plates) == 0 {
		return nil
	}
	others := o.Faces
	if !look.Faces {
		if others, err = e.faces.See(m, face.Options{}); err != nil {
			return err
		}
	}
	for i := range o.Plates {
		if o.Plates[i].Crop, o.Plates[i].Thumb, err = vehicleCrop(m, o.Plates[i].Box, others); err != nil {
			return err
		}
	}
	return nil
}

func knownRegion(region string) bool {
	for _, r := range plate.Regions() {
		if r == region {
			return true
		}
	}
	return false
}

// checkSize refuses what the child would refuse, before it is sent there.
func checkSize(img gatehouse.Image) error {
	tooLarge := func() error {
		return gatehouse.Errorf(imaging.CodeTooLarge, "send a smaller picture; 1280×720 is enough", "the picture is larger than is looked at here")
	}
	switch img.Format {
	case gatehouse.YUV420, gatehouse.RGB24:
		if img.Width <= 0 || img.Height <= 0 {
			return gatehouse.Errorf(imaging.CodeDamaged, "give each frame's size with its bytes", "a raw frame has no size")
		}
		if img.Width > maxPixels/img.Height || len(img.Bytes) > maxMessage-1<<20 {
			return tooLarge()
		}
	default:
		if len(img.Bytes) > maxBytes {
			return tooLarge()
		}
	}
	return nil
}

// decodeImage gives the pixels. An encoded picture is what its bytes say it is,
// whatever the device called it.
func decodeImage(img gatehouse.Image) (*imaging.RGB, error) {
	if err := checkSize(img); err != nil {
		return nil, err
	}
	switch img.Format {
	case gatehouse.YUV420:
		return imaging.FromYUV420(img.Width, img.Height, img.Bytes)
	case gatehouse.RGB24:
		if len(img.Bytes) != 3*img.Width*img.Height {
			return nil, gatehouse.Errorf(imaging.CodeDamaged, "give each frame's size with its bytes", "%d bytes are no %d×%d frame of packed RGB", len(img.Bytes), img.Width, img.Height)
		}
		return &imaging.RGB{W: img.Width, H: img.Height, Pix: img.Bytes}, nil
	}
	return imaging.Decode(img.Bytes, imaging.Limits{MaxBytes: maxBytes, MaxPixels: maxPixels})
}
