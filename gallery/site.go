package gallery

import (
	"math"
	"sync"

	"gatehouse"
)

// perChunk is how many rows lie together. Chunks make adding cheap (nothing big is
// ever copied) and are the steps of a scan, between which the scheduler may run.
const perChunk = 1024

// chunk holds up to perChunk rows, column by column.
type chunk struct {
	codes    []int8 // perChunk × padded dims
	code     [perChunk]code
	subjects [perChunk]gatehouse.SubjectID
	rows     [perChunk]gatehouse.ID
	vectors  []float32 // perChunk × dims, unit length
}

func (c *chunk) vector(k, dims int) []float32 { return c.vectors[k*dims : (k+1)*dims : (k+1)*dims] }

// site holds the templates of one site without gaps. mu guards everything; changing
// is held around it by whoever changes anything, so that a rotation can read for long
// while searches do.
type site struct {
	changing     sync.Mutex
	mu           sync.RWMutex
	rotation     *rotation // of templates and probes; nil for none; never changes
	retired      bool      // another site has taken this one's place
	dims, padded int
	n            int
	chunks       []*chunk
	index        map[gatehouse.ID]int // row to position
	scratch      sync.Pool            // of *scratch
}

// scratch is what one search needs.
type scratch struct {
	query []int16
	dots  [perChunk]int32
	upper []float32 // of every row: the most its similarity can be
}

func newSite(dims int) *site {
	padded := (dims + pad - 1) / pad * pad
	s := &site{dims: dims, padded: padded, index: map[gatehouse.ID]int{}}
	s.scratch.New = func() any { return &scratch{query: make([]int16, padded)} }
	return s
}

// retire empties the site for good and overwrites what it held. The caller holds
// both locks.
func (s *site) retire() {
	for _, c := range s.chunks {
		clear(c.vectors)
		clear(c.codes)
	}
	s.chunks, s.n, s.retired = nil, 0, true
	clear(s.index)
}

func (s *site) at(i int) (*chunk, int) { return s.chunks[i/perChunk], i % perChunk }

// put adds or replaces a row with unit vector v.
func (s *site) put(subject gatehouse.SubjectID, row gatehouse.ID, v []float32) {
	i, there := s.index[row]
	if !there {
		i = s.n
		s.n++
		if i == len(s.chunks)*perChunk {
			s.chunks = append(s.chunks, &chunk{
				codes:   make([]int8, perChunk*s.padded),
				vectors: make([]float32, perChunk*s.dims),
			})
		}
		s.index[row] = i
	}
	c, k := s.at(i)
	c.subjects[k], c.rows[k] = subject, row
	copy(c.vector(k, s.dims), v)
	c.code[k] = encode(c.codes[k*s.padded:(k+1)*s.padded], v)
}

// remove takes a subject's rows out; the last row moves into each gap.
func (s *site) remove(subject gatehouse.SubjectID) int {
	removed := 0
	for i := 0; i < s.n; {
		c, k := s.at(i)
		if c.subjects[k] != subject {
			i++
			continue
		}
		removed++
		delete(s.index, c.rows[k])
		last, j := s.at(s.n - 1)
		if last != c || j != k {
			c.subjects[k], c.rows[k], c.code[k] = last.subjects[j], last.rows[j], last.code[j]
			copy(c.vector(k, s.dims), last.vector(j, s.dims))
			copy(c.codes[k*s.padded:(k+1)*s.padded], last.codes[j*s.padded:(j+1)*s.padded])
			s.index[c.rows[k]] = i
		}
		clear(last.vector(j, s.dims))
		clear(last.codes[j*s.padded : (j+1)*s.padded])
		last.subjects[j], last.rows[j], last.code[j] = gatehouse.SubjectID{}, gatehouse.ID{}, code{}
		s.n--
		if j == 0 {
			s.chunks[len(s.chunks)-1] = nil
			s.chunks = s.chunks[:len(s.chunks)-1]
		}
	}
	return removed
}

// best keeps the greatest value and the greatest of any other subject.
type best struct {
	subject     gatehouse.SubjectID
	top, second float32
}

func newBest() best {
	low := float32(math.Inf(-1))
	return best{top: low, second: low}
}

// offer must be called only where v > b.second, which is rare.
func (b *best) offer(subject gatehouse.SubjectID, v float32) {
	switch {
	case subject == b.subject:
		b.top = max(b.top, v)
	case v > b.top:
		b.second, b.top, b.subject = b.top, v, subject
	default:
		b.second = v
	}
}

func (b *best) match() gatehouse.Match {
	return gatehouse.Match{Subject: b.subject, Similarity: b.top, Second: max(b.second, -1)}
}

// nearest scans the codes, then compares in float32 every row that could be the
// best or the best of another subject.
//
// Why none is missed: let low be the least that a row's similarity can be, and bar
// the second of the best lows, taken over different subjects. The exact best is at
// least the best low, and the exact best of another subject is at least bar (either
// of the two subjects that gave top and second is another than the winner). So both
// lie in rows whose upper bound reaches bar.
func (s *site) nearest(x []float32) gatehouse.Match {
	w := s.scratch.Get().(*scratch)
	defer s.scratch.Put(w)
	q := encode(w.query, x)
	if cap(w.upper) < s.n {
		w.upper = make([]float32, s.n+s.n/4)
	}
	w.upper = w.upper[:s.n]
	lows := newBest()
	for ci, c := range s.chunks {
		k := min(perChunk, s.n-ci*perChunk)
		dotRows(w.dots[:k], w.query, c.codes)
		upper := w.upper[ci*perChunk:][:k]
		for i := range upper {
			y := &c.code[i]
			near := q.scale * y.scale * float32(w.dots[i])
			// |x| is 1 to within slack; the constants round the bound up.
			bound := (y.err+q.err*y.norm)*(1+1e-5) + slack
			upper[i] = near + bound
			if low := near - bound; low > lows.second {
				lows.offer(c.subjects[i], low)
			}
		}
	}
	found := newBest()
	for i, u := range w.upper {
		if u < lows.second {
			continue
		}
		c, k := s.at(i)
		if v := dot(x, c.vector(k, s.dims)); v > found.second {
			found.offer(c.subjects[k], v)
		}
	}
	return found.match()
}

func (s *site) nearestExact(x []float32) gatehouse.Match {
	found := newBest()
	for i := range s.n {
		c, k := s.at(i)
		if v := dot(x, c.vector(k, s.dims)); v > found.second {
			found.offer(c.subjects[k], v)
		}
	}
	return found.match()
}
