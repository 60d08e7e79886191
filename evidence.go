package gatehouse

// EvidenceKind says what a picture shows.
type EvidenceKind string

// A crop shows one track, other faces blurred; a whole frame is kept under the
// day's key only, at most 7 days.
const (
	CropEvidence  EvidenceKind = "crop"
	FrameEvidence EvidenceKind = "frame"
)

// BlobID is the random name of a sealed file in the blob store.
type BlobID = ID

// Evidence points from a passage to a sealed picture.
type Evidence struct {
	Blob   BlobID
	Kind   EvidenceKind
	Digest [32]byte // SHA-256 of the ciphertext, for the audit leaf
}
