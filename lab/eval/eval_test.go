package eval

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatehouse"
)

// eyes see what a picture's own bytes say: each file of these tests holds JSON.
type eyes struct{}

type picture struct {
	Code   string    // an error instead
	Face   []float32 // the template's first numbers
	Live   *float32
	Plates []string
}

func (eyes) See(_ context.Context, img gatehouse.Image, l gatehouse.Look) (gatehouse.Observation, error) {
	var p picture
	if err := json.Unmarshal(img.Bytes, &p); err != nil {
		return gatehouse.Observation{}, err
	}
	if p.Code != "" {
		return gatehouse.Observation{}, gatehouse.Errorf(p.Code, "", "no picture")
	}
	o := gatehouse.Observation{Width: 100, Height: 100}
	if l.Faces && (p.Face != nil || p.Live != nil) {
		f := gatehouse.FaceSeen{Box: gatehouse.Box{X: 20, Y: 20, W: 60, H: 60}, Live: -1}
		if p.Face != nil {
			f.Template = make([]float32, templateDims())
			copy(f.Template, p.Face)
		}
		if p.Live != nil && l.Live {
			f.Live = *p.Live
		}
		o.Faces = append(o.Faces, f)
	}
	for _, text := range p.Plates {
		o.Plates = append(o.Plates, gatehouse.PlateSeen{Read: gatehouse.PlateRead{Text: text}})
	}
	return o, nil
}

// labelled makes a folder; files maps a path to its JSON.
func labelled(t *testing.T, labels string, files map[string]string) Options {
	t.Helper()
	dir := t.TempDir()
	if labels != "" {
		files[labelsFile] = labels
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Options{Dir: dir, Eyes: eyes{}}
}

func TestLabelErrorsNameTheLine(t *testing.T) {
	for _, c := range []struct{ name, labels, says string }{
		{"nothing", "", "there are no pictures"},
		{"only a header", "path\tidentity\trole\n", "there are no pictures"},
		{"no header", "a.jpg\tann\tenrol\n", `line 1: there is not exactly one column "path"`},
		{"a missing column", "path\tidentity\na.jpg\tann\n", `line 1: there is not exactly one column "role"`},
		{"a column twice", "path\tidentity\trole\trole\n", `line 1: there is not exactly one column "role"`},
		{"too few columns", "path\tidentity\trole\na.jpg\tann\tenrol\nb.jpg\tbob\n", "line 3: 2 columns, not 3"},
		{"an empty cell", "path\tidentity\trole\n\na.jpg\t\tenrol\n", `line 3: the column "identity" is empty`},
		{"a way out", "path\tidentity\trole\n../a.jpg\tann\tenrol\n", "line 2: the path leads out"},
		{"an absolute path", "path\tidentity\trole\n/etc/passwd\tann\tenrol\n", "line 2: the path leads out"},
		{"an endless line", "path\tidentity\trole\n" + strings.Repeat("x", maxLine+10), "line 2: the line is longer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parseLabels(strings.NewReader(c.labels), "identity", "role")
			if gatehouse.ErrorCode(err) != "eval.labels" || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want eval.labels saying %q", err, c.says)
			}
		})
	}
	rows, err := parseLabels(strings.NewReader("\ufeffrole\tpath\tmore\tidentity\r\nenrol\ta.jpg\tx\tann\r\n\r\n"), "identity", "role")
	if err != nil || len(rows) != 1 || rows[0].path != "a.jpg" || rows[0].field("identity") != "ann" || rows[0].line != 2 {
		t.Errorf("got %+v, %v", rows, err)
	}
}

func FuzzLabels(f *testing.F) {
	f.Add("path\tplate\na.jpg\tAB123\n")
	f.Add("\ufeffpath\tplate\r\n\r\n..\tx")
	f.Fuzz(func(t *testing.T, s string) {
		rows, err := parseLabels(strings.NewReader(s), "plate")
		if err != nil && gatehouse.ErrorCode(err) != "eval.labels" {
			t.Errorf("an error without its code: %v", err)
		}
		for _, r := range rows {
			if r.path == "" || filepath.IsAbs(r.path) || !filepath.IsLocal(r.path) {
				t.Errorf("accepted the path %q", r.path)
			}
		}
	})
}

func TestFacesFigures(t *testing.T) {
	o := labelled(t, "path\tidentity\trole\na1\tann\tenrol\nb1\tbob\tenrol\na2\tann\tprobe\nb2\tbob\tprobe\nb3\tbob\tprobe\nb4\tbob\tprobe\ns1\tsue\tstranger\ns2\tsam\tstranger\n",
		map[string]string{
			"a1": `{"Face":[1,0,0]}`, "b1": `{"Face":[0,1,0]}`,
			"a2": `{"Face":[0.9,0,0.43589]}`,   // right, 0.9
			"b2": `{"Face":[0,0.31,0.95074]}`,  // right, 0.31: below the registry's least threshold or not, it is found at rank 1
			"b3": `{"Face":[0.8,0.6,0]}`,       // taken for ann
			"b4": `{}`,                         // no face
			"s1": `{"Face":[0.2,0,0.9798]}`,    // 0.2 like ann
			"s2": `{"Code":"image.truncated"}`, // no picture
		})
	var warned bytes.Buffer
	o.Progress = &warned
	got, err := RunFaces(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if got.Gallery != 2 || got.Probes != 4 || got.Strangers != 2 || got.NoFace != 2 {
		t.Errorf("counts %+v", got)
	}
	if got.Rank1 != 0.5 {
		t.Errorf("rank1 %v, want a2 and b2 of four", got.Rank1)
	}
	// no stranger is to be accepted: the threshold is just above s1's 0.2
	if got.ThresholdAt1 < 0.1999 || got.ThresholdAt1 > 0.2001 || got.FNIRAt1 != 0.5 {
		t.Errorf("threshold %v, fnir %v", got.ThresholdAt1, got.FNIRAt1)
	}
	if got.FPIRAtRegistry != 0 || got.CI95.FPIRAtRegistry[0] != 0 || got.CI95.FPIRAtRegistry[1] < 0.5 {
		t.Errorf("fpir %v in %v: two strangers prove little", got.FPIRAtRegistry, got.CI95.FPIRAtRegistry)
	}
	if !strings.Contains(warned.String(), "image.truncated") {
		t.Error("nobody was told of the picture that could not be decoded")
	}
	fields := map[string]any{}
	b, _ := json.Marshal(got)
	_ = json.Unmarshal(b, &fields)
	for _, name := range []string{"images", "gallery", "probes", "strangers", "rank1", "fnir_at_fpir_1pct", "fnir_at_fpir_10pct", "threshold_at_fpir_1pct", "fnir_at_registry", "fpir_at_registry", "ci95", "no_face", "ms_per_image"} {
		if _, ok := fields[name]; !ok {
			t.Errorf("no field %s", name)
		}
	}
}

func TestFacesLabelsThatContradict(t *testing.T) {
	for name, labels := range map[string]string{
		"a role that does not exist":  "path\tidentity\trole\na\tann\tguest\n",
		"a stranger who is enrolled":  "path\tidentity\trole\na\tann\tenrol\na\tann\tstranger\n",
		"a probe of nobody":           "path\tidentity\trole\na\tann\tenrol\na\tbob\tprobe\n",
		"nobody but strangers":        "path\tidentity\trole\na\tann\tstranger\n",
		"a picture that is not there": "path\tidentity\trole\nmissing\tann\tenrol\n",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := RunFaces(t.Context(), labelled(t, labels, map[string]string{"a": `{"Face":[1]}`}))
			if gatehouse.ErrorCode(err) != "eval.labels" {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := RunFaces(t.Context(), labelled(t, "", map[string]string{})); gatehouse.ErrorCode(err) != "eval.labels" {
		t.Errorf("a folder without labels: %v", err)
	}
	if _, err := RunFaces(t.Context(), Options{Dir: filepath.Join(t.TempDir(), "none")}); gatehouse.ErrorCode(err) != "eval.folder" {
		t.Errorf("no folder: %v", err)
	}
}

func TestPlatesFigures(t *testing.T) {
	o := labelled(t, "path\tplate\none\tab-12 cd\ntwo\t皖A·12345\ntwo\tXY99\nnone\tZZ11\n",
		map[string]string{
			"one":  `{"Plates":["AB12CD"]}`,
			"two":  `{"Plates":["皖A12345","WRONG1","ＷＲＯＮＧ２"]}`,
			"none": `{}`,
		})
	var list bytes.Buffer
	o.Errors = &list
	got, err := RunPlates(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if got.Scenes != 3 || got.Plates != 4 || got.Exact != 0.5 || got.FalseReadings != round4(2.0/3) {
		t.Errorf("got %+v", got)
	}
	if want := "two\t皖A12345 XY99\t皖A12345 WRONG1 WRONG2\nnone\tZZ11\t\n"; list.String() != want {
		t.Errorf("the list of errors is %q", list.String())
	}
}

func TestLivenessFigures(t *testing.T) {
	files := map[string]string{"r1": `{"Live":0.9}`, "r2": `{"Live":0.8}`, "r3": `{"Live":0.1}`, "a1": `{"Live":0.1}`, "a2": `{"Live":0.95}`, "a3": `{"Live":0.1}`, "x": `{}`}
	t.Run("by clip", func(t *testing.T) {
		got, err := RunLiveness(t.Context(), labelled(t, "path\tlabel\tclip\tkind\nr1\treal\tR\t-\nr2\treal\tR\t-\nr3\treal\tR\t-\na1\tattack\tA\treplay\na2\tattack\tA\treplay\na3\tattack\tA\treplay\na2\tattack\tB\tprint\nx\tattack\tC\tprint\nx\treal\tD\t-\n", files))
		if err != nil {
			t.Fatal(err)
		}
		if got.Real != 2 || got.Attack != 3 || len(got.ByClip) != 5 {
			t.Fatalf("got %+v", got)
		}
		// B is taken for live, of three; the real clip without a face is turned away
		if got.APCER != round4(1.0/3) || got.BPCER != 0.5 || got.ACER != round4((1.0/3+0.5)/2) {
			t.Errorf("apcer %v bpcer %v acer %v", got.APCER, got.BPCER, got.ACER)
		}
		if len(got.ByKind) != 2 || got.ByKind[0] != (AttackSet{"replay", 1, 0, 0}) || got.ByKind[1] != (AttackSet{"print", 2, 1, 0.5}) {
			t.Errorf("by kind %+v", got.ByKind)
		}
		if c := got.ByClip[0]; c.Clip != "R" || c.Frames != 3 || c.Judged != 3 || !c.Live {
			t.Errorf("clip %+v", c)
		}
	})
	t.Run("by picture", func(t *testing.T) {
		got, err := RunLiveness(t.Context(), labelled(t, "path\tlabel\nr1\treal\nr3\treal\na1\tattack\na2\tattack\n", files))
		if err != nil || got.Real != 2 || got.Attack != 2 || got.APCER != 0.5 || got.BPCER != 0.5 || got.ByClip == nil || len(got.ByClip) != 0 {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	t.Run("a clip with two labels", func(t *testing.T) {
		_, err := RunLiveness(t.Context(), labelled(t, "path\tlabel\tclip\nr1\treal\tR\na1\tattack\tR\n", files))
		if gatehouse.ErrorCode(err) != "eval.labels" || !strings.Contains(err.Error(), "line 3") {
			t.Errorf("got %v", err)
		}
	})
}

func TestWilsonAgreesWithTables(t *testing.T) {
	// Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29
	for _, c := range []struct {
		k, n int
		want Interval
	}{{81, 263, Interval{0.2553, 0.3662}}, {15, 148, Interval{0.0624, 0.1605}}, {0, 20, Interval{0, 0.1611}}, {1, 29, Interval{0.0061, 0.1718}}} {
		if got := wilson(c.k, c.n); math.Abs(got[0]-c.want[0]) > 1e-4 || math.Abs(got[1]-c.want[1]) > 1e-4 {
			t.Errorf("%d of %d: %v, want %v", c.k, c.n, got, c.want)
		}
	}
}

func TestThresholdAtKeepsItsRate(t *testing.T) {
	strangers := make([]float32, 200)
	for i := range strangers {
		strangers[i] = float32(i) / 200
	}
	for _, rate := range []float64{0, 0.01, 0.1, 1} {
		th := thresholdAt(strangers, rate)
		n := 0
		for _, s := range strangers {
			if s >= th {
				n++
			}
		}
		if want := int(rate * 200); n != want {
			t.Errorf("at %v: %d of 200 strangers are accepted, want %d", rate, n, want)
		}
	}
}

func TestComparable(t *testing.T) {
	for in, want := range map[string]string{"ab-12 cd": "AB12CD", "皖A·12345": "皖A12345", "ＡＢ １２": "AB12", "a–b": "AB", " - · ": ""} {
		if got := Comparable(in); got != want {
			t.Errorf("Comparable(%q) = %q, want %q", in, got, want)
		}
	}
}
