package gatehouse

import "context"

// Look says what vision is asked for in one frame.
type Look struct {
	Faces, Plates bool
	Region        string // for plates
	Templates     bool   // describe the faces
	Live          bool   // judge the faces' liveness
	Far           bool   // search the picture's parts for small faces too: up to 12 more detections
	Crops, Still  bool   // give pictures
	Large         bool   // the still with up to 1920 pixels a side, in the place of 960: for a floor plan
}

// Eyes sees what is in a frame.
type Eyes interface {
	// See fails with an image.* code for a picture that cannot be decoded, and
	// with vision.unavailable while the vision process is restarting. It MUST be
	// safe for concurrent use.
	See(ctx context.Context, img Image, l Look) (Observation, error)
}

// Match is the answer of a 1:N search.
type Match struct {
	Subject    SubjectID
	Similarity float32 // cosine, exact in float32; never leaves the server
	Second     float32 // the best similarity of any other subject; -1 for none
}

// Gallery finds the enrolled face that is nearest to a template, within one site.
type Gallery interface {
	// Nearest returns the best match, ok false for an empty gallery.
	Nearest(place Place, template []float32) (m Match, ok bool)
	// Size is the number of enrolled templates of the site.
	Size(place Place) int
}
