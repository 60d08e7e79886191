package workingset

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gatehouse"
	"gatehouse/gallery"
)

const dims = 64

// crashing is a disk that dies before its write number left; 0 for never.
type crashing struct {
	*disk
	left int
}

var errCrash = errors.New("the power is gone")

func (c *crashing) spend() error {
	if c.left > 0 {
		if c.left--; c.left == 0 {
			c.left = -1
		}
	}
	if c.left < 0 {
		return errCrash
	}
	return nil
}
func (c *crashing) PutWorking(ctx context.Context, items []gatehouse.WorkingItem) error {
	if err := c.spend(); err != nil {
		return err
	}
	return c.disk.PutWorking(ctx, items)
}
func (c *crashing) ReplaceWorking(ctx context.Context, items []gatehouse.WorkingItem) error {
	if err := c.spend(); err != nil {
		return err
	}
	return c.disk.ReplaceWorking(ctx, items)
}

func faces(n int) [][]float32 {
	r := rand.New(rand.NewPCG(1, 1))
	out := make([][]float32, n)
	for i := range out {
		out[i] = make([]float32, dims)
		var sq float64
		for k := range out[i] {
			out[i][k] = float32(r.NormFloat64())
			sq += float64(out[i][k]) * float64(out[i][k])
		}
		for k := range out[i] {
			out[i][k] /= float32(math.Sqrt(sq))
		}
	}
	return out
}

func subjectOf(i int) gatehouse.SubjectID { return gatehouse.SubjectID{byte(i), byte(i >> 8), 1} }

// open loads the set with a real gallery.
func open(t *testing.T, store gatehouse.WorkingStore, d *disk) (*Set, *gallery.Gallery) {
	t.Helper()
	g := gallery.New(dims)
	s, err := Load(t.Context(), site, store, d, g)
	if err != nil {
		t.Fatal(err)
	}
	return s, g
}

func enrolFaces(t *testing.T, s *Set, all [][]float32) {
	t.Helper()
	for i, f := range all {
		item, err := s.TemplateItem(subjectOf(i), f)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Put(t.Context(), []gatehouse.WorkingItem{item}); err != nil {
			t.Fatal(err)
		}
	}
}

func wantEverybody(t *testing.T, g *gallery.Gallery, all [][]float32, but ...int) {
	t.Helper()
	if g.Size(site) != len(all)-len(but) {
		t.Fatalf("%d templates, want %d", g.Size(site), len(all)-len(but))
	}
	for i, f := range all {
		m, ok := g.Nearest(site, f)
		if gone := slices.Contains(but, i); !ok || (m.Subject == subjectOf(i)) == gone || !gone && m.Similarity < 0.99999 {
			t.Fatalf("face %d (gone: %v): %+v %v", i, gone, m, ok)
		}
	}
}

// stored gives what lies on the disk of a person, and under which generation.
func stored(t *testing.T, d *disk, i int) (generation uint32, template []float32) {
	t.Helper()
	for _, item := range d.items {
		if item.Kind == gatehouse.TemplateItem && item.Subject == subjectOf(i) {
			plain, err := d.OpenWorking(item.Context(), item.Sealed)
			if err != nil {
				t.Fatal(err)
			}
			generation, template, ok := decodeTemplate(plain)
			if !ok {
				t.Fatal("a stored template is malformed")
			}
			return generation, template
		}
	}
	t.Fatal("the template is gone")
	return 0, nil
}

func cosine(a, b []float32) float64 {
	var s float64
	for i := range a {
		s += float64(a[i]) * float64(b[i])
	}
	return s
}

func TestRekeyTurnsWhatIsStored(t *testing.T) {
	d, all := &disk{}, faces(40)
	s, g := open(t, d, d)
	enrolFaces(t, s, all)
	_, before := stored(t, d, 7)
	if c := cosine(before, all[7]); math.Abs(c) > 0.6 {
		t.Errorf("the stored template compares with the face's: %.2f", c)
	}
	if n, err := s.Rekey(t.Context()); n != len(all) || err != nil {
		t.Fatalf("%d turned, %v", n, err)
	}
	wantEverybody(t, g, all)
	generation, after := stored(t, d, 7)
	if c := cosine(before, after); math.Abs(c) > 0.6 || generation != 2 {
		t.Errorf("generation %d compares with the one before at %.2f", generation, c)
	}
	s, g = open(t, d, d)
	wantEverybody(t, g, all)
	if current, previous := s.seeds(); current.generation != 2 || previous != (seed{}) {
		t.Error("the old seed is still kept")
	}
	// Another gallery of the same people compares with this one no better.
	d2 := &disk{}
	s2, _ := open(t, d2, d2)
	enrolFaces(t, s2, all)
	var sum float64
	for i := range all {
		_, a := stored(t, d, i)
		_, b := stored(t, d2, i)
		sum += cosine(a, b)
	}
	if mean := sum / float64(len(all)); math.Abs(mean) > 0.1 {
		t.Errorf("the same people in two galleries are %.2f alike on average", mean)
	}
}

// A rekey that is killed before any of its writes is finished by the next start, and
// so is the turning of a site from before there were seeds.
func TestARekeyIsKilledAnywhere(t *testing.T) {
	all := faces(3*rekeyBatch/2 + 10)
	plain := &disk{}
	for i, f := range all {
		item := gatehouse.WorkingItem{Place: site, Kind: gatehouse.TemplateItem, Subject: subjectOf(i), Row: gatehouse.RandomID()}
		item.Sealed, _ = plain.SealWorking(item.Context(), encodeTemplate(0, f)[templateHead:])
		plain.items = append(plain.items, item)
	}
	for _, old := range []bool{false, true} {
		crashes := 0
		for at := 1; ; at++ {
			d := &disk{items: slices.Clone(plain.items)}
			c := &crashing{disk: d}
			var err error
			if old {
				c.left = at
				_, err = Load(t.Context(), site, c, d, gallery.New(dims))
			} else {
				s, g := open(t, c, d)
				if i := slices.IndexFunc(d.items, func(i gatehouse.WorkingItem) bool { return i.Subject == subjectOf(5) }); i >= 0 && at%2 == 0 {
					s.templates.Lock() // as an erasure that goes past the set
					d.items = slices.Delete(d.items, i, i+1)
					g.Remove(site, subjectOf(5))
					s.templates.Unlock()
				}
				c.left = at
				_, err = s.Rekey(t.Context())
				if errors.Is(err, errCrash) {
					// The doors of the process that could not finish go on.
					if m, ok := g.Nearest(site, all[9]); !ok || m.Subject != subjectOf(9) {
						t.Fatalf("write %d failed and the doors know nobody", at)
					}
				}
			}
			if err != nil && !errors.Is(err, errCrash) {
				t.Fatal(err)
			}
			_, g := open(t, d, d)
			if !old && at%2 == 0 {
				wantEverybody(t, g, all, 5)
			} else {
				wantEverybody(t, g, all)
			}
			if err == nil {
				break
			}
			crashes++
		}
		if crashes < 3 {
			t.Errorf("only %d places to be killed at", crashes)
		}
	}
}

// What was made before a rekey and is stored after it is turned on the way.
func TestAnItemFromBeforeARekey(t *testing.T) {
	d, all := &disk{}, faces(3)
	s, g := open(t, d, d)
	enrolFaces(t, s, all[:2])
	late := gatehouse.WorkingItem{Place: site, Kind: gatehouse.TemplateItem, Subject: subjectOf(2), Row: gatehouse.RandomID()}
	late.Sealed, _ = d.SealWorking(late.Context(), encodeTemplate(0, all[2])[templateHead:])
	if _, err := s.Rekey(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Put(t.Context(), []gatehouse.WorkingItem{late}); err != nil {
			t.Fatal(err)
		}
	}
	wantEverybody(t, g, all)
	if generation, _ := stored(t, d, 2); generation != 2 {
		t.Errorf("stored under generation %d", generation)
	}
}

func TestDamagedSeedsStopTheStart(t *testing.T) {
	for name, plain := range map[string][]byte{"short": make([]byte, 35), "going back": append(append([]byte{0, 0, 0, 2}, make([]byte, 32)...), append([]byte{0, 0, 0, 1}, make([]byte, 32)...)...)} {
		d := &disk{}
		s, _ := open(t, d, d)
		item, _ := s.Item(galleryItem, gatehouse.SubjectID{}, galleryRow, plain)
		_ = d.PutWorking(t.Context(), []gatehouse.WorkingItem{item})
		if _, err := Load(t.Context(), site, d, d, gallery.New(dims)); gatehouse.ErrorCode(err) != "workingset.damaged" {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A template whose seed is lost cannot be compared: nobody is taken for it.
	d := &disk{}
	s, _ := open(t, d, d)
	enrolFaces(t, s, faces(1))
	d.items = slices.DeleteFunc(d.items, func(i gatehouse.WorkingItem) bool { return i.Kind == galleryItem })
	d.items[len(d.items)-1].Sealed, _ = d.SealWorking(d.items[len(d.items)-1].Context(), encodeTemplate(9, faces(1)[0]))
	if _, err := Load(t.Context(), site, d, d, gallery.New(dims)); gatehouse.ErrorCode(err) != "workingset.damaged" {
		t.Errorf("a lost seed: %v", err)
	}
}
