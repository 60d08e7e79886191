package gatehouse

import "time"

// Purpose is what somebody agreed to. "Face opens this door" and "face counts as
// attendance" are separate purposes.
type Purpose string

// The purposes that a face may be used for.
const (
	FaceAtDoors      Purpose = "face_at_doors"
	FaceAtAttendance Purpose = "face_at_attendance"
)

// Consent records that a person agreed to a purpose. A face template cannot exist
// without one in force.
type Consent struct {
	Place
	Subject   SubjectID
	Purpose   Purpose
	Given     time.Time
	Withdrawn time.Time // zero while in force
	How       string    // "terminal" (asked and answered) or "reference"
	Reference []byte    // sealed: where the signed form lies (--consent-ref)
	Notice    string    // language of the notice that was shown, "en" or "zh"; "" where that was not noted
	Guardian  bool      // a guardian agreed
	By        string    // the operator who recorded it, never a name; "" on the command line
}

// InForce reports whether the consent counts at t.
func (c Consent) InForce(t time.Time) bool {
	return !c.Given.IsZero() && !t.Before(c.Given) && (c.Withdrawn.IsZero() || t.Before(c.Withdrawn))
}
