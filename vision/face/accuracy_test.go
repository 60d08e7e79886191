package face

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/vision/imaging"
	"gatehouse/vision/models"
)

// labelled is one row of an evaluation set: a path and the columns after it.
type labelled struct {
	path   string
	fields []string
}

// evalSet returns the rows of an evaluation set outside the project, or skips.
func evalSet(t *testing.T, name string) (dir string, rows []labelled) {
	t.Helper()
	if os.Getenv("GATEHOUSE_ACCURACY") == "" {
		t.Skip("test/accuracy measures this through the command; set GATEHOUSE_ACCURACY=1 to see every stage")
	}
	dir = filepath.Join("..", "..", "..", "shared", "evaldata", name)
	data, err := os.ReadFile(filepath.Join(dir, "LABELS.tsv"))
	if err != nil {
		t.Skipf("the evaluation set %s is not here", name)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n")[1:] {
		f := strings.Split(line, "\t")
		rows = append(rows, labelled{f[0], f[1:]})
	}
	return dir, rows
}

func decodeFile(t *testing.T, path string) *imaging.RGB {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := imaging.Decode(data, imaging.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// described is one photo of the identification set.
type described struct {
	identity, role string
	template       []float32 // nil: no face found
}

func describeSet(t *testing.T, e *Engine) (all []described, times []time.Duration) {
	dir, rows := evalSet(t, "faces")
	for _, r := range rows {
		img := decodeFile(t, filepath.Join(dir, r.path))
		start := time.Now()
		faces := see(t, e, img, Options{Template: true})
		times = append(times, time.Since(start))
		d := described{identity: r.fields[0], role: r.fields[1]}
		if at := Main(faces, img.W, img.H); at >= 0 {
			d.template = faces[at].Template
		}
		all = append(all, d)
	}
	return all, times
}

// TestIdentificationAccuracy measures one-photo enrolment and checks the registry's
// calibration against the one that this set gives. The floors leave room for other
// rows of the same set.
func TestIdentificationAccuracy(t *testing.T) {
	e := engine(t)
	all, times := describeSet(t, e)
	var gallery []described
	for _, d := range all {
		if d.role == "enrol" && d.template != nil {
			gallery = append(gallery, d)
		}
	}
	threshold := models.Threshold(len(gallery))
	var impostors, strangers, mates []float32
	probes, missed, wrong, noFace := 0, 0, 0, 0
	for _, d := range all {
		if d.template == nil {
			noFace++
		}
		if d.role == "enrol" {
			continue
		}
		best, who := float32(-1), ""
		for _, g := range gallery {
			s := Similarity(d.template, g.template)
			if g.identity != d.identity && d.template != nil {
				impostors = append(impostors, s)
			}
			if s > best {
				best, who = s, g.identity
			}
		}
		if d.role == "stranger" {
			strangers = append(strangers, best)
			continue
		}
		probes++
		switch {
		case who != d.identity:
			wrong++
			mates = append(mates, -1)
		default:
			mates = append(mates, best)
		}
		if who != d.identity || best < threshold {
			missed++
		}
	}
	slices.Sort(strangers)
	slices.Sort(times)
	share := func(v []float32, above bool, th float32) float64 {
		n := 0
		for _, s := range v {
			if (s >= th) == above {
				n++
			}
		}
		return float64(n) / float64(len(v))
	}
	at := func(fpir float64) float32 { // the smallest threshold with at most this FPIR
		k := int(fpir * float64(len(strangers)))
		return strangers[len(strangers)-1-k] + 1e-6
	}
	fnir, fpir := float64(missed)/float64(probes), share(strangers, true, threshold)
	t.Logf("gallery %d, probes %d, strangers %d, no face %d, rank-1 %.4f", len(gallery), probes, len(strangers), noFace, 1-float64(wrong)/float64(probes))
	t.Logf("FNIR at FPIR 1 %%: %.4f (threshold %.3f), at 10 %%: %.4f (%.3f)", share(mates, false, at(0.01)), at(0.01), share(mates, false, at(0.1)), at(0.1))
	t.Logf("at the registry's threshold %.3f: FPIR %.4f, FNIR %.4f", threshold, fpir, fnir)
	t.Logf("ms an image without liveness: p50 %.1f, p99 %.1f", times[len(times)/2].Seconds()*1e3, times[len(times)*99/100].Seconds()*1e3)
	c, err := Calibrate(impostors, models.FaceCalibration.Budget)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("calibration of this set: %+v", c)
	for _, n := range []int{1, 10, 100, len(gallery), 1000, 10_000, 100_000} {
		t.Logf("threshold for %6d people: %.3f here, %.3f registered", n, c.Threshold(n), models.Threshold(n))
	}
	for _, th := range []float32{0.3, 0.35, 0.4, 0.45, 0.5} {
		t.Logf("threshold %.2f: pairs above, observed %.6f, modelled %.6f; FPIR observed %.4f; FNIR %.4f", th, share(impostors, true, th), c.FalseMatchRate(float64(th)), share(strangers, true, th), share(mates, false, th))
	}
	if r := models.FaceCalibration; r.Gallery == len(gallery) && (math.Abs(r.FNIR-fnir) > 0.01 || math.Abs(r.FPIR-fpir) > 0.01) {
		t.Errorf("the registry says FPIR %.4f, FNIR %.4f", r.FPIR, r.FNIR)
	}
	if fpir > 0.02 || fnir > 0.08 {
		t.Errorf("at the registry's threshold: FPIR %.4f (at most 0.02), FNIR %.4f (at most 0.08)", fpir, fnir)
	}
	if f := share(mates, false, at(0.01)); f > 0.05 {
		t.Errorf("FNIR at FPIR 1 %% is %.4f, above 0.05", f)
	}
	if noFace > 0 {
		t.Errorf("no face in %d of %d photos", noFace, len(all))
	}
	for _, n := range []int{100, len(gallery), 1000} {
		if d := c.Threshold(n) - models.Threshold(n); d > 0.03 || d < -0.03 {
			t.Errorf("the registered threshold for %d people is off by %.3f from this set's: calibrate again", n, d)
		}
	}
}

// TestLivenessAccuracy measures the registry's fixed threshold on the two attack
// sets: per frame, and per clip where there are clips. The floors only catch a
// broken model or preprocessing; they are not what a door may rely on.
func TestLivenessAccuracy(t *testing.T) {
	for _, c := range []struct {
		set     string
		clips   bool
		maxACER float64 // of single frames
	}{{"spoof-clips", true, 0.18}, {"spoof-print", false, 0.22}} {
		t.Run(c.set, func(t *testing.T) {
			e := engine(t)
			dir, rows := evalSet(t, c.set)
			clips := map[string][]float32{}
			label := map[string]string{}
			var real, attack, passedAttacks, refusedReal, noFace int
			for _, r := range rows {
				img := decodeFile(t, filepath.Join(dir, r.path))
				faces := see(t, e, img, Options{Live: true})
				score := float32(-1) // no face: nothing passes
				if at := Main(faces, img.W, img.H); at >= 0 {
					score = faces[at].Live
				} else {
					noFace++
				}
				clips[r.fields[1]] = append(clips[r.fields[1]], score)
				label[r.fields[1]] = r.fields[0]
				live := score >= models.LiveThreshold
				if r.fields[0] == "real" {
					real++
					if !live {
						refusedReal++
					}
				} else {
					attack++
					if live {
						passedAttacks++
					}
				}
			}
			apcer, bpcer := float64(passedAttacks)/float64(attack), float64(refusedReal)/float64(real)
			t.Logf("frames: %d real, %d attack, %d without a face; APCER %.3f, BPCER %.3f, ACER %.3f", real, attack, noFace, apcer, bpcer, (apcer+bpcer)/2)
			if acer := (apcer + bpcer) / 2; acer > c.maxACER {
				t.Errorf("ACER %.3f, above %.3f", acer, c.maxACER)
			}
			if !c.clips {
				return
			}
			for name, scores := range clips {
				fused := JudgeLiveness(scores)
				t.Logf("a clip labelled %s: fused %.3f over %d frames", label[name], fused, len(scores))
				if (fused >= models.LiveThreshold) != (label[name] == "real") {
					t.Errorf("a clip labelled %s is judged wrong: %.3f", label[name], fused)
				}
			}
		})
	}
}
