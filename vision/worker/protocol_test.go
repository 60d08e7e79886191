package worker

import (
	"encoding/json"
	"reflect"
	"testing"

	"gatehouse"
	"gatehouse/vision/imaging"
)

func TestObservationSurvivesTheTrip(t *testing.T) {
	o := gatehouse.Observation{
		Width: 640, Height: 360, Still: []byte{1, 2},
		Faces: []gatehouse.FaceSeen{
			{Box: gatehouse.Box{X: 1, Y: 2, W: 3, H: 4}, Score: 0.5, Landmarks: [5]gatehouse.Point{{X: 1.5, Y: 2}}, Quality: gatehouse.FaceQuality{Yaw: -3, EyeDistance: 40}, Live: -1},
			{Template: []float32{0.6, -0.8}, Live: 0.25, Crop: []byte{3}},
		},
		Plates: []gatehouse.PlateSeen{{Box: gatehouse.Box{W: 9}, Quad: [4]gatehouse.Point{{X: 7}}, Crop: []byte{4, 5},
			Read: gatehouse.PlateRead{Text: "皖A12345", Region: "cn", Confidence: 0.9, Chars: []gatehouse.CharRead{{Char: '皖', Confidence: 0.8}}, Candidates: []gatehouse.PlateCandidate{{Text: "X", Confidence: 0.1}}}}},
	}
	header, blobs := pack(o)
	encoded, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	var back seen
	if err := json.Unmarshal(encoded, &back); err != nil {
		t.Fatal(err)
	}
	got, err := unpack(back, blobs)
	if err != nil || !reflect.DeepEqual(got, o) {
		t.Errorf("got  %+v\nwant %+v\n%v", got, o, err)
	}
}

// Whatever a compromised child answers, the parent gets an observation that makes
// sense or an error.
func FuzzUnpack(f *testing.F) {
	f.Add([]byte(`{"width":1,"height":1,"faces":[{"template":1,"crop":2}],"still":3}`), []byte{0, 0, 128, 63}, []byte{1})
	f.Add([]byte(`{"width":-1,"faces":[{"template":-7}]}`), []byte{}, []byte{})
	f.Add([]byte(`{"width":1,"height":1,"faces":[{"template":1}]}`), []byte{0, 0, 192, 127}, []byte{})
	f.Fuzz(func(t *testing.T, header, a, b []byte) {
		var s seen
		if json.Unmarshal(header, &s) != nil {
			return
		}
		o, err := unpack(s, [][]byte{a, b})
		if err != nil {
			if gatehouse.ErrorCode(err) != "vision.protocol" {
				t.Fatalf("another error: %v", err)
			}
			return
		}
		if o.Width <= 0 || o.Height <= 0 {
			t.Fatalf("an empty frame of %d×%d", o.Width, o.Height)
		}
		for _, face := range o.Faces {
			for _, x := range face.Template {
				if !(x >= -1.01 && x <= 1.01) {
					t.Fatalf("a template with %v in it", x)
				}
			}
		}
	})
}

func TestStillsAreSmallEnough(t *testing.T) {
	for _, c := range []struct{ w, h, wantW, wantH int }{
		{320, 240, 320, 240}, {960, 540, 960, 540}, {1280, 720, 640, 360}, {1920, 1080, 960, 540}, {3840, 2160, 960, 540}, {4000, 2, 800, 1},
	} {
		data, tile, err := encodeStill(imaging.New(c.w, c.h), false)
		if err != nil {
			t.Fatal(err)
		}
		if m, err := imaging.Decode(tile, imaging.Limits{}); err != nil || max(m.W, m.H) != min(320, max(c.wantW, c.wantH)) {
			t.Errorf("%d×%d became a tile of %d×%d: %v", c.w, c.h, m.W, m.H, err)
		}
		m, err := imaging.Decode(data, imaging.Limits{})
		if err != nil || m.W != c.wantW || m.H != c.wantH {
			t.Errorf("%d×%d became %d×%d: %v", c.w, c.h, m.W, m.H, err)
		}
	}
}

func TestPlateCropHidesFaces(t *testing.T) {
	m := imaging.New(800, 600)
	for y := range m.H {
		for x := range m.W {
			if (x/4+y/4)%2 == 0 {
				copy(m.Pix[3*(y*m.W+x):], []byte{255, 255, 255})
			}
		}
	}
	plate := gatehouse.Box{X: 350, Y: 400, W: 100, H: 25}
	driver := gatehouse.FaceSeen{Box: gatehouse.Box{X: 380, Y: 200, W: 60, H: 70}}
	contrast := func(faces ...gatehouse.FaceSeen) (spread int) {
		data, _, err := vehicleCrop(m, plate, faces)
		if err != nil {
			t.Fatal(err)
		}
		c, err := imaging.Decode(data, imaging.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		lo, hi := 255, 0
		for x := 235; x < 285; x++ { // the face's 380 to 440 in the crop, which begins at 150
			v := int(c.Pix[3*((235-131)*c.W+x)])
			lo, hi = min(lo, v), max(hi, v)
		}
		return hi - lo
	}
	if before, after := contrast(), contrast(driver); before < 150 || after > before/2 {
		t.Errorf("contrast where the driver's face is: %d without hiding, %d with", before, after)
	}
}
