package passage

import "gatehouse"

// recognize turns a sighting into a reading: who or what it may be.
func (f *Flow) recognize(s gatehouse.Sighting) gatehouse.Reading {
	r := gatehouse.Reading{Kind: s.Kind, Live: s.Live, Frames: s.Frames, Box: s.Box}
	if s.Kind == gatehouse.PlateReading {
		f.recognizePlate(&r, s.Plate)
		return r
	}
	if s.Template == nil {
		r.Weak = true // no frame was good enough to describe the face
		return r
	}
	m, ok := f.Gallery.Nearest(f.Site.Place, s.Template)
	threshold := f.Threshold(f.Gallery.Size(f.Site.Place))
	if ok && m.Similarity >= threshold {
		r.Subject, r.Known = m.Subject, true
		r.Confidence = float64((m.Similarity - threshold) / (1 - threshold))
	}
	return r
}

// recognizePlate looks the voted text up in the allowed plates. A text that is on
// no list but whose close candidate is, is a weak reading and no stranger: it
// opens nothing, and the reason says that the picture was at fault.
func (f *Flow) recognizePlate(r *gatehouse.Reading, read gatehouse.PlateRead) {
	r.Plate, r.Confidence = read, read.Confidence
	if read.Text == "" {
		r.Weak = true
		return
	}
	if id, ok := f.Working.ByPlate(read.Text); ok {
		r.Subject, r.Known = id, true
		return
	}
	for _, c := range read.Candidates {
		if _, ok := f.Working.ByPlate(c.Text); ok {
			r.Weak = true
			return
		}
	}
}

// verify turns a shown credential into a reading.
func (f *Flow) verify(c gatehouse.Capture) gatehouse.Reading {
	r := gatehouse.Reading{Kind: gatehouse.CardReading, Frames: 1, Confidence: 1}
	item := gatehouse.CardItem
	switch c.Kind {
	case gatehouse.PINCapture:
		r.Kind, item = gatehouse.PINReading, gatehouse.PINItem
	case gatehouse.QRCapture:
		r.Kind, item = gatehouse.QRReading, gatehouse.QRItem
	}
	r.Subject, r.Known = f.Working.ByCredential(item, c.Secret)
	return r
}
