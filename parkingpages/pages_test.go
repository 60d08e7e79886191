package parkingpages

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/flow/books"
	"gatehouse/flow/books/bookstest"
	"gatehouse/pay/desk"
	"gatehouse/pay/stripe"
	"gatehouse/pay/stripe/stripetest"
	"gatehouse/store/sqlite"
)

var here = gatehouse.Place{Org: "acme", Site: "north"}

type secrets map[string]string

func (s secrets) Secret(name string) (gatehouse.Secret, bool) {
	v, ok := s[name]
	return gatehouse.Secret(v), ok
}

type site struct {
	*testing.T
	pages  *Pages
	server *httptest.Server
	stays  *bookstest.Stays
	stripe *stripetest.Double
	log    *bytes.Buffer
	now    time.Time
	asked  []gatehouse.StayQuery
	said   []string
	cookie *http.Cookie
	tries  int
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{T: t, stripe: stripetest.New(), log: &bytes.Buffer{}, now: time.Now().UTC().Truncate(time.Second)}
	pay := httptest.NewServer(s.stripe)
	t.Cleanup(pay.Close)
	store, err := sqlite.Open(t.Context(), sqlite.Options{Dir: t.TempDir(), Key: func(string) ([32]byte, error) { return [32]byte{1}, nil }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	s.stays = &bookstest.Stays{Tariff: bookstest.PerHour(200, "EUR", s.now.AddDate(-1, 0, 0))}
	clock := func() time.Time { return s.now }
	ways := desk.All(clock)
	ways["stripe"] = stripe.New(stripe.Options{Secrets: secrets{stripe.KeySecret: stripetest.Key, stripe.WebhookSecret: stripetest.Secret}, URL: pay.URL, Now: clock})
	b := books.New(books.Ports{Place: here, Store: store, Stays: s.stays, Providers: ways, Label: "North car park", Now: clock})
	s.stays.Books = b
	mux := http.NewServeMux()
	s.server = httptest.NewServer(mux)
	t.Cleanup(s.server.Close)
	s.pages = New(Options{Place: here, Site: "North car park", BaseURL: s.server.URL, Seller: Seller{Name: "North Parking Ltd", Address: "1 Road, Town", TaxNumber: "DE123"}, Books: b, Now: clock, Providers: []string{"stripe"},
		Find: func(ctx context.Context, q gatehouse.StayQuery) (gatehouse.ID, error) {
			s.asked = append(s.asked, q)
			return s.stays.FindStay(ctx, here, q, s.now)
		},
		Said: func(_ context.Context, stay gatehouse.ID, plate string) error {
			s.said = append(s.said, stay.String()+plate)
			return nil
		},
		Try:  func(context.Context, string) (bool, error) { s.tries++; return s.tries <= 5, nil },
		Font: func() []byte { b, _ := os.ReadFile("../third_party/fonts/ZCOOLQingKeHuangYou-Regular.ttf"); return b }})
	for _, r := range s.pages.Routes() {
		mux.HandleFunc(r.Pattern, r.Handler)
	}
	return s
}

func (s *site) do(method, path string, form url.Values) (*http.Response, string) {
	s.Helper()
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := http.NewRequest(method, s.server.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		s.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if s.cookie != nil {
		r.AddCookie(s.cookie)
	}
	resp, err := client.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	_, _ = b.ReadFrom(resp.Body)
	return resp, b.String()
}

func plateForm(plate string, at time.Time) url.Values {
	return url.Values{"plate": {plate}, "entered": {at.Format(typed)}}
}

// names reports whether a text holds a plate, however it is spaced. Its letters are looked for
// too: four digits alone occur in random ids.
func names(text, plate string) bool {
	return strings.Contains(strings.NewReplacer(" ", "", "+", "", "-", "", "%20", "").Replace(text), plate)
}

// From the plate to the receipt, as a driver's phone does it.
func TestTheDriversWay(t *testing.T) {
	for _, lang := range []string{"en", "zh"} {
		s := newSite(t)
		stay := s.stays.Enter(here, "B MW 1234", s.now.Add(-100*time.Minute))
		if resp, page := s.do("GET", "/pay?lang="+lang, nil); resp.StatusCode != http.StatusOK || !strings.Contains(page, text(lang, "ask.plate")) {
			t.Fatalf("%d %s", resp.StatusCode, page)
		}
		resp, _ := s.do("POST", "/pay?lang="+lang, plateForm("B MW 1234", s.now.Add(-110*time.Minute)))
		to := resp.Header.Get("Location")
		if resp.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to, "/pay/stay/") || names(to, "MW1234") {
			t.Fatalf("%d to %s", resp.StatusCode, to)
		}
		_, page := s.do("GET", to, nil)
		for _, want := range []string{"4.00 EUR", map[string]string{"en": "2 × 1h", "zh": "2 × 1 小时"}[lang], "1 " + map[string]string{"en": "h 40 min", "zh": "小时 40 分钟"}[lang], text(lang, "owed.title"), "0.64 EUR"} {
			if !strings.Contains(page, want) {
				t.Errorf("the page of what is owed does not say %q: %s", want, page)
			}
		}
		if names(page, "MW1234") {
			t.Error("the page shows the plate")
		}
		path, _, _ := strings.Cut(to, "?")
		resp, page = s.do("POST", path+"/pay?lang="+lang, url.Values{"way": {"stripe"}})
		link := regexp.MustCompile(`id="go" href="([^"]+)"`).FindStringSubmatch(page)
		if resp.StatusCode != http.StatusOK || link == nil {
			t.Fatalf("%d %s", resp.StatusCode, page)
		}
		if len(s.said) != 1 || s.said[0] != stay.String()+"B MW 1234" {
			t.Errorf("the stay is told that its driver typed %q", s.said)
		}
		session := link[1][strings.LastIndex(link[1], "/")+1:]
		back := s.stripe.Asked()[0].Get("success_url")
		receipt := strings.TrimPrefix(back, s.server.URL)
		if _, page := s.do("GET", receipt, nil); !strings.Contains(page, text(lang, "receipt.wait")) {
			t.Error("before it is paid")
		}
		s.stripe.Pay(session)
		_, page = s.do("GET", receipt, nil)
		for _, want := range []string{text(lang, "receipt.done"), "north-000001", "4.00 EUR", "0.64 EUR", "North Parking Ltd", text(lang, "owed.leave")} {
			if !strings.Contains(page, want) {
				t.Errorf("the receipt does not say %q: %s", want, page)
			}
		}
		if _, opened := s.stays.Told(stay); opened.IsZero() {
			t.Error("paid, and the barrier stays shut")
		}
		resp, pdf := s.do("GET", strings.Replace(receipt, "?", "/pdf?", 1), nil)
		if resp.Header.Get("Content-Type") != "application/pdf" || !strings.HasPrefix(pdf, "%PDF-") || !strings.Contains(resp.Header.Get("Content-Disposition"), "receipt-north-000001.pdf") {
			t.Errorf("the PDF: %d %s", resp.StatusCode, resp.Header)
		}
		for _, asked := range s.stripe.Asked() {
			if names(asked.Encode(), "MW1234") || strings.Contains(asked.Encode(), stay.String()) {
				t.Errorf("the provider learns %s", asked.Encode())
			}
		}
		if _, page := s.do("GET", to, nil); !strings.Contains(page, text(lang, "owed.none")) {
			t.Error("something is owed still")
		}
	}
}

// No such stay, two that could be meant, another time: one answer, to the byte.
func TestNobodyLearnsWhoIsParked(t *testing.T) {
	s := newSite(t)
	s.stays.Enter(here, "TWO", s.now.Add(-time.Hour))
	s.stays.Enter(here, "TWO", s.now.Add(-time.Hour))
	s.stays.Enter(here, "ONE", s.now.Add(-time.Hour))
	var first string
	for _, f := range []url.Values{plateForm("NONE", s.now.Add(-time.Hour)), plateForm("TWO", s.now.Add(-time.Hour)), plateForm("ONE", s.now.Add(-2*time.Hour)), {"ticket": {"T000"}}} {
		resp, page := s.do("POST", "/pay", f)
		if resp.StatusCode != http.StatusNotFound {
			t.Errorf("%v: %d", f, resp.StatusCode)
		}
		if first == "" {
			first = page
		}
		if page != first {
			t.Errorf("%v gets another answer: %s", f, page)
		}
		if strings.Contains(page, f.Get("plate")) && f.Get("plate") != "" {
			t.Errorf("the answer shows what was typed")
		}
	}
	// The control: the very plate and time are found; it is the fifth try, and the last.
	if resp, _ := s.do("POST", "/pay", plateForm("ONE", s.now.Add(-time.Hour))); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("the control: %d", resp.StatusCode)
	}
	asked := len(s.asked)
	if resp, _ := s.do("POST", "/pay", plateForm("ONE", s.now.Add(-time.Hour))); resp.StatusCode != http.StatusTooManyRequests || len(s.asked) != asked {
		t.Errorf("a sixth try: %d, asked %d times", resp.StatusCode, len(s.asked)-asked)
	}
}

func TestWhatIsTypedMayBeAnything(t *testing.T) {
	s := newSite(t)
	at := s.now.Add(-time.Hour).Format(typed)
	for name, f := range map[string]url.Values{
		"nothing": {}, "no time": {"plate": {"X"}}, "a time of the future": {"plate": {"X"}, "entered": {s.now.Add(time.Hour).Format(typed)}}, "long ago": {"plate": {"X"}, "entered": {"2001-01-01T00:00"}},
		"no plate": {"entered": {at}}, "a long plate": {"plate": {strings.Repeat("A", 17)}, "entered": {at}}, "control characters": {"plate": {"A\x00B"}, "entered": {at}}, "no UTF-8": {"plate": {"\xff"}, "entered": {at}},
		"a long ticket": {"ticket": {strings.Repeat("A", 65)}}, "much": {"plate": {strings.Repeat("A", 5000)}, "entered": {at}},
	} {
		if resp, page := s.do("POST", "/pay", f); resp.StatusCode != http.StatusBadRequest || len(s.asked) != 0 || s.tries != 0 {
			t.Errorf("%s: %d, asked %d times: %s", name, resp.StatusCode, len(s.asked), page)
		}
	}
	for _, plate := range []string{`<script>1</script>`, `' OR 1=1 --`, `{{.Lang}}`} {
		s.tries = 0
		if resp, page := s.do("POST", "/pay", url.Values{"plate": {plate}, "entered": {at}}); resp.StatusCode != http.StatusBadRequest && resp.StatusCode != http.StatusNotFound || strings.Contains(page, plate) {
			t.Errorf("%s: %d", plate, resp.StatusCode)
		}
	}
	for _, path := range []string{"/pay/stay/x", "/pay/stay/x?lang=%22%3E", "/pay/receipt/x", "/pay/receipt/00112233445566778899aabbccddeeff", "/pay/receipt/00112233445566778899aabbccddeeff/pdf"} {
		if resp, _ := s.do("GET", path, nil); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, resp.StatusCode)
		}
	}
	if resp, _ := s.do("POST", "/pay/stay/x/pay", url.Values{"way": {"stripe"}}); resp.StatusCode != http.StatusNotFound {
		t.Errorf("to pay for nothing: %d", resp.StatusCode)
	}
}

func TestWebhook(t *testing.T) {
	s := newSite(t)
	s.stays.Enter(here, "X", s.now.Add(-time.Hour))
	resp, _ := s.do("POST", "/pay", plateForm("X", s.now.Add(-time.Hour)))
	path, _, _ := strings.Cut(resp.Header.Get("Location"), "?")
	_, page := s.do("POST", path+"/pay", url.Values{"way": {"stripe"}})
	session := regexp.MustCompile(`/pay/(cs_\w+)"`).FindStringSubmatch(page)[1]
	s.stripe.Pay(session)
	e := s.stripe.Events()[0]
	hook := s.server.URL + "/pay/stripe/webhook"
	status := func(e stripetest.Event, hook string) int {
		t.Helper()
		n, err := e.Post(hook)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for range 3 {
		if n := status(e, hook); n != 200 {
			t.Errorf("Stripe's message: %d", n)
		}
	}
	s.stripe.Other()
	if n := status(s.stripe.Events()[1], hook); n != 200 {
		t.Errorf("another program's payment: %d", n)
	}
	forged := e
	forged.Signature = stripetest.Sign(e.Body, "whsec_guess", s.now)
	if n := status(forged, hook); n != 400 {
		t.Errorf("forged: %d", n)
	}
	if n := status(e, s.server.URL+"/pay/paypal/webhook"); n != 404 {
		t.Errorf("a provider that is not here: %d", n)
	}
	if n := status(e, s.server.URL+"/pay/cash/webhook"); n != 400 {
		t.Errorf("somebody who tells of cash: %d", n)
	}
	big := stripetest.Event{Body: bytes.Repeat([]byte(" "), maxNotice+1), Signature: e.Signature}
	if n := status(big, hook); n != 413 {
		t.Errorf("a huge message: %d", n)
	}
	s.now = s.now.Add(10 * time.Minute)
	if n := status(e, hook); n != 400 {
		t.Errorf("a replay: %d", n)
	}
	limited := false
	for range 20 {
		limited = limited || status(forged, hook) == http.StatusTooManyRequests
	}
	if !limited {
		t.Error("forged messages are not slowed down")
	}
	if n := status(stripetest.Event{Body: e.Body, Signature: stripetest.Sign(e.Body, stripetest.Secret, s.now)}, hook); n != 200 {
		t.Errorf("a genuine one meanwhile: %d", n)
	}
}

// lanes are two screens, at an entry and at an exit.
type lanes struct{ given gatehouse.VehicleClass }

func (*lanes) EnterKiosk(context.Context, string) (gatehouse.Secret, error) { return "", nil }
func (*lanes) KioskOf(cookie string) (gatehouse.ParkingKiosk, bool) {
	return gatehouse.ParkingKiosk{ID: gatehouse.ID{1}, Gate: gatehouse.GateID(cookie)}, cookie != ""
}
func (*lanes) Entry(gate gatehouse.GateID) bool { return gate == "in" }
func (l *lanes) TakeTicket(_ context.Context, _ gatehouse.GateID, class gatehouse.VehicleClass) (gatehouse.Secret, error) {
	l.given = class
	return "ABCD-EFGH-2345", nil
}

// What a ticket owes is asked for at the screen of the exit, and on the phone that its QR code
// leads to.
func TestATicketOwes(t *testing.T) {
	s := newSite(t)
	l := &lanes{}
	stay := s.stays.Enter(here, "", s.now.Add(-100*time.Minute))
	owes, shown := true, gatehouse.Secret("")
	s.pages.Kiosks = l
	find := s.pages.Find
	s.pages.Find = func(ctx context.Context, q gatehouse.StayQuery) (gatehouse.ID, error) {
		if q.Ticket == "ABCDEFGH2345" {
			return stay, nil
		}
		return find(ctx, q)
	}
	s.pages.ShowTicket = func(_ context.Context, k gatehouse.ParkingKiosk, code gatehouse.Secret) (gatehouse.Decision, error) {
		shown = code
		switch {
		case k.Gate != "out" || code != "ABCDEFGH2345":
			return gatehouse.Decision{Reason: gatehouse.WrongCredential}, nil
		case owes:
			return gatehouse.Decision{Reason: gatehouse.PaymentOwed}, nil
		}
		return gatehouse.Decision{Grant: true}, nil
	}
	at := func(lane, path string, form url.Values) (*http.Response, string) {
		t.Helper()
		s.cookie = &http.Cookie{Name: kioskCookie, Value: lane}
		defer func() { s.cookie = nil }()
		return s.do("POST", path+"?lang=en&kiosk=1", form)
	}
	resp, page := at("in", "/pay/ticket", url.Values{"class": {"motorbike"}})
	if resp.StatusCode != http.StatusOK || !strings.Contains(page, "ABCD-EFGH-2345") || !strings.Contains(page, `data-then="/pay/kiosk?lang=en"`) || l.given != gatehouse.Motorbike {
		t.Errorf("%d %s", resp.StatusCode, page)
	}
	for _, typed := range []string{"ABCD-EFGH-2345", "abcdefgh2345", s.server.URL + "/pay#t=ABCDEFGH2345"} {
		resp, _ := at("out", "/pay/ticket/show", url.Values{"ticket": {typed}})
		to := resp.Header.Get("Location")
		if resp.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to, "/pay/stay/") || !strings.HasSuffix(to, "&kiosk=1") || strings.Contains(to, "ABCD") || shown != "ABCDEFGH2345" {
			t.Fatalf("%q: %d to %q, shown %q", typed, resp.StatusCode, to, shown.Reveal())
		}
		if _, page := s.do("GET", to, nil); !strings.Contains(page, "4.00 EUR") {
			t.Errorf("what it owes: %s", page)
		}
	}
	if resp, page := at("out", "/pay/ticket/show", url.Values{"ticket": {"ABCD-EFGH-2346"}}); resp.StatusCode != http.StatusNotFound || !strings.Contains(page, "no such ticket") {
		t.Errorf("another's: %d %s", resp.StatusCode, page)
	}
	owes = false
	if resp, page := at("out", "/pay/ticket/show", url.Values{"ticket": {"ABCD-EFGH-2345"}}); resp.StatusCode != http.StatusOK || !strings.Contains(page, "Have a good trip") {
		t.Errorf("paid: %d %s", resp.StatusCode, page)
	}
}

func TestKioskAndQR(t *testing.T) {
	s := newSite(t)
	if resp, page := s.do("GET", "/pay/kiosk?lang=zh", nil); resp.StatusCode != http.StatusOK || !strings.Contains(page, `data-key="京"`) || !strings.Contains(page, `data-key="Q"`) {
		t.Errorf("%d %s", resp.StatusCode, page)
	}
	if resp, svg := s.do("GET", "/pay/qr.svg", nil); resp.Header.Get("Content-Type") != "image/svg+xml" || !strings.Contains(svg, "<path") {
		t.Errorf("%d %s", resp.StatusCode, svg)
	}
	s.pages.Find = nil
	for _, path := range []string{"/pay", "/pay/kiosk"} {
		if resp, _ := s.do("GET", path, nil); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s where nobody parks: %d", path, resp.StatusCode)
		}
	}
}

func TestTexts(t *testing.T) {
	used := map[string]bool{}
	entries, _ := templates.ReadDir("templates")
	for _, e := range entries {
		b, _ := templates.ReadFile("templates/" + e.Name())
		for _, m := range regexp.MustCompile(`\{\{t "([^"]+)"\}\}`).FindAllSubmatch(b, -1) {
			used[string(m[1])] = true
		}
	}
	for _, name := range []string{"account.go", "find.go", "invoice.go", "owed.go", "pages.go", "pdf.go", "receipt.go", "screen.go", "shop.go", "ticket.go"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for key := range texts {
			if strings.Contains(string(b), `"`+key+`"`) {
				used[key] = true
			}
		}
	}
	for key, s := range texts {
		of, _, _ := strings.Cut(key, ".") // of these some are named by what they are about
		if !used[key] && !strings.HasPrefix(key, "pay.by.") && of != "code" && of != "pass" && of != "buyer" {
			t.Errorf("nothing uses %q", key)
		}
		if s[0] == "" || s[1] == "" || s[0] == s[1] {
			t.Errorf("%q lacks a language", key)
		}
	}
	for key := range used {
		if _, ok := texts[key]; !ok {
			t.Errorf("%q is not in the table", key)
		}
	}
}

// Somebody who asks and asks from one address keeps nobody else from paying.
func TestOneAddressKeepsNobodyFromAsking(t *testing.T) {
	s := newSite(t)
	s.stays.Enter(here, "ONE", s.now.Add(-time.Hour))
	tries := map[string]int{}
	s.pages.Try = func(_ context.Context, address string) (bool, error) {
		tries[address]++
		return tries[address] <= 5, nil
	}
	ask := func(address, plate string) int {
		r := httptest.NewRequest(http.MethodPost, "/pay", strings.NewReader(plateForm(plate, s.now.Add(-time.Hour)).Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.RemoteAddr = address + ":1"
		w := httptest.NewRecorder()
		s.pages.find(w, r)
		return w.Code
	}
	for range 500 {
		ask("192.0.2.1", "NONE")
	}
	if n := tries["192.0.2.1"]; n > 200 {
		t.Errorf("%d questions of one address reached the disk", n)
	}
	if status := ask("192.0.2.2", "ONE"); status != http.StatusSeeOther {
		t.Errorf("another driver gets %d", status)
	}
	if status := ask("192.0.2.1", "ONE"); status != http.StatusTooManyRequests {
		t.Errorf("who asked so often gets %d", status)
	}
	// The control: many addresses together are slowed down.
	refused := 0
	for i := range 100 {
		if ask(fmt.Sprintf("198.51.100.%d", i), "NONE") == http.StatusTooManyRequests {
			refused++
		}
	}
	if refused < 30 {
		t.Errorf("of 100 addresses at once %d were told to wait", refused)
	}
}

// counted are books that say how often they were asked to begin a payment, and what became of one.
type counted struct {
	Books
	begun, looked int
}

func (c *counted) Begin(ctx context.Context, stay gatehouse.ID, provider, language string, links func(gatehouse.ID) (string, string)) (gatehouse.Checkout, error) {
	c.begun++
	return c.Books.Begin(ctx, stay, provider, language, links)
}

func (c *counted) Checkout(ctx context.Context, id gatehouse.ID) (gatehouse.Checkout, error) {
	c.looked++
	return c.Books.Checkout(ctx, id)
}

// Whoever has found one stay fills no books by beginning to pay again and again, and asks a
// provider no thousand times what became of it.
func TestBeginningAgainAndAgain(t *testing.T) {
	s := newSite(t)
	c := &counted{Books: s.pages.Books}
	s.pages.Books = c
	s.stays.Enter(here, "ONE", s.now.Add(-time.Hour))
	resp, _ := s.do("POST", "/pay", plateForm("ONE", s.now.Add(-time.Hour)))
	path, _, _ := strings.Cut(resp.Header.Get("Location"), "?")
	for _, way := range []string{"cash", "invoice", "card", "alipay", "", "stripe "} {
		if resp, _ := s.do("POST", path+"/pay", url.Values{"way": {way}}); resp.StatusCode != http.StatusServiceUnavailable || c.begun != 0 {
			t.Errorf("by %q: %d, begun %d times", way, resp.StatusCode, c.begun)
		}
	}
	for range 100 {
		s.do("POST", path+"/pay", url.Values{"way": {"stripe"}})
	}
	var link []string
	for _, asked := range s.stripe.Asked() {
		if at := asked.Get("success_url"); at != "" && link == nil {
			link = regexp.MustCompile(`/pay/receipt/[^?]+`).FindStringSubmatch(at)
		}
	}
	if c.begun < 5 || c.begun > 20 || link == nil {
		t.Fatalf("begun %d times, %v", c.begun, link)
	}
	for range 100 {
		s.do("GET", link[0], nil)
	}
	if c.looked < 10 || c.looked > 40 {
		t.Errorf("the provider is asked %d times", c.looked)
	}
	s.now = s.now.Add(time.Minute)
	if resp, _ := s.do("POST", path+"/pay", url.Values{"way": {"stripe"}}); resp.StatusCode != http.StatusOK {
		t.Errorf("a minute later: %d", resp.StatusCode)
	}
}

// drivers are accounts of which one is open, and count what they are asked to keep.
type drivers struct {
	Accounts
	id   gatehouse.ID
	kept int
}

func (d *drivers) AccountOf(string) (gatehouse.ID, bool) { return d.id, true }
func (d *drivers) LeaveAccount(context.Context, gatehouse.ID, string) error {
	d.kept++
	return nil
}

// Whoever has an account's page open fills no log by what they do there again and again; and what
// was typed is in memory for no longer than its stay is shown.
func TestADriverDoesItAgainAndAgain(t *testing.T) {
	s := newSite(t)
	d := &drivers{id: gatehouse.RandomID()}
	s.pages.Accounts = d
	s.cookie = &http.Cookie{Name: driverCookie, Value: "x"}
	for range 200 {
		s.do("POST", "/pay/account/leave", url.Values{})
	}
	if d.kept < 10 || d.kept > 50 {
		t.Errorf("%d changes at once", d.kept)
	}
	s.now = s.now.Add(10 * time.Second)
	if resp, _ := s.do("POST", "/pay/account/leave", url.Values{}); resp.StatusCode != http.StatusSeeOther {
		t.Errorf("a moment later: %d", resp.StatusCode)
	}

	key := s.pages.shown.put(gatehouse.RandomID(), "B MW 1234")
	s.now = s.now.Add(shownFor + time.Second)
	if _, ok := s.pages.shown.get("another"); ok || s.pages.shown.typed(key) != "" || len(s.pages.shown.all) != 0 {
		t.Error("what was typed is kept after its hour")
	}
}
