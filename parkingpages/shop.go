package parkingpages

import (
	"bytes"
	"context"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/boombuler/barcode/qr"

	"gatehouse"
	"gatehouse/auth"
)

// Shops are the pages of shops that give their customers something toward their stays;
// flow/stay has them. A shop learns nothing of any stay, also not whether a code was used by
// whom: it makes codes, and drivers show them.
type Shops interface {
	ShopOf(code string) (gatehouse.Shop, bool)
	Shops() []gatehouse.ShopUse
	// MakeCodes: parking.shop_budget.
	MakeCodes(ctx context.Context, shop gatehouse.ID, n int) ([]gatehouse.Secret, error)
	// UseCode: parking.code_unknown, parking.code_used, parking.code_expired,
	// parking.code_most, parking.validation.
	UseCode(ctx context.Context, stay gatehouse.ID, code string) (gatehouse.Validation, error)
}

func (p *Pages) shopRoutes() []auth.Route {
	return []auth.Route{
		{Pattern: "GET /pay/shop", Policy: auth.Public, Handler: p.shopPage},
		{Pattern: "POST /pay/shop", Policy: auth.Public, Handler: p.enterShop},
		{Pattern: "POST /pay/shop/codes", Policy: auth.Public, Handler: p.makeCodes},
		{Pattern: "POST /pay/shop/leave", Policy: auth.Public, Handler: p.leaveShop},
		{Pattern: "POST /pay/stay/{key}/code", Policy: auth.Public, Handler: p.useCode},
	}
}

// shopOf is the shop whose page a browser has open. Its cookie is the link's code: who takes
// the link away closes every browser with it.
func (p *Pages) shopOf(r *http.Request) (u gatehouse.ShopUse, code string, ok bool) {
	if code = cookieOf(r, shopCookie); p.Shops == nil || code == "" {
		return u, "", false
	}
	x, ok := p.Shops.ShopOf(code)
	if !ok {
		return u, "", false
	}
	all := p.Shops.Shops()
	at := slices.IndexFunc(all, func(u gatehouse.ShopUse) bool { return u.ID == x.ID })
	if at < 0 {
		return u, "", false
	}
	return all[at], code, true
}

// shopView is a shop's page, and the codes that it has just made.
type shopView struct {
	gatehouse.ShopUse
	GivesText string
	Codes     []codeView
	Until     string
	Wrong     string
	Query     string
}

// codeView is one code to be printed.
type codeView struct {
	Text string
	QR   template.HTML // our own drawing
}

func (p *Pages) shopView(r *http.Request, u gatehouse.ShopUse) shopView {
	return shopView{ShopUse: u, GivesText: gives(u.Gives, p.lang(r)), Query: p.query(r)}
}

func (p *Pages) shopPage(w http.ResponseWriter, r *http.Request) {
	u, _, ok := p.shopOf(r)
	if !ok {
		p.askCode(w, r, http.StatusOK, "shop", "")
		return
	}
	p.show(w, r, http.StatusOK, "shop.html", view{Page: p.shopView(r, u)})
}

func (p *Pages) enterShop(w http.ResponseWriter, r *http.Request) {
	if p.Shops == nil {
		p.say(w, r, http.StatusNotFound, "closed.title", "closed")
		return
	}
	code, ok := p.code(w, r, "shop")
	if !ok {
		return
	}
	if _, ok := p.Shops.ShopOf(code); !ok {
		p.askCode(w, r, http.StatusNotFound, "shop", "code.wrong")
		return
	}
	setCookie(w, r, shopCookie, code, 365*24*time.Hour)
	http.Redirect(w, r, "/pay/shop"+p.query(r), http.StatusSeeOther)
}

func (p *Pages) leaveShop(w http.ResponseWriter, r *http.Request) {
	setCookie(w, r, shopCookie, "", -time.Second)
	http.Redirect(w, r, "/pay/shop"+p.query(r), http.StatusSeeOther)
}

// makeCodes makes codes and shows them, once, to be printed or shown to a customer.
func (p *Pages) makeCodes(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	u, _, ok := p.shopOf(r)
	if !ok {
		p.askCode(w, r, http.StatusUnauthorized, "shop", "")
		return
	}
	n, err := strconv.Atoi(r.PostFormValue("count"))
	if err != nil {
		n = 0 // refused as any wrong number
	}
	codes, err := p.Shops.MakeCodes(r.Context(), u.ID, n)
	v := p.shopView(r, u)
	status := http.StatusOK
	switch gatehouse.ErrorCode(err) {
	case "":
		v.Left -= len(codes)
		v.Until = p.day(p.Now().Add(7*24*time.Hour), p.lang(r))
	case "parking.shop_budget":
		v.Wrong, status = text(p.lang(r), "shop.budget"), http.StatusUnprocessableEntity
	default:
		p.fails(w, r, err)
		return
	}
	for _, c := range codes {
		svg, err := qrSVG(p.BaseURL + "/pay#v=" + c.Reveal())
		if err != nil {
			p.fails(w, r, err)
			return
		}
		v.Codes = append(v.Codes, codeView{c.Reveal(), template.HTML(svg)}) //nolint:gosec // drawn by qrSVG of digits and letters
	}
	p.show(w, r, status, "shop.html", view{Again: "/pay/shop", Page: v})
}

// useCode gives the stay that is shown what a shop's code gives.
func (p *Pages) useCode(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	key := r.PathValue("key")
	stay, ok := p.shown.get(key)
	if !ok || p.Shops == nil {
		p.say(w, r, http.StatusNotFound, "gone.title", "gone")
		return
	}
	said := func(_ int, said string) {
		http.Redirect(w, r, "/pay/stay/"+key+p.query(r)+"&code="+said, http.StatusSeeOther)
	}
	if !p.mayTry(w, r, "code.often", func(status int, _ string) { said(status, "often") }) {
		return
	}
	said(0, p.use(r, stay, r.PostFormValue("code")))
}

// use applies a code and gives the word by which a page says what became of it.
func (p *Pages) use(r *http.Request, stay gatehouse.ID, code string) string {
	if len(code) > 64 {
		return "unknown"
	}
	_, err := p.Shops.UseCode(r.Context(), stay, code)
	switch c := gatehouse.ErrorCode(err); c {
	case "":
		return "given"
	case "parking.code_unknown", "parking.code_used", "parking.code_expired", "parking.code_most":
		return c[len("parking.code_"):]
	case "parking.unknown_stay", "parking.validation":
		return "useless"
	default:
		p.Log.Warn("a shop's code could not be used", "code", c)
		return "failed"
	}
}

// codeWords are what use gives, each with a text.
var codeWords = []string{"given", "unknown", "used", "expired", "most", "useless", "often", "failed"}

// qrSVG draws a QR code.
func qrSVG(of string) ([]byte, error) {
	code, err := qr.Encode(of, qr.M, qr.Auto)
	if err != nil {
		return nil, err
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
	return b.Bytes(), nil
}
