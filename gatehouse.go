// Package gatehouse is the vocabulary of a system that runs the gates of a site:
// the doors that people pass with their face, a card, a PIN or a QR code, and the
// lanes that vehicles pass by number plate. A device sends a Capture; vision makes
// an Observation of it and a track of those becomes a Reading; the rules turn it
// into a Decision; and a committed Passage is the unit that everything else is
// built from. Start reading at passage.go.
//
// The package holds values and small interfaces only: no I/O, and nothing but the
// standard library. Personal data has types that redact themselves in logs.
package gatehouse
