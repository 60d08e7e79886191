package gatehouse

import "time"

// ReadingKind says by what a subject was recognized.
type ReadingKind string

// The credentials that exist. A face is never the only way in.
const (
	FaceReading  ReadingKind = "face"
	PlateReading ReadingKind = "plate"
	CardReading  ReadingKind = "card"
	PINReading   ReadingKind = "pin"
	QRReading    ReadingKind = "qr"
	// RemoteReading is no credential: an operator opened the gate from afar.
	RemoteReading ReadingKind = "remote"
)

// Sighting is one track, one face or one plate that moved through the picture, as
// far as it is known now. A tracker returns it again with every frame until it is
// Final; one sighting becomes at most one passage.
type Sighting struct {
	Track       uint64 // unique within a tracker
	Kind        ReadingKind
	First, Last time.Time // receipt times of the track's frames
	Frames      int       // frames that the track was seen in
	Final       bool      // no more will come: decide now
	Template    []float32 // of a face: the quality-weighted mean of its frames' templates, unit length; nil where no frame was good enough
	Quality     FaceQuality
	Live        Liveness
	Plate       PlateRead // of a plate: the vote over its frames
	Box         Box       // in the best frame
	FrameW      int       // size of the best frame in pixels
	FrameH      int
	Pictures    []Picture // the best few, best first
}

// Picture is a crop or a whole frame in memory, as a JPEG.
type Picture struct {
	Kind EvidenceKind
	Box  Box
	JPEG []byte
	// Thumb is the same for a list, at most 96 pixels wide and high, a whole frame 320; nil
	// for none. It is in memory only.
	Thumb []byte
	At    time.Time
}

// Liveness is the verdict over a track's frames.
type Liveness struct {
	Judged bool
	Live   bool
	Score  float32 // 0..1, the probability of a live face; never leaves the server
}

// Reading is what was understood of a capture: who or what it may be, and how sure.
type Reading struct {
	Kind       ReadingKind
	Subject    SubjectID // zero where nobody was recognized
	Known      bool      // Subject is enrolled (a stranger's one-off is not)
	Confidence float64   // 0..1, of a plate or of the match's margin; never sent to a device
	Weak       bool      // below what the policy or registry asks for
	Live       Liveness
	Plate      PlateRead
	Frames     int
	Box        Box
	At         time.Time
}
