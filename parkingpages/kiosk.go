package parkingpages

import "net/http"

// kiosk is the page of a screen at the lane: large, in both languages, without a keyboard.
// A phone pays by the QR code; whoever has none touches the plate and the time.
func (p *Pages) kiosk(w http.ResponseWriter, r *http.Request) {
	if p.closed(w, r) {
		return
	}
	p.kioskPage(w, r, http.StatusOK, "")
}

func (p *Pages) kioskPage(w http.ResponseWriter, r *http.Request, status int, wrong string) {
	now := p.Now().In(p.Location)
	k, enrolled := p.kioskOf(r)
	entry := enrolled && p.Kiosks.Entry(k.Gate)
	v := view{Kiosk: true, Again: "/pay/kiosk"}
	if wrong != "" {
		wrong = text(p.lang(r), wrong)
		v.Refresh, v.Then = 30, "/pay/kiosk?lang="+p.lang(r) // for the next driver
	}
	v.Page = touch{Help: enrolled && p.Help != nil, Entry: entry, Exit: enrolled && !entry && p.ShowTicket != nil, Wrong: wrong, Now: now.Format(typed), Today: now.Format("2006-01-02"), Rows: [][]rune{[]rune("1234567890"), []rune("QWERTYUIOP"), []rune("ASDFGHJKL"), []rune("ZXCVBNM")},
		Provinces: []rune("京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新")}
	p.show(w, r, status, "kiosk.html", v)
}

// touch is what a kiosk's keys are made of.
type touch struct {
	Help       bool
	Entry      bool // it gives tickets
	Exit       bool // it takes them
	Wrong      string
	Now, Today string
	Rows       [][]rune
	Provinces  []rune
}

// qr is the address of the page for phones, as a picture.
func (p *Pages) qr(w http.ResponseWriter, r *http.Request) {
	svg, err := qrSVG(p.BaseURL + "/pay")
	if err != nil {
		p.fails(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Cache-Control", "no-cache")
	_, _ = w.Write(svg)
}
