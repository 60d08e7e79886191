package e2e

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/lab/demo/scene"
	"gatehouse/server"
	"gatehouse/vision/imaging"
	"gatehouse/vision/models"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// What the people of these tests show.
const (
	terminalCard = "0094711038"
	terminalPIN  = "904178"
	terminalQR   = "GH-7f3k-29qp-x81m"
)

// doors starts a whole site, models and all, with two doors: at the front one a face is
// enough, at the side one it is not.
func doors(t *testing.T, change func(*server.Config)) (s *server.Server, base string, passed *decided) {
	t.Helper()
	if testing.Short() {
		t.Skip("a whole site and browsers with cameras; not with -short")
	}
	if _, err := os.Stat(filepath.Join(models.Dir(), "portraits")); err != nil {
		t.Skip("the models are not fetched: run `make assets`")
	}
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("no ffmpeg: install it with apt-get install ffmpeg")
	}
	c := server.DefaultConfig()
	c.Data, c.GateKey, c.Listen, c.LogLevel = filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "gate.key"), "localhost:0", "error"
	front, side := server.DefaultGate(), server.DefaultGate()
	front.ID, front.Name, front.SecondFactor, front.RepeatWithin = "front-door", "Front door", false, time.Second
	side.ID, side.Name, side.SecondFactorWithin = "side-door", "Side door", 5*time.Second
	front.Actuator.Kind, side.Actuator.Kind = "simulated", "simulated"
	c.Gates, c.Devices = []server.GateConfig{front, side}, nil
	if change != nil {
		change(&c)
	}
	passed = &decided{}
	s, err := server.Open(t.Context(), c, server.Options{NewPassphrase: []byte("correct horse battery staple"), Stderr: testWriter{t}, LocalSession: true, Committed: passed.add})
	must(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ready, done := make(chan string, 1), make(chan error, 1)
	go func() { done <- s.Run(ctx, func(link string) { ready <- link }) }()
	t.Cleanup(func() { stop(); <-done; s.Close(context.Background()) })
	select {
	case link := <-ready:
		u, err := url.Parse(link)
		must(t, err)
		return s, "http://" + u.Host, passed
	case err := <-done:
		t.Fatal(err)
		return nil, "", nil
	}
}

// actor is one portrait of the demo's.
func actor(t *testing.T, n int) *imaging.RGB {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(models.Dir(), "portraits", "*.jpg"))
	slices.Sort(files)
	raw, err := os.ReadFile(files[n])
	must(t, err)
	m, err := imaging.Decode(raw, imaging.Limits{})
	must(t, err)
	return m
}

// enrolled enrols the actor, who may pass everywhere at any time.
func enrolled(t *testing.T, s *server.Server, n int) {
	t.Helper()
	_, err := s.Admin().EnrollPerson(t.Context(), wire.EnrollPersonRequest{Label: "Staff 104", ConsentGiven: true, ConsentHow: "reference", ConsentRef: "form 1",
		Photos: [][]byte{scene.Enrolment(actor(t, n), rand.New(rand.NewPCG(uint64(n), 1)))}, Card: terminalCard, PIN: terminalPIN, QR: terminalQR,
		Grants: []gatehouse.Grant{{Gate: "*", Schedule: "always"}}})
	must(t, err)
}

// walk is somebody who comes up to the camera, in frames of 640×480.
// Then there is nobody for so many frames.
func walk(t *testing.T, n, nobody int) (frames [][]byte) {
	r := rand.New(rand.NewPCG(uint64(n), 2))
	frames = scene.Person(actor(t, n), scene.Look{Zoom: 1, Gain: 1, Warmth: 1, Noise: 1.5, Quality: 88}, 8, r)
	for i := len(frames) - 2; i > 0; i-- { // goes back a step, comes again
		frames = append(frames, frames[i])
	}
	frames = slices.Repeat(frames, 3)
	for range nobody {
		frames = append(frames, scene.Empty(false))
	}
	return frames
}

// held is a QR code that somebody holds before the camera.
func held(t *testing.T, text string) [][]byte {
	t.Helper()
	code, err := qr.Encode(text, qr.M, qr.Auto)
	must(t, err)
	code, err = barcode.Scale(code, 210, 210)
	must(t, err)
	m := image.NewRGBA(image.Rect(0, 0, 640, 480))
	draw.Draw(m, m.Bounds(), image.NewUniform(color.RGBA{150, 156, 160, 255}), image.Point{}, draw.Src)
	draw.Draw(m, image.Rect(200, 120, 450, 370), image.NewUniform(color.RGBA{235, 236, 232, 255}), image.Point{}, draw.Src)
	draw.Draw(m, image.Rect(220, 140, 430, 350), code, image.Point{}, draw.Src)
	var b bytes.Buffer
	must(t, jpeg.Encode(&b, m, &jpeg.Options{Quality: 80}))
	return [][]byte{b.Bytes(), scene.Empty(false)}
}

// tablet is a browser whose camera plays the frames, ten a second, again and again.
func tablet(t *testing.T, frames [][]byte) (context.Context, *complaints) {
	t.Helper()
	dir := t.TempDir()
	film := exec.Command("ffmpeg", "-v", "error", "-f", "mjpeg", "-framerate", "30", "-i", "-", "-c:v", "copy", "-f", "mjpeg", filepath.Join(dir, "camera.mjpeg"))
	var thrice [][]byte // chromium plays 30 frames a second
	for _, f := range frames {
		thrice = append(thrice, f, f, f)
	}
	film.Stdin = bytes.NewReader(bytes.Join(thrice, nil))
	if out, err := film.CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v: %s", err, out)
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.NoSandbox,
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("use-fake-ui-for-media-stream", true), chromedp.Flag("use-fake-device-for-media-stream", true),
		chromedp.Flag("use-file-for-fake-video-capture", filepath.Join(dir, "camera.mjpeg")), chromedp.Flag("autoplay-policy", "no-user-gesture-required"))
	alloc, stop := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	ctx, cancelTime := context.WithTimeout(ctx, 5*time.Minute)
	t.Cleanup(cancelTime)
	c := &complaints{}
	must(t, chromedp.Do(ctx))
	must(t, c.listen(ctx))
	return ctx, c
}

// enrol opens the page and types a code of the device into it.
func enrol(t *testing.T, ctx context.Context, s *server.Server, base string, id gatehouse.DeviceID, gate gatehouse.GateID) {
	t.Helper()
	code, err := s.Admin().DeviceCode(t.Context(), wire.DeviceAddRequest{ID: id, Kind: gatehouse.Terminal, Gate: gate})
	must(t, err)
	must(t, chromedp.Do(ctx, chromedp.EmulateViewport(768, 1024), chromedp.Navigate(base+"/terminal?lang=en")))
	until(t, ctx, "document.body.dataset.state === 'enrol'")
	if ask[bool](t, ctx, "!!document.getElementById('video').srcObject") {
		t.Error("the camera is on before the tablet is enrolled")
	}
	must(t, chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS("#code"), strings.ToLower(code.Code)+kb.Enter)))
	until(t, ctx, "document.body.dataset.state === 'stand'")
}

// said waits until the screen shows an answer with the words.
func said(t *testing.T, ctx context.Context, words string) {
	t.Helper()
	waitLong(t, ctx, "!document.getElementById('answer').hidden && document.getElementById('answer').innerText.includes("+quote(words)+")")
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "\\'") + "'" }

func waitLong(t *testing.T, ctx context.Context, expr string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](expr)); err == nil && ok {
			return
		}
	}
	t.Fatalf("it never became true: %s\n%s", expr, ask[string](t, ctx, "document.body.innerText.slice(0, 1500)"))
}

// decided is what was decided.
type decided struct {
	mu  sync.Mutex
	all []string
}

func (l *decided) add(p gatehouse.Passage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, string(p.Gate)+" "+string(p.Kind)+" "+string(p.Decision.Reason))
}

// has reports whether such a passage was committed: gate, kind, reason.
func (l *decided) has(what string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Contains(l.all, what)
}

// A face opens the door of a tablet that was enrolled with a code; signing the tablet off
// ends it while it is open, its camera too.
func TestATerminalLetsAFaceIn(t *testing.T) {
	s, base, passed := doors(t, nil)
	enrolled(t, s, 0)
	nobody, measured := 25, os.Getenv("GATEHOUSE_TERMINAL_BYTES") != ""
	if measured {
		nobody = 120
	}
	ctx, c := tablet(t, walk(t, 0, nobody))
	enrol(t, ctx, s, base, "tablet-1", "front-door")
	said(t, ctx, "Please come in")
	if !passed.has("front-door face granted") {
		t.Errorf("what was decided: %v", passed.all)
	}
	if text := ask[string](t, ctx, "document.body.innerText"); strings.Contains(text, "Staff 104") {
		t.Error("the page names somebody, and the site greets nobody")
	}
	quiet(t, c)
	t.Logf("the page took %d bytes", ask[int](t, ctx, "performance.getEntries().reduce((n, e) => n + (/terminal/.test(e.name) && !/api/.test(e.name) ? e.transferSize || 0 : 0), 0)"))
	if measured {
		measure(t, ctx)
	}
	must(t, s.Admin().RevokeDevice(t.Context(), "tablet-1"))
	began := time.Now()
	waitLong(t, ctx, "document.body.dataset.state === 'enrol' && document.getElementById('ended').checkVisibility() && !document.getElementById('video').srcObject")
	t.Logf("signed off after %v", time.Since(began).Round(10*time.Millisecond))
}

// measure logs what a terminal sends in a while, with somebody before it and without.
func measure(t *testing.T, ctx context.Context) {
	t.Helper()
	ask[bool](t, ctx, `window.sent = {awake: [0, 0, 0], idle: [0, 0, 0]}, (() => { const ask = fetch, began = {at: Date.now()};
		setInterval(() => { const now = Date.now(); sent[document.body.dataset.mode][0] += now - began.at; began.at = now; }, 50);
		window.fetch = (path, init) => { const s = sent[document.body.dataset.mode]; s[1]++; s[2] += init.body ? init.body.byteLength : 0; return ask(path, init); }; })(), true`)
	time.Sleep(34 * time.Second)
	t.Logf("ms, requests and bytes of pictures, with somebody before it and without: %s", ask[string](t, ctx, "JSON.stringify(sent)"))
}

// press clicks what the selector names.
func press(t *testing.T, ctx context.Context, selectors ...string) {
	t.Helper()
	for _, s := range selectors {
		must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS(s))))
	}
}

// pressUntil clicks until the expression is true in the page: a click of the debugger's
// misses where the screen has just changed its size, and an answer may lie above it.
func pressUntil(t *testing.T, ctx context.Context, selector, expr string) {
	t.Helper()
	for range 20 {
		if ask[bool](t, ctx, expr) {
			return
		}
		if ask[bool](t, ctx, "!document.getElementById('answer').hidden") {
			cleared(t, ctx)
			continue
		}
		press(t, ctx, selector)
		for range 5 {
			if ask[bool](t, ctx, expr) {
				return
			}
			time.Sleep(100 * time.Millisecond)
		}
	}
	t.Fatalf("%s does not lead to %s", selector, expr)
}

// cleared waits until the last answer is off the screen.
func cleared(t *testing.T, ctx context.Context) {
	t.Helper()
	for range 20 {
		if ask[bool](t, ctx, "document.getElementById('answer').hidden") {
			return
		}
		ask[bool](t, ctx, "document.getElementById('answer').click(), true")
	}
	t.Fatal("the answer stays")
}

// swipe is a card that a reader types.
func swipe(t *testing.T, ctx context.Context, number string) {
	t.Helper()
	// Key by key from the page itself: the debugger's way would be slower than a reader.
	ask[bool](t, ctx, "(() => { for (const key of [..."+quote(number)+", 'Enter']) document.body.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true})); return true; })()")
}

func pin(t *testing.T, ctx context.Context, digits string) {
	t.Helper()
	pressUntil(t, ctx, "#pin-open", "document.getElementById('pad').open")
	for _, d := range digits {
		press(t, ctx, "[data-digit='"+string(d)+"']")
	}
	press(t, ctx, "#pad-ok")
}

// A stranger is told so, and no more; a card, a PIN and the other ways open beside the
// face. When the network is gone the screen says it, and when it is back so is the
// terminal.
func TestATerminalAndAStranger(t *testing.T) {
	s, base, passed := doors(t, func(c *server.Config) { c.Terminal.Greeting = true })
	enrolled(t, s, 0)
	ctx, c := tablet(t, walk(t, 16, 25))
	enrol(t, ctx, s, base, "tablet-1", "front-door")
	said(t, ctx, "Not recognized")
	if !passed.has("front-door face unknown") {
		t.Errorf("what was decided: %v", passed.all)
	}
	cleared(t, ctx)
	pin(t, ctx, terminalPIN)
	said(t, ctx, "Welcome, Staff 104") // this site greets people by their badge
	cleared(t, ctx)
	pin(t, ctx, "310572")
	said(t, ctx, "Please ask the reception")
	cleared(t, ctx)
	time.Sleep(time.Second) // repeat_within
	swipe(t, ctx, terminalCard)
	said(t, ctx, "Welcome, Staff 104")
	cleared(t, ctx)
	swipe(t, ctx, "1234567890")
	said(t, ctx, "Please ask the reception")
	for _, want := range []string{"front-door pin granted", "front-door pin wrong_credential", "front-door card granted", "front-door card wrong_credential"} {
		if !passed.has(want) {
			t.Errorf("%s is not among %v", want, passed.all)
		}
	}
	quiet(t, c)
	for range 5 { // guessing is slowed down
		cleared(t, ctx)
		pin(t, ctx, "310573")
		waitLong(t, ctx, "!document.getElementById('answer').hidden")
	}
	said(t, ctx, "Too many wrong PINs")
	cleared(t, ctx)

	offline(t, ctx, true)
	waitLong(t, ctx, "document.getElementById('away').checkVisibility() && document.getElementById('away').innerText.includes('cannot be reached')")
	offline(t, ctx, false)
	waitLong(t, ctx, "document.getElementById('away').hidden")
}

func offline(t *testing.T, ctx context.Context, is bool) {
	t.Helper()
	_, err := chromedp.Call(ctx, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{{Offline: is, DownloadThroughput: -1, UploadThroughput: -1}}})
	must(t, err)
}

// A QR code before the same camera opens; a wrong PIN and a right one that waits look
// alike. Words are in the other language at a touch.
func TestATerminalReadsQRCodes(t *testing.T) {
	s, base, passed := doors(t, nil)
	enrolled(t, s, 0)
	ctx, c := tablet(t, held(t, terminalQR))
	enrol(t, ctx, s, base, "tablet-3", "side-door")
	said(t, ctx, "Please come in")
	if !passed.has("side-door qr granted") {
		t.Errorf("what was decided: %v", passed.all)
	}
	cleared(t, ctx)
	pin(t, ctx, terminalPIN)
	said(t, ctx, "Now look into the camera, or show a card")
	cleared(t, ctx)
	// The other one by the keyboard alone, as slowly as people type.
	must(t, chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS("#pin-open"), kb.Enter)))
	until(t, ctx, "document.getElementById('pad').open")
	for _, d := range "310572" {
		must(t, chromedp.Do(ctx, chromedp.KeyEvent(string(d)), chromedp.Sleep(90*time.Millisecond)))
	}
	until(t, ctx, "document.getElementById('pad-dots').innerText.length === 6")
	// Without the character that the debugger sends apart from the key, whatever became of it.
	for _, kind := range []input.DispatchKeyEventType{"rawKeyDown", "keyUp"} {
		_, err := chromedp.Call(ctx, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: kind, Key: "Enter", Code: "Enter", WindowsVirtualKeyCode: 13})
		must(t, err)
	}
	said(t, ctx, "Now look into the camera, or show a card")
	cleared(t, ctx)
	pressUntil(t, ctx, "#lang", "document.documentElement.lang === 'zh-CN'")
	until(t, ctx, "document.documentElement.lang === 'zh-CN' && document.getElementById('pin-open').innerText === '密码' && document.getElementById('lang').innerText === 'English'")
	quiet(t, c)

	// Nothing of the page is another host's, and what lies in the browser is no secret that
	// could be taken elsewhere.
	if got := ask[string](t, ctx, "performance.getEntriesByType('resource').map(e => new URL(e.name).origin).filter(o => o !== location.origin).join()"); got != "" {
		t.Errorf("the page asked %s for something", got)
	}
	if got := ask[string](t, ctx, "JSON.stringify([localStorage.length, sessionStorage.length, document.cookie])"); got != `[0,0,""]` {
		t.Errorf("the page keeps %s", got)
	}
	ask[bool](t, ctx, `window.kept = null, (() => { const o = indexedDB.open("gatehouse-terminal"); o.onsuccess = () => { const g = o.result.transaction("device").objectStore("device").get("this");
		g.onsuccess = async () => { const k = g.result.key; window.kept = Object.keys(g.result).sort().join() + " " + k.type + " " + k.extractable + " " + await crypto.subtle.exportKey("pkcs8", k).then(() => "exported", e => e.name); }; }; })(), true`)
	until(t, ctx, "window.kept !== null")
	if got := ask[string](t, ctx, "window.kept"); got != "device,key,site,skew private false InvalidAccessError" {
		t.Errorf("the browser keeps %s", got)
	}

	// Another page than the one that is open, after an update of the server: the tablet loads
	// it by itself, and is still enrolled.
	ask[bool](t, ctx, `window.old = true, (() => { const ask = fetch; window.fetch = async (path, init) => { const got = await ask(path, init), b = await got.json();
		return new Response(JSON.stringify({...b, page: "another"}), {status: got.status, headers: got.headers}); }; })(), true`)
	waitLong(t, ctx, "!window.old && document.body.dataset.state === 'stand' && document.getElementById('gate').innerText === 'Side door'")
}
