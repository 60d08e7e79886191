package server

import (
	"bytes"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/console"
	"gatehouse/pay/stripe/stripetest"
)

// phone is somebody's browser at the drivers' pages of a site.
type phone struct {
	t    *testing.T
	base string
	http *http.Client
}

// driversSite is a site with a car park, Stripe's double and its drivers' pages.
func driversSite(t *testing.T) (*Server, *stripetest.Double, string) {
	t.Helper()
	t.Setenv("GATEHOUSE_SECRET_STRIPE", stripetest.Key)
	t.Setenv("GATEHOUSE_SECRET_STRIPE_WEBHOOK", stripetest.Secret)
	pay := stripetest.New()
	double := httptest.NewServer(pay)
	t.Cleanup(double.Close)
	c := carPark(t)
	c.Gates[1].Actuator.Kind, c.Paying.Stripe, c.Paying.Seller = "simulated", true, SellerConfig{Name: "North Parking Ltd", TaxNumber: "DE123"}
	s := open(t, c)
	s.opts.StripeURL = double.URL
	s.openBooks()
	s.books.Stays, s.stays.Books, s.stays.Passes = s.payable(), s.stayBooks(), s.books
	followed(t, s)
	tariff := strings.Replace(hourly, "exit_within: 15m", "exit_within: 15m\n    validations: 1", 1)
	if _, err := s.stays.PutTariff(t.Context(), []byte(tariff), "chief"); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	front := httptest.NewServer(mux)
	t.Cleanup(front.Close)
	pages, err := s.driverPages(front.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range pages.Routes() {
		mux.HandleFunc(r.Pattern, r.Handler)
	}
	return s, pay, front.URL
}

func newPhone(t *testing.T, base string) *phone {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &phone{t, base, &http.Client{Jar: jar}}
}

func (p *phone) do(r *http.Request, err error) (int, string) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
	resp, err := p.http.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func (p *phone) get(path string) (int, string) {
	p.t.Helper()
	return p.do(http.NewRequest(http.MethodGet, p.base+path, nil))
}

func (p *phone) post(path string, form url.Values) (int, string) {
	p.t.Helper()
	r, err := http.NewRequest(http.MethodPost, p.base+path, strings.NewReader(form.Encode()))
	if r != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return p.do(r, err)
}

func between(t *testing.T, page, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("no %s in %s", pattern, page)
	}
	return m[1]
}

// A driver opens the page by a link, pays for another month and puts money on a pass, and
// takes an invoice. Nothing that was typed of the buyer lies in the open afterwards.
func TestADriversAccount(t *testing.T) {
	s, pay, base := driversSite(t)
	vehicle := enrolVehicle(t, s, "AB12CDE", "Fleet 7")
	until := time.Now().Add(48 * time.Hour).UTC().Truncate(time.Minute)
	season, err := s.stays.PutPass(t.Context(), vehicle, gatehouse.Pass{Kind: gatehouse.SeasonPass, Name: "Monthly", From: time.Now().Add(-time.Hour), Until: until, Price: gatehouse.Money{Minor: 11900, Currency: "EUR"}, Tax: 1900}, "chief")
	if err != nil {
		t.Fatal(err)
	}
	purse, err := s.stays.PutPass(t.Context(), vehicle, gatehouse.Pass{Kind: gatehouse.ValuePass, Name: "Purse", From: time.Now(), Value: gatehouse.Money{Currency: "EUR"}}, "chief")
	if err != nil {
		t.Fatal(err)
	}
	account, err := s.stays.OpenAccountFor(t.Context(), vehicle, false, "chief")
	if err != nil {
		t.Fatal(err)
	}
	code, err := s.stays.LinkAccount(t.Context(), account.ID, "chief")
	if err != nil {
		t.Fatal(err)
	}
	mine, other := newPhone(t, base), newPhone(t, base)
	if status, page := mine.get("/pay/account?lang=zh"); status != http.StatusOK || !strings.Contains(page, "编码") || strings.Contains(page, "Fleet 7") {
		t.Fatalf("without a cookie: %d %s", status, page)
	}
	if status, page := mine.post("/pay/account?lang=en", url.Values{"code": {code.Reveal()}}); status != http.StatusOK || !strings.Contains(page, "Fleet 7") || strings.Contains(page, "AB12CDE") {
		t.Fatalf("%d %s", status, page)
	}
	if status, _ := other.post("/pay/account", url.Values{"code": {code.Reveal()}}); status != http.StatusNotFound {
		t.Errorf("the same code again: %d", status)
	}
	for _, path := range []string{"/pay/account/receipts", "/pay/account"} {
		if _, page := other.get(path); strings.Contains(page, "Fleet 7") || strings.Contains(page, "Monthly") {
			t.Errorf("%s shows somebody else's", path)
		}
	}
	if status, _ := other.post("/pay/account/passes/"+season.ID.String()+"/renew", nil); status != http.StatusUnauthorized {
		t.Errorf("somebody else renews: %d", status)
	}
	if status, _ := mine.post("/pay/account/passes/"+gatehouse.RandomID().String()+"/renew", nil); status != http.StatusNotFound {
		t.Errorf("another's pass: %d", status)
	}

	buy := func(path string, form url.Values, want string) string {
		t.Helper()
		status, page := mine.post(path, form)
		if status != http.StatusOK || !strings.Contains(page, want) || strings.Contains(page, "Came in") {
			t.Fatalf("what is ordered: %d %s", status, page)
		}
		key := between(t, page, `action="(/pay/stay/[^"?]+/pay)`)
		_, page = mine.post(key+"?lang=en", url.Values{"way": {"stripe"}})
		pay.Pay(between(t, page, `id="go" href="[^"]*/([^/"]+)"`))
		asked := pay.Asked()
		receipt := strings.TrimPrefix(asked[len(asked)-1].Get("success_url"), base)
		_, page = mine.get(receipt)
		return page
	}
	if page := buy("/pay/account/passes/"+season.ID.String()+"/renew?lang=en", nil, "119.00 EUR"); !strings.Contains(page, "19.00 EUR") || !strings.Contains(page, "Monthly, until") {
		t.Errorf("its receipt: %s", page)
	}
	if status, _ := mine.post("/pay/account/passes/"+purse.ID.String()+"/top-up", url.Values{"amount": {"-5"}, "currency": {"EUR"}}); status != http.StatusUnprocessableEntity {
		t.Errorf("a negative amount: %d", status)
	}
	buy("/pay/account/passes/"+purse.ID.String()+"/top-up?lang=en", url.Values{"amount": {"25.00"}, "currency": {"EUR"}}, "25.00 EUR")
	_, page := mine.get("/pay/account?lang=en")
	if !strings.Contains(page, "25.00 EUR") || !strings.Contains(page, until.AddDate(0, 0, 27).Format("Jan 2006")) && !strings.Contains(page, until.AddDate(0, 0, 31).Format("Jan 2006")) {
		t.Errorf("afterwards: %s", page)
	}
	a, err := s.stays.Account(t.Context(), account.ID)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range a.Passes {
		if p.ID == season.ID && !p.Until.After(until.Add(27*24*time.Hour)) {
			t.Errorf("valid until %v", p.Until)
		}
	}

	month := time.Now().UTC().Format("2006-01")
	_, page = mine.get("/pay/account/receipts?lang=en&month=" + month)
	for _, want := range []string{"119.00 EUR", "25.00 EUR", "19.00 EUR", "invoiced when it is spent"} {
		if !strings.Contains(page, want) {
			t.Errorf("the month's receipts do not say %q: %s", want, page)
		}
	}
	const buyer = "Nordlicht Spedition GmbH"
	form := url.Values{"month": {month}, "name": {buyer}, "tax_number": {"DE999888777"}, "keep": {"1"}, "what": {"pdf"}}
	status, pdf := mine.post("/pay/account/receipts/invoice?lang=en", form)
	if status != http.StatusOK || !strings.HasPrefix(pdf, "%PDF") {
		t.Fatalf("%d %.200s", status, pdf)
	}
	form.Set("fapiao", "special")
	if status, page := mine.post("/pay/account/receipts/invoice?lang=zh", form); status != http.StatusUnprocessableEntity || !strings.Contains(page, "纳税人识别号") {
		t.Errorf("a fapiao that lacks its fields: %d %s", status, page)
	}
	ref, err := s.stays.SealedBuyer(account.ID)
	if err != nil || ref == nil || bytes.Contains(ref.Sealed, []byte(buyer)) {
		t.Errorf("%v %v", ref, err)
	}
	_ = filepath.WalkDir(s.config.Data, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		if b, _ := os.ReadFile(path); bytes.Contains(b, []byte(buyer)) {
			t.Errorf("the buyer lies in %s", path)
		}
		return nil
	})
	if status, _ := mine.post("/pay/account/leave", nil); status != http.StatusOK {
		t.Errorf("signing out: %d", status)
	}
	if _, page := mine.get("/pay/account"); strings.Contains(page, "Fleet 7") {
		t.Error("still signed in")
	}
}

// Codes are guessed no more often than plates: five an hour and address, of both together.
func TestCodesAreNotGuessed(t *testing.T) {
	_, _, base := driversSite(t)
	p := newPhone(t, base)
	last := 0
	for range 6 {
		last, _ = p.post("/pay/account", url.Values{"code": {"AAAAAAAAAAAAAAAAAAAAAAAAAA"}})
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the sixth guess: %d", last)
	}
	if status, _ := p.post("/pay/shop", url.Values{"code": {"A"}}); status != http.StatusTooManyRequests {
		t.Errorf("and at the shops' page: %d", status)
	}
}

// A shop makes codes; a driver's stay gets what one gives, once.
func TestAShopsCodes(t *testing.T) {
	s, _, base := driversSite(t)
	x, err := s.stays.PutShop(t.Context(), gatehouse.Shop{Name: "Bakery", PerStay: 1, PerDay: 10, Gives: gatehouse.Validation{Kind: gatehouse.MoneyValidation, Money: gatehouse.Money{Minor: 150, Currency: "EUR"}}}, "chief")
	if err != nil {
		t.Fatal(err)
	}
	link, err := s.stays.LinkShop(t.Context(), x.ID, "chief")
	if err != nil {
		t.Fatal(err)
	}
	shop, driver := newPhone(t, base), newPhone(t, base)
	if status, _ := shop.post("/pay/shop/codes", url.Values{"count": {"1"}}); status != http.StatusUnauthorized {
		t.Errorf("codes for anybody: %d", status)
	}
	if status, page := shop.post("/pay/shop?lang=en", url.Values{"code": {link.Reveal()}}); status != http.StatusOK || !strings.Contains(page, "1.50 EUR") {
		t.Fatalf("%d %s", status, page)
	}
	if status, _ := shop.post("/pay/shop/codes", url.Values{"count": {"11"}}); status != http.StatusUnprocessableEntity {
		t.Errorf("more than a day's: %d", status)
	}
	_, page := shop.post("/pay/shop/codes?lang=en", url.Values{"count": {"2"}})
	codes := regexp.MustCompile(`<figcaption>([A-Z2-7-]{14})<`).FindAllStringSubmatch(page, -1)
	if len(codes) != 2 || strings.Count(page, "<svg") != 2 {
		t.Fatalf("%d codes: %s", len(codes), page)
	}
	in := read(t, s, "entry", "AB12CDE", 90*time.Minute)
	eventually(t, "the stay is open", func() bool { return s.stayState(in.ID) == gatehouse.StayOpen })
	form := url.Values{"plate": {"AB12CDE"}, "entered": {in.At.UTC().Format("2006-01-02T15:04")}, "code": {codes[0][1]}}
	status, page := driver.post("/pay?lang=en", form)
	if status != http.StatusOK || !strings.Contains(page, "code counts") {
		t.Fatalf("found, with a code that was brought along: %d %s", status, page)
	}
	key := between(t, page, `action="(/pay/stay/[^"?]+)/pay`)
	if _, page := driver.post(key+"/code?lang=en", url.Values{"code": {codes[0][1]}}); !strings.Contains(page, "used already") {
		t.Errorf("replayed: %s", page)
	}
	if _, page := driver.post(key+"/code?lang=en", url.Values{"code": {codes[1][1]}}); !strings.Contains(page, "No more codes of this shop") {
		t.Errorf("a second one of the shop: %s", page)
	}
	if _, err := s.stays.LinkShop(t.Context(), x.ID, "chief"); err != nil {
		t.Fatal(err)
	}
	if _, page := shop.get("/pay/shop"); strings.Contains(page, "Bakery") {
		t.Error("the page is open by a link that was taken away")
	}
}

func enrolVehicle(t *testing.T, s *Server, plate, label string) gatehouse.SubjectID {
	t.Helper()
	got, err := s.Admin().EnrollVehicle(t.Context(), wire.EnrollVehicleRequest{Label: label, Record: gatehouse.VehicleRecord{Plate: plate}, Grants: []gatehouse.Grant{}})
	if err != nil {
		t.Fatal(err)
	}
	return got.Subject
}

// A screen at a lane is enrolled by a code, once; it asks more often than an address may, and
// calls for help at its lane.
func TestAScreenAtALane(t *testing.T) {
	s, _, base := driversSite(t)
	if _, _, err := s.stays.AddKiosk(t.Context(), "nowhere", "chief"); gatehouse.ErrorCode(err) != "gate.unknown" {
		t.Errorf("at no lane: %v", err)
	}
	k, code, err := s.stays.AddKiosk(t.Context(), "exit", "chief")
	if err != nil {
		t.Fatal(err)
	}
	screen, other := newPhone(t, base), newPhone(t, base)
	if _, page := other.get("/pay/kiosk?lang=en"); strings.Contains(page, "Call for help") {
		t.Error("any browser can call")
	}
	if status, page := screen.post("/pay/screen?lang=en", url.Values{"code": {code.Reveal()}}); status != http.StatusOK || !strings.Contains(page, "Call for help") {
		t.Fatalf("%d %s", status, page)
	}
	if status, _ := other.post("/pay/screen", url.Values{"code": {code.Reveal()}}); status != http.StatusNotFound {
		t.Errorf("the code again: %d", status)
	}
	form := url.Values{"plate": {"ZZ99ZZZ"}, "entered": {time.Now().UTC().Format("2006-01-02T15:04")}}
	for i := range 7 {
		if status, _ := screen.post("/pay?kiosk=1", form); status != http.StatusNotFound {
			t.Fatalf("question %d of the screen: %d", i+1, status)
		}
	}
	calls := func() (n int) {
		all, err := s.store.Alarms(t.Context(), gatehouse.AlarmQuery{Place: s.Place(), Open: true, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range all {
			if a.Kind == gatehouse.HelpAlarm && a.Gate == "exit" {
				n++
			}
		}
		return n
	}
	for range 3 {
		if status, page := screen.post("/pay/help?lang=en", nil); status != http.StatusOK || !strings.Contains(page, "Somebody was told") {
			t.Fatalf("%d %s", status, page)
		}
	}
	if n := calls(); n != 1 {
		t.Errorf("%d alarms of three calls", n)
	}
	if status, _ := other.post("/pay/help", nil); status != http.StatusNotFound || calls() != 1 {
		t.Errorf("a call of any browser: %d", status)
	}
	if err := s.stays.RemoveRight(t.Context(), gatehouse.KioskItem, k.ID.String(), "chief"); err != nil {
		t.Fatal(err)
	}
	if _, page := screen.get("/pay/kiosk?lang=en"); strings.Contains(page, "Call for help") {
		t.Error("a screen that was taken away still calls")
	}
}

// A vehicle without a plate: the screen at the entry gives a ticket, which opens the exit once.
func TestATicketFromTheScreen(t *testing.T) {
	s, _, base := driversSite(t)
	screen := func(gate gatehouse.GateID) *phone {
		t.Helper()
		_, code, err := s.stays.AddKiosk(t.Context(), gate, "chief")
		if err != nil {
			t.Fatal(err)
		}
		p := newPhone(t, base)
		if status, page := p.post("/pay/screen?lang=en", url.Values{"code": {code.Reveal()}}); status != http.StatusOK {
			t.Fatalf("%d %s", status, page)
		}
		return p
	}
	in, out, stranger := screen("entry"), screen("exit"), newPhone(t, base)
	motorbike := url.Values{"class": {"motorbike"}}
	for name, p := range map[string]*phone{"the exit's": out, "any browser": stranger} {
		if status, page := p.post("/pay/ticket?lang=en", motorbike); status != http.StatusNotFound || s.stays.Occupancies()[0].Inside != 0 {
			t.Errorf("%s gives tickets: %d %s", name, status, page)
		}
	}
	if _, page := in.get("/pay/kiosk?lang=en"); !strings.Contains(page, "No number plate?") || strings.Contains(page, "Pay here") {
		t.Errorf("the screen at the entry: %s", page)
	}
	// A vehicle that was turned away by its plate is not let in by a ticket.
	denied := enrolVehicle(t, s, "AB12CDE", "Fleet 7")
	if _, err := s.stays.Deny(t.Context(), denied, "chief"); err != nil {
		t.Fatal(err)
	}
	if p := read(t, s, "entry", "AB12CDE", 0); p.Decision.Reason != gatehouse.NotAdmitted {
		t.Fatalf("%+v", p.Decision)
	}
	if status, page := in.post("/pay/ticket?lang=en", motorbike); status != http.StatusConflict || !strings.Contains(page, "No ticket can be given") {
		t.Errorf("a ticket in the place of a plate: %d %s", status, page)
	}
	if p := read(t, s, "entry", "XY98ZZZ", 90*time.Minute); !p.Decision.Grant {
		t.Fatalf("%+v", p.Decision)
	}
	eventually(t, "the stay is open", func() bool { return s.stays.Occupancies()[0].Inside == 1 })
	status, page := in.post("/pay/ticket?lang=en", motorbike)
	if status != http.StatusOK || !strings.Contains(page, "<svg") {
		t.Fatalf("%d %s", status, page)
	}
	code := between(t, page, `id="code">([A-Z2-7-]+)<`)
	eventually(t, "the ticket's stay is open", func() bool { return s.stays.Occupancies()[0].Inside == 2 })
	if status, page := in.post("/pay/ticket?lang=en", motorbike); status != http.StatusTooManyRequests || !strings.Contains(page, "quarter of a minute") {
		t.Errorf("one ticket after the other: %d %s", status, page)
	}
	if status, page := out.post("/pay/ticket/show?lang=en", url.Values{"ticket": {"AAAA-BBBB-CCCC"}}); status != http.StatusNotFound || !strings.Contains(page, "no such ticket") {
		t.Errorf("a ticket that is nobody's: %d %s", status, page)
	}
	// Within its first minute nothing is owed yet.
	if status, page := out.post("/pay/ticket/show?lang=en", url.Values{"ticket": {strings.ToLower(code)}}); status != http.StatusOK || !strings.Contains(page, "Have a good trip") {
		t.Fatalf("%d %s", status, page)
	}
	eventually(t, "it has left", func() bool { return s.stays.Occupancies()[0].Inside == 1 })
	left, err := s.stays.List(t.Context(), gatehouse.StayFilter{State: string(gatehouse.StayLeft), Limit: 5})
	if err != nil || len(left) != 1 || left[0].Class != gatehouse.Motorbike || left[0].Reason != "ticket" {
		t.Fatalf("%+v, %v", left, err)
	}
	if status, page := out.post("/pay/ticket/show?lang=en", url.Values{"ticket": {code}}); status != http.StatusNotFound {
		t.Errorf("the ticket again: %d %s", status, page)
	}
}

// A car park that is closed to visitors lets in whom the site has enrolled, and gives no ticket.
func TestACarParkForEnrolledVehicles(t *testing.T) {
	c := carPark(t)
	c.Parking[0].Who = "enrolled"
	s := open(t, c)
	followed(t, s)
	enrolVehicle(t, s, "AB12CDE", "Fleet 7")
	if p := read(t, s, "entry", "XY98ZZZ", 0); p.Decision.Grant || p.Decision.Reason != gatehouse.NotAdmitted {
		t.Errorf("a stranger: %+v", p.Decision)
	}
	if p := read(t, s, "entry", "AB12CDE", 0); !p.Decision.Grant {
		t.Errorf("who is enrolled: %+v", p.Decision)
	}
	if _, err := s.stays.Ticket(t.Context(), "entry", ""); gatehouse.ErrorCode(err) != "parking.not_admitted" {
		t.Errorf("a ticket: %v", err)
	}
}

// Whoever asks what is held of a vehicle is told of its stays, payments and passes, and of whom
// its invoices are made out to; after it was erased nothing of it names it.
func TestWhatIsHeldOfAVehicle(t *testing.T) {
	s, _, _ := driversSite(t)
	vehicle := enrolVehicle(t, s, "AB12CDE", "Fleet 7")
	other := enrolVehicle(t, s, "XY98ZZZ", "Fleet 8")
	for _, v := range []gatehouse.SubjectID{vehicle, other} {
		if _, err := s.stays.PutPass(t.Context(), v, gatehouse.Pass{Kind: gatehouse.ValuePass, Name: "Purse of " + s.label(v), From: time.Now().Add(-24 * time.Hour), Value: gatehouse.Money{Currency: "EUR"}}, "chief"); err != nil {
			t.Fatal(err)
		}
	}
	account, err := s.stays.OpenAccountFor(t.Context(), vehicle, true, "chief")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.stays.KeepBuyer(t.Context(), account.ID, gatehouse.InvoiceBuyer{Name: "Nordlicht"}); err != nil {
		t.Fatal(err)
	}
	in := read(t, s, "entry", "AB12CDE", 90*time.Minute)
	eventually(t, "the stay is open", func() bool { return s.stayState(in.ID) == gatehouse.StayOpen })
	read(t, s, "exit", "AB12CDE", 0)
	eventually(t, "it left, by invoice", func() bool { return s.stayState(in.ID) == gatehouse.StayLeft })
	unseal(t, s)
	me := console.Who{Operator: "office", Role: gatehouse.PrivacyOfficer}
	h, err := pages{s}.Held(t.Context(), me, vehicle, "their request")
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Stays) != 1 || h.Stays[0].Charged != "4.00 EUR" || len(h.Payments) != 1 || h.Payments[0].By != "invoice" || len(h.Rights) != 3 || !strings.Contains(string(h.Buyer), "Nordlicht") || h.Gone != 0 {
		t.Errorf("%+v", h)
	}
	for _, r := range h.Rights {
		if strings.Contains(r.Name, "Fleet 8") {
			t.Error("another's pass is told of")
		}
	}
	if _, err := s.Admin().Erase(t.Context(), wire.EraseRequest{Subject: vehicle, Reason: "their request"}); err != nil {
		t.Fatal(err)
	}
	if traces, err := s.store.SubjectTraces(t.Context(), s.Place(), vehicle); err != nil || traces != (gatehouse.SubjectTraces{}) {
		t.Errorf("afterwards: %+v, %v", traces, err)
	}
	if left, err := s.stays.Accounts(t.Context()); err != nil || len(left) != 0 {
		t.Errorf("its account is there: %+v, %v", left, err)
	}
	if held, err := s.stays.HeldOf(t.Context(), other); err != nil || len(held.Rights) != 1 {
		t.Errorf("the other's: %+v, %v", held, err)
	}
}
