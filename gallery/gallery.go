// Package gallery finds the enrolled face that is nearest to a template, among
// the templates of one site: 1:N, exact, in the gate's own process.
//
// The search scans int8 codes, a quarter of the memory of float32, and keeps every
// row that could still win given the error its rounding can have made at most; the
// few that remain are compared in float32. So the answer is that of an exact
// float32 search, always, and not merely most of the time.
package gallery

import (
	"cmp"
	"math"
	"slices"
	"sync"

	"gatehouse"
)

// Gallery holds the templates of any number of sites, which never meet. It is
// safe for concurrent use: searches run beside each other, and adding waits for
// the searches of that site that are under way (a few milliseconds).
type Gallery struct {
	dims      int
	mu        sync.RWMutex
	sites     map[gatehouse.Place]*site
	rotations sync.Map // first bytes of a seed -> *rotation
}

var _ gatehouse.Gallery = (*Gallery)(nil)

// New makes an empty gallery for templates of dims numbers (1 to 65,536), the
// registry's dimension. It panics on any other dims.
func New(dims int) *Gallery {
	if dims < 1 || dims > 1<<16 {
		panic("gallery: dims out of range")
	}
	return &Gallery{dims: dims, sites: map[gatehouse.Place]*site{}}
}

// Add puts one template of a subject into a site's gallery, turned by the site's seed
// (Turn) if it has one; a subject may have several. A row that is there already is
// replaced, whosever it was. The template is copied and scaled to unit length. Errors: template.malformed for another
// dimension, for zeros and for what is not finite.
func (g *Gallery) Add(place gatehouse.Place, subject gatehouse.SubjectID, row gatehouse.ID, template []float32) error {
	v, ok := g.unit(template)
	if !ok {
		return gatehouse.Errorf("template.malformed", "make it again with the model of the registry", "a template must be %d finite numbers that are not all zero", g.dims)
	}
	s := g.change(place)
	defer s.changing.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(subject, row, v)
	return nil
}

// change returns the site, made if it is not there, for the caller alone to change;
// the caller unlocks changing.
func (g *Gallery) change(place gatehouse.Place) *site {
	for {
		g.mu.Lock()
		s := g.sites[place]
		if s == nil {
			s = newSite(g.dims)
			g.sites[place] = s
		}
		g.mu.Unlock()
		s.changing.Lock()
		if !s.retired {
			return s
		}
		s.changing.Unlock() // another has taken its place meanwhile
	}
}

// Rotate sets the seed of the site's secret rotation: from now on templates are given
// to Add as Turn makes them, and probes are turned before they are compared. What the
// site holds already is turned along, while searches go on with what was there; no
// answer changes but for rounding (a few units of 1e-7). A zero seed turns nothing.
func (g *Gallery) Rotate(place gatehouse.Place, seed [32]byte) {
	old := g.change(place)
	defer old.changing.Unlock()
	s := newSite(g.dims)
	s.rotation = g.rotationOf(seed)
	for i := range old.n {
		c, k := old.at(i)
		v, _ := unit(s.rotation.turn(old.rotation.turnBack(c.vector(k, g.dims)))) // of length 1 already, but for rounding
		s.put(c.subjects[k], c.rows[k], v)
	}
	g.mu.Lock()
	g.sites[place] = s
	g.mu.Unlock()
	old.mu.Lock() // the last searches of the old have ended
	defer old.mu.Unlock()
	old.retire()
	g.rotations.Clear()
}

// Turn returns a template that was turned by the seed from as the seed to turns it; a
// zero seed stands for the template as the model made it. A template of another
// dimension comes back as it is.
func (g *Gallery) Turn(template []float32, from, to [32]byte) []float32 {
	if len(template) != g.dims || from == to {
		return template
	}
	return g.rotationOf(to).turn(g.rotationOf(from).turnBack(template))
}

// Remove takes all templates of a subject out of a site's gallery, overwrites
// them in memory, and says how many there were.
func (g *Gallery) Remove(place gatehouse.Place, subject gatehouse.SubjectID) int {
	if g.site(place) == nil {
		return 0
	}
	s := g.change(place)
	defer s.changing.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.remove(subject)
}

// Size is the number of templates of the site.
func (g *Gallery) Size(place gatehouse.Place) int {
	s := g.read(place)
	if s == nil {
		return 0
	}
	defer s.mu.RUnlock()
	return s.n
}

// Nearest returns the subject whose template has the greatest cosine with the
// given one, and the greatest cosine of any other subject. Of templates that are
// equally near, the one that stands first in the gallery wins. ok is false for an
// empty gallery and for a template that Add would refuse.
func (g *Gallery) Nearest(place gatehouse.Place, template []float32) (m gatehouse.Match, ok bool) {
	return g.search(place, template, (*site).nearest)
}

// NearestExact gives the same answer by comparing every template in float32. It is
// what Nearest is measured against and takes about ten times as long.
func (g *Gallery) NearestExact(place gatehouse.Place, template []float32) (m gatehouse.Match, ok bool) {
	return g.search(place, template, (*site).nearestExact)
}

func (g *Gallery) search(place gatehouse.Place, template []float32, f func(*site, []float32) gatehouse.Match) (gatehouse.Match, bool) {
	v, ok := g.unit(template)
	if !ok {
		return gatehouse.Match{}, false
	}
	s := g.read(place)
	if s == nil {
		return gatehouse.Match{}, false
	}
	defer s.mu.RUnlock()
	if s.n == 0 {
		return gatehouse.Match{}, false
	}
	return f(s, s.rotation.turn(v)), true
}

// Similarities are the cosines (-1..1) of the template with each of the subject's
// templates, greatest first; nil where the subject has none in this site or the
// template is malformed.
func (g *Gallery) Similarities(place gatehouse.Place, template []float32, subject gatehouse.SubjectID) []float32 {
	v, ok := g.unit(template)
	if !ok {
		return nil
	}
	s := g.read(place)
	if s == nil {
		return nil
	}
	defer s.mu.RUnlock()
	v = s.rotation.turn(v)
	var out []float32
	for i := range s.n {
		c, k := s.at(i)
		if c.subjects[k] == subject {
			out = append(out, dot(v, c.vector(k, g.dims)))
		}
	}
	slices.SortFunc(out, func(a, b float32) int { return cmp.Compare(b, a) })
	return out
}

func (g *Gallery) site(place gatehouse.Place) *site {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.sites[place]
}

// read returns the site with its lock held for reading, nil where there is none.
func (g *Gallery) read(place gatehouse.Place) *site {
	for {
		s := g.site(place)
		if s == nil {
			return nil
		}
		s.mu.RLock()
		if !s.retired {
			return s
		}
		s.mu.RUnlock() // another has taken its place meanwhile
	}
}

func (g *Gallery) unit(template []float32) ([]float32, bool) {
	if len(template) != g.dims {
		return nil, false
	}
	for _, x := range template {
		if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			return nil, false
		}
	}
	return unit(template)
}
