package plate

import (
	"image"
	"image/color"
	"image/draw"
	"testing"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"

	"gatehouse/vision/imaging"
)

// faces draws Chinese characters with one face and the rest with another: display
// fonts draw 5 like S and 7 like T, which no plate font does.
type faces struct{ han, latin font.Face }

func (f faces) draw(dst draw.Image, ink color.Color, text string, cx, baseline int) {
	d := font.Drawer{Dst: dst, Src: image.NewUniform(ink)}
	pick := func(r rune) font.Face {
		if r > 0x7f {
			return f.han
		}
		return f.latin
	}
	advance := fixed.I(0)
	for _, r := range text {
		advance += font.MeasureString(pick(r), string(r))
	}
	d.Dot = fixed.P(cx-advance.Ceil()/2, baseline)
	for _, r := range text {
		d.Face = pick(r)
		d.DrawString(string(r))
	}
}

// blank returns an empty plate.
func blank(width, height int, background color.Color) *image.RGBA {
	plate := image.NewRGBA(image.Rect(0, 0, width, height))
	draw.Draw(plate, plate.Bounds(), image.NewUniform(background), image.Point{}, draw.Src)
	return plate
}

// street puts a plate into a grey scene, its baseline falling by a pixel in every
// step columns, as a camera beside the lane sees it.
func street(plate image.Image, step int) *imaging.RGB {
	width, height := plate.Bounds().Dx(), plate.Bounds().Dy()
	scene := image.NewRGBA(image.Rect(0, 0, 960, 640))
	for y := range 640 {
		for x := range 960 {
			v := uint8(70 + (x*7+y*3)%9 + y/16)
			scene.SetRGBA(x, y, color.RGBA{v, v, v + 4, 255})
		}
	}
	for x := range width {
		for y := range height {
			scene.Set(360+x, 330+y+x/step, plate.At(x, y))
		}
	}
	return imaging.FromImage(scene)
}

// drawPlate renders a plate of one line in a scene.
func drawPlate(f faces, text string, background, ink color.RGBA) *imaging.RGB {
	plate := blank(240, 76, background)
	f.draw(plate, ink, text, 120, 57)
	return street(plate, 20)
}

func loadFaces(t testing.TB, size float64) faces {
	t.Helper()
	face := func(data []byte) font.Face {
		f, err := opentype.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		face, err := opentype.NewFace(f, &opentype.FaceOptions{Size: size, DPI: 72})
		if err != nil {
			t.Fatal(err)
		}
		return face
	}
	return faces{face(asset(t, "fonts", "ZCOOLQingKeHuangYou-Regular.ttf")), face(gobold.TTF)}
}

// Rendered plates of every region must come out exactly, with their classes.
func TestReadRenderedPlates(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the models")
	}
	r := newReader(t)
	f := loadFaces(t, 50)
	blue, yellow, green := color.RGBA{20, 60, 170, 255}, color.RGBA{235, 180, 30, 255}, color.RGBA{90, 190, 120, 255}
	white, black := color.RGBA{240, 240, 240, 255}, color.RGBA{15, 15, 15, 255}
	tests := []struct {
		text, region    string
		background, ink color.RGBA
		want, class     string
	}{
		{"京A 73825", "cn", blue, white, "京A73825", "cn-blue"},
		{"浙F 62Q97", "cn", yellow, black, "浙F62Q97", "cn-yellow"},
		{"苏ED37254", "cn", green, black, "苏ED37254", "cn-new-energy"},
		{"LS57 EBC", "eu", white, black, "LS57EBC", ""},
		{"RK 857 AN", "eu", white, black, "RK857AN", ""},
		{"7KFM385", "us", white, black, "7KFM385", ""},
		{"BRA2E74", "br", white, black, "BRA2E74", "br-mercosur"},
		{"KWN 2874", "any", white, black, "KWN2874", "br-old"},
	}
	exact := 0
	for _, tt := range tests {
		img := drawPlate(f, tt.text, tt.background, tt.ink)
		got, err := r.Read(img, tt.region)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != 1 || got[0].Read.Text != tt.want || got[0].Read.Class != tt.class {
			t.Logf("%s: %d plates %+v, want %s %s", tt.region, len(got), got, tt.want, tt.class)
			continue
		}
		exact++
	}
	if exact < len(tests)-1 {
		t.Errorf("%d of %d rendered plates were read", exact, len(tests))
	}

	// The same letters on a shop sign are no plate.
	for _, sign := range []string{"WELCOME", "FLOWERS", "PARKING"} {
		for _, region := range Regions() {
			got, err := r.Read(drawPlate(f, sign, white, black), region)
			if err != nil || len(got) != 0 {
				t.Errorf("%s: a sign was read as %d plates (%v)", region, len(got), err)
			}
		}
	}
}

// Plates with two lines must read as one text, the upper line first.
func TestReadTwoLinePlates(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the models")
	}
	r := newReader(t)
	white, yellow, black := color.RGBA{240, 240, 240, 255}, color.RGBA{235, 180, 30, 255}, color.RGBA{15, 15, 15, 255}
	tests := []struct {
		upper, lower, region string
		small, large         float64 // type sizes
		width, height        int
		background           color.RGBA
		want                 string
	}{
		{"BRA", "2E74", "br", 62, 62, 150, 120, white, "BRA2E74"}, // motorcycle
		{"KWN", "2874", "br", 31, 31, 75, 60, white, "KWN2874"},
		{"AB", "12 CDE", "eu", 55, 55, 190, 120, white, "AB12CDE"},
		{"浙F", "62Q97", "cn", 46, 75, 220, 110, yellow, "浙F62Q97"}, // lorry
	}
	for _, tt := range tests {
		plate := blank(tt.width, tt.height, tt.background)
		loadFaces(t, tt.small).draw(plate, black, tt.upper, tt.width/2, int(float64(tt.height)*0.06+tt.small*0.75))
		loadFaces(t, tt.large).draw(plate, black, tt.lower, tt.width/2, int(float64(tt.height)*0.94))
		got, err := r.Read(street(plate, 40), tt.region)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != 1 || got[0].Read.Text != tt.want {
			t.Errorf("%s: %d plates %+v, want %s", tt.region, len(got), got, tt.want)
		}
	}
}

// A plate seen from far aside has a steep baseline and upright characters.
func TestReadSteepPlate(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the models")
	}
	r := newReader(t)
	plate := blank(240, 76, color.RGBA{20, 60, 170, 255})
	loadFaces(t, 50).draw(plate, color.White, "京A 73825", 120, 57)
	for _, step := range []int{5, 3} { // 11 and 18 degrees
		got, err := r.Read(street(plate, step), "cn")
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != 1 || got[0].Read.Text != "京A73825" {
			t.Errorf("1 in %d: %d plates %+v", step, len(got), got)
		}
	}
}
