package gatehouse

// Guidance is what somebody who stands before a terminal's camera can do to be seen
// better: one of a closed list. It says how a picture is, never whose.
type Guidance string

// The guidance that there is.
const (
	NobodyThere Guidance = "nobody"        // no face in the picture
	OneAtATime  Guidance = "one_at_a_time" // several people stand equally near
	ComeCloser  Guidance = "come_closer"
	StepBack    Guidance = "step_back"
	TooDark     Guidance = "too_dark"
	TooBright   Guidance = "too_bright"
	LookHere    Guidance = "look_here"  // the face is turned away
	HoldStill   Guidance = "hold_still" // it is blurred
	WellSeen    Guidance = "well_seen"  // nothing to do but wait
)

// Guidances lists them all, in the order in which they are looked for.
var Guidances = []Guidance{NobodyThere, OneAtATime, ComeCloser, StepBack, TooDark, TooBright, LookHere, HoldStill, WellSeen}

// Answer is what a terminal tells people of a decision: less than its reason, so that a
// stranger learns nothing and everybody else what to do.
type Answer string

// The answers that there are.
const (
	Welcome      Answer = "welcome"       // the gate is open
	AlreadyIn    Answer = "already"       // let through a moment ago
	SecondFactor Answer = "second_factor" // recognized; another credential must follow
	AnotherWay   Answer = "another_way"   // the face was not recognized: a card, PIN or QR code may do
	AskReception Answer = "reception"     // not now and not here; only people can help
	OutOfOrder   Answer = "out_of_order"  // the fault is ours
)

// Answers lists them all.
var Answers = []Answer{Welcome, AlreadyIn, SecondFactor, AnotherWay, AskReception, OutOfOrder}
