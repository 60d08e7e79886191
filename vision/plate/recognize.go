package plate

import (
	"fmt"
	"strings"

	"gatehouse/vision/imaging"
	"gatehouse/vision/ort"
)

const (
	recHeight  = 48  // the recognizer's input height
	recStep    = 8   // pixels of width for each step of its output
	minWidth   = 96  // narrower inputs have too few steps for nine characters
	maxWidth   = 480 // wider ones are no plates; bounds the work
	rawMinimum = 1e-3
)

// recognize reads one rectified quad. stretch widens the input against the
// quad's own proportions: more steps tell repeated characters apart. Where the
// region is not china, a Chinese character counts as no character.
func (r *Reader) recognize(img *imaging.RGB, q quad, stretch float64, china bool) (*emission, error) {
	across := (q[3].sub(q[0]).len() + q[2].sub(q[1]).len()) / 2
	along := (q[1].sub(q[0]).len() + q[2].sub(q[3]).len()) / 2
	if across < 1 || along < 1 {
		return nil, nil
	}
	w := int(along/across*recHeight*stretch+recStep-1) / recStep * recStep
	w = min(max(w, minWidth), maxWidth)
	n := 3 * recHeight * w
	if cap(r.recBuf) < n {
		r.recBuf = make([]float32, 3*recHeight*maxWidth)
	}
	in := r.recBuf[:n]
	if !rectify(in, img, q, w, recHeight) {
		return nil, nil
	}
	return r.recognizeInput(in, w, china)
}

func (r *Reader) recognizeInput(in []float32, w int, china bool) (*emission, error) {
	out, err := r.models.Recognizer.Run(ort.Tensor{Shape: []int64{1, 3, recHeight, int64(w)}, Data: in})
	if err != nil {
		return nil, fmt.Errorf("the text recognizer fails: %w", err)
	}
	if len(out) != 1 || len(out[0].Shape) != 3 || int(out[0].Shape[2]) != r.alphabet.classes {
		return nil, fmt.Errorf("the text recognizer does not have the dictionary's %d classes: model and dictionary do not belong together", r.alphabet.classes)
	}
	return r.alphabet.emission(out[0].Data, china), nil
}

// emission maps the recognizer's probabilities, steps × classes, to symbols.
func (a *alphabet) emission(prob []float32, china bool) *emission {
	steps := len(prob) / a.classes
	e := &emission{blank: make([]float32, steps), sym: make([]float32, steps*len(symbolRunes))}
	var raw strings.Builder
	var sum float64
	count, before := 0, 0
	for t := range steps {
		p := prob[t*a.classes : (t+1)*a.classes]
		row := e.at(t)
		blank, top := p[0], 0
		for c, v := range p {
			if v < rawMinimum {
				continue
			}
			if v > p[top] {
				top = c
			}
			if c == 0 {
				continue
			}
			blank += v * a.skip[c]
			if !china && a.han[c] {
				blank += v
				continue
			}
			for _, s := range a.shares[c] {
				row[s.sym] += v * s.p
			}
		}
		e.blank[t] = blank
		if top != 0 && top != before {
			raw.WriteString(a.text[top])
			sum += float64(p[top])
			count++
		}
		before = top
	}
	e.raw = raw.String()
	if count > 0 {
		e.sure = sum / float64(count)
	}
	return e
}
