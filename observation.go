package gatehouse

// Box is a rectangle in pixels of the frame it was seen in; the origin is the
// frame's top left corner.
type Box struct{ X, Y, W, H int }

// Point is a position in pixels of a frame.
type Point struct{ X, Y float32 }

// Observation is what vision saw in one frame. It is a value that exists only
// in memory: nothing of it reaches a disk unless a committed passage seals it.
type Observation struct {
	Width, Height int         // of the frame, after its EXIF rotation
	Faces         []FaceSeen  // left to right
	Plates        []PlateSeen // best first
	Still         []byte      // the frame as a JPEG for the memory ring; nil unless asked for
	Tile          []byte      // the still at most 320 pixels wide and high, for a list
}

// FaceSeen is one face in one frame.
type FaceSeen struct {
	Box       Box
	Score     float32  // the detector's, 0..1
	Landmarks [5]Point // eye centres, nose tip, mouth corners; left before right in the picture
	Quality   FaceQuality
	Template  []float32 // unit length, of the registry's dimension; nil where the face is too poor to describe
	Live      float32   // probability that it is a live face and no replay or print, 0..1; -1: not judged
	Crop      []byte    // JPEG of the face's surroundings, every other face blurred; nil unless asked for
	Thumb     []byte    // the crop at most 96 pixels wide and high, for a list
}

// FaceQuality says why a picture of a face is or is not good enough.
type FaceQuality struct {
	EyeDistance float32 // pixels between the eye centres
	Sharpness   float32 // variance of the Laplacian of the inner aligned face (brows to mouth), grey
	Brightness  float32 // mean grey of the same part, 0..255
	Yaw, Pitch  float32 // rough head turn and nod in degrees, from the landmarks; 0 is frontal
}

// PlateSeen is one physical plate in one frame.
type PlateSeen struct {
	Box   Box
	Quad  [4]Point // corners, clockwise from the top left
	Read  PlateRead
	Crop  []byte // JPEG of the vehicle's surroundings; nil unless asked for
	Thumb []byte // the crop at most 96 pixels wide and high, for a list
}

// PlateRead is what one plate says, in one frame or voted over several.
type PlateRead struct {
	Text       string  // normalized: NFKC, upper case, no spaces, hyphens or separators
	Raw        string  // what the recognizer said, before any rule of the region touched it
	Region     string  // cn, eu, us, br: the syntax that accepted it; "" for none
	Class      string  // for example cn-blue, cn-new-energy, br-mercosur; "" where unknown
	Confidence float64 // of the whole text, 0..1
	Chars      []CharRead
	Candidates []PlateCandidate // other texts it may be, best first, at most 5
}

// CharRead is one character of a plate with the confidence for it, 0..1.
type CharRead struct {
	Char       rune
	Confidence float64
}

// PlateCandidate is another text that the same picture may show.
type PlateCandidate struct {
	Text       string
	Confidence float64
}
