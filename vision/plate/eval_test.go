package plate

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/vision/imaging"
)

// evalData holds real scenes with labels; it is never part of the project.
const evalData = "../../../shared/evaldata"

type scene struct {
	path   string
	plates []string
}

// scenes reads a set's LABELS.tsv (path, plate; a scene may have several rows).
func scenes(t testing.TB, set string) []scene {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(evalData, set, "LABELS.tsv"))
	if err != nil {
		t.Skipf("no evaluation data at %s: nothing measured", evalData)
	}
	var out []scene
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Scan()
	for lines.Scan() {
		path, plate, ok := strings.Cut(lines.Text(), "\t")
		if !ok {
			t.Fatalf("%s: a line without a tab", set)
		}
		path = filepath.Join(evalData, set, path)
		if i := slices.IndexFunc(out, func(s scene) bool { return s.path == path }); i >= 0 {
			out[i].plates = append(out[i].plates, Normalize(plate))
		} else {
			out = append(out, scene{path, []string{Normalize(plate)}})
		}
	}
	return out
}

// TestEvaluation measures the whole reader on labelled scenes, decoding included,
// and holds it to floors a little below what was measured (docs/measurements.md).
// A picture that cannot be decoded counts as a scene without readings. Run with
// -v for the figures, under `taskset -c 0` for times on one core.
func TestEvaluation(t *testing.T) {
	if os.Getenv("GATEHOUSE_ACCURACY") == "" {
		t.Skip("test/accuracy measures this through the command; set GATEHOUSE_ACCURACY=1 to see each set by itself")
	}
	tests := []struct {
		set, region  string
		exact, false float64
	}{
		{"plates-cn-ccpd", "cn", 0.975, 0.05},
		{"plates-cn-easypr", "cn", 0.87, 0.05},
		{"plates-cn-special", "cn", 0.80, 0.10},
		{"plates-eu", "eu", 0.80, 0.16}, // a tenth of this set's labels have the letter O where the form has a digit
		{"plates-us", "us", 0.74, 0.06},
	}
	r := newReader(t)
	for _, tt := range tests {
		t.Run(tt.set, func(t *testing.T) {
			var plates, exact, wrong, undecodable int
			var times []time.Duration
			all := scenes(t, tt.set)
			for _, s := range all {
				data, err := os.ReadFile(s.path)
				if err != nil {
					t.Fatal(err)
				}
				plates += len(s.plates)
				start := time.Now()
				img, err := imaging.Decode(data, imaging.Limits{})
				if err != nil {
					undecodable++
					continue
				}
				found, err := r.Read(img, tt.region)
				if err != nil {
					t.Fatal(err)
				}
				times = append(times, time.Since(start))
				var texts []string
				for _, p := range found {
					texts = append(texts, p.Read.Text)
					if !slices.Contains(s.plates, p.Read.Text) {
						wrong++
					}
				}
				for _, p := range s.plates {
					if slices.Contains(texts, p) {
						exact++
					}
				}
			}
			slices.Sort(times)
			share, falseReadings := float64(exact)/float64(plates), float64(wrong)/float64(len(all))
			t.Logf("%d scenes (%d not decodable), %d plates, exact %.3f, false readings a scene %.3f, p50 %v, p99 %v",
				len(all), undecodable, plates, share, falseReadings,
				times[len(times)/2].Round(time.Millisecond), times[len(times)*99/100].Round(time.Millisecond))
			if share < tt.exact {
				t.Errorf("exact %.3f, at least %.3f expected", share, tt.exact)
			}
			if falseReadings > tt.false {
				t.Errorf("%.3f false readings a scene, at most %.3f expected", falseReadings, tt.false)
			}
		})
	}
}

// BenchmarkReadEmptyScene is the time for one decoded 1280×720 scene without any plate: the
// detector and nothing else.
func BenchmarkReadEmptyScene(b *testing.B) {
	r := newReader(b)
	img := imaging.New(1280, 720)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Read(img, "cn"); err != nil {
			b.Fatal(err)
		}
	}
}
