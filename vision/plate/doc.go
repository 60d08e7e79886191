// Package plate finds and reads vehicle number plates.
//
// A picture goes through these steps, in scan.go: a text detector proposes lines
// of text (detect.go, geometry.go); each is cut out of the full resolution and
// straightened (rectify.go); a text recognizer gives the probability of every
// character at every step along the line (recognize.go, alphabet.go); a decoder
// finds the most probable texts that the syntax of the region allows (ctc.go,
// syntax.go, regions.go), and weighs them over several cuts of the same line
// (candidate.go). Uncertain lines get a closer look and more cuts; lines that
// belong together are joined (join.go). Text that no syntax accepts, or that the
// recognizer is not sure of, is no reading (result.go). Over the frames of one
// passage the readings are combined by a vote (vote.go).
package plate
