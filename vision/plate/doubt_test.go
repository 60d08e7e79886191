package plate

import (
	"os"
	"slices"
	"testing"

	"gatehouse"
	"gatehouse/vision/imaging"
)

// TestDoubts prints how sure the reader is of characters that are right, and of those
// that are wrong in readings with one or two errors: what rules/parking/pairing takes its
// thresholds from, and lab/simulate its misreads. It asserts nothing.
func TestDoubts(t *testing.T) {
	if os.Getenv("GATEHOUSE_ACCURACY") == "" {
		t.Skip("set GATEHOUSE_ACCURACY=1 to see how sure the reader is")
	}
	r := newReader(t)
	var right []float64
	for _, set := range [][2]string{{"plates-cn-ccpd", "cn"}, {"plates-cn-easypr", "cn"}, {"plates-eu", "eu"}, {"plates-us", "us"}} {
		for _, s := range scenes(t, set[0]) {
			data, err := os.ReadFile(s.path)
			if err != nil {
				t.Fatal(err)
			}
			img, err := imaging.Decode(data, imaging.Limits{})
			if err != nil {
				continue
			}
			// Sharp pictures give few errors: blurred ones show what the reader does when it errs.
			for _, radius := range []int{0, 1, 2, 3} {
				blurred := &imaging.RGB{W: img.W, H: img.H, Pix: slices.Clone(img.Pix)}
				imaging.Blur(blurred, gatehouse.Box{W: img.W, H: img.H}, radius)
				found, err := r.Read(blurred, set[1])
				if err != nil {
					t.Fatal(err)
				}
				for _, f := range found {
					for _, label := range s.plates {
						wrong, ok := wrongAt(f.Read, label)
						switch {
						case !ok || len(wrong) > 2:
						case len(wrong) == 0 && radius == 0:
							for _, c := range f.Read.Chars {
								right = append(right, c.Confidence)
							}
						case len(wrong) > 0:
							named := slices.ContainsFunc(f.Read.Candidates, func(c gatehouse.PlateCandidate) bool { return c.Text == label })
							i := wrong[len(wrong)-1]
							t.Logf("%s, blur %d: %d wrong, %c for %c at %.3f, the truth named: %t", set[0], radius, len(wrong), f.Read.Chars[i].Char, []rune(label)[i], f.Read.Chars[i].Confidence, named)
						}
					}
				}
			}
		}
	}
	slices.Sort(right)
	for _, q := range []float64{0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5} {
		t.Logf("of %d right characters %.1f %% are below %.4f", len(right), 100*q, right[int(q*float64(len(right)))])
	}
}

// wrongAt lists the characters of a reading that differ from the label; not ok where they
// are of different lengths.
func wrongAt(read gatehouse.PlateRead, label string) (wrong []int, ok bool) {
	said, shown := []rune(read.Text), []rune(label)
	if len(said) != len(shown) || len(read.Chars) != len(said) {
		return nil, false
	}
	for i := range said {
		if said[i] != shown[i] {
			wrong = append(wrong, i)
		}
	}
	return wrong, true
}
