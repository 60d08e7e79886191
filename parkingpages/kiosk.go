package parkingpages

import (
	"bytes"
	"fmt"
	"net/http"

	"github.com/boombuler/barcode/qr"
)

// kiosk is the page of a screen at the lane: large, in both languages, without a keyboard.
// A phone pays by the QR code; whoever has none touches the plate and the time.
func (p *Pages) kiosk(w http.ResponseWriter, r *http.Request) {
	if p.closed(w, r) {
		return
	}
	now := p.Now().In(p.Location)
	p.show(w, r, http.StatusOK, "kiosk.html", view{Kiosk: true, Again: "/pay/kiosk", Page: touch{Now: now.Format(typed), Today: now.Format("2006-01-02"), Rows: [][]rune{[]rune("1234567890"), []rune("QWERTYUIOP"), []rune("ASDFGHJKL"), []rune("ZXCVBNM")},
		Provinces: []rune("京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新")}})
}

// touch is what a kiosk's keys are made of.
type touch struct {
	Now, Today string
	Rows       [][]rune
	Provinces  []rune
}

// qr is the address of the page for phones, as a picture.
func (p *Pages) qr(w http.ResponseWriter, r *http.Request) {
	code, err := qr.Encode(p.BaseURL+"/pay", qr.M, qr.Auto)
	if err != nil {
		p.fails(w, r, err)
		return
	}
	n := code.Bounds().Dx()
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-4 -4 %d %d" shape-rendering="crispEdges"><path fill="#fff" d="M-4-4h%dv%dh-%dz"/><path d="`, n+8, n+8, n+8, n+8, n+8)
	for y := range n {
		for x := range n {
			if c, _, _, _ := code.At(x, y).RGBA(); c == 0 {
				fmt.Fprintf(&b, "M%d %dh1v1h-1z", x, y)
			}
		}
	}
	b.WriteString(`"/></svg>`)
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(b.Bytes())
}
