package e2e

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/lab/demo/scene"
	"gatehouse/server"
	"gatehouse/vision/imaging"
	"gatehouse/vision/models"

	"math/rand/v2"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// unsealed is a whole running server, its vault open, and a link to its console.
func unsealed(t *testing.T) (*server.Server, string) {
	t.Helper()
	p := run(t)
	must(t, p.Unseal(t.Context(), []byte("correct horse battery staple")))
	return p.Server, p.link
}

// enrolmentPhoto writes a photo of one portrait to a file.
func enrolmentPhoto(t *testing.T, n int) string {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(models.Dir(), "portraits", "*.jpg"))
	slices.Sort(files)
	raw, err := os.ReadFile(files[n])
	must(t, err)
	picture, err := imaging.Decode(raw, imaging.Limits{})
	must(t, err)
	path := filepath.Join(t.TempDir(), "photo.jpg")
	must(t, os.WriteFile(path, scene.Enrolment(picture, rand.New(rand.NewPCG(uint64(n), 1))), 0o600))
	return path
}

// click follows a link or presses a button, and waits until the page that follows is
// there.
func click(t *testing.T, ctx context.Context, css, arrived string) {
	t.Helper()
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS(css))))
	until(t, ctx, "document.readyState == 'complete' && ("+arrived+")")
}

// Enrolling somebody with their consent and erasing them again, with a mouse, at the real
// product: its eyes, its vault, its certificate.
func TestSomebodyIsEnrolledAndErasedByMouse(t *testing.T) {
	s, link := unsealed(t)
	ctx, c := tab(t)
	must(t, chromedp.Do(ctx, chromedp.Navigate(link)))
	base := ask[string](t, ctx, "location.origin")
	must(t, chromedp.Do(ctx, chromedp.Navigate(base+"/people?lang=en")))
	click(t, ctx, "a[href='/people/new']", "location.pathname == '/people/new'")
	must(t, chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS("#label"), "Staff 7"), chromedp.SendKeys(chromedp.CSS("#name"), "Mei Lin")))
	click(t, ctx, ".acts .primary", "location.pathname.endsWith('/consent')")
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("[name=doors]")), chromedp.Click(chromedp.CSS("[name=notice][value=en]")), chromedp.Click(chromedp.CSS("[name=how][value=terminal]"))))
	click(t, ctx, ".acts .primary", "location.pathname.endsWith('/photos')")
	must(t, chromedp.Do(ctx, chromedp.SetUploadFiles(chromedp.CSS("#photo"), []string{enrolmentPhoto(t, 3)})))
	until(t, ctx, "document.querySelector('#photos .is-good') !== null")
	if text := ask[string](t, ctx, "document.querySelector('#photos').innerText"); !strings.Contains(text, "Good photos: 1") {
		t.Errorf("the photo is judged\n%s", text)
	}
	must(t, chromedp.Do(ctx, chromedp.SetUploadFiles(chromedp.CSS("#photo"), []string{enrolmentPhoto(t, 40)})))
	until(t, ctx, "document.querySelector('#photos').innerText.includes('somebody else')")
	click(t, ctx, "a.primary", "location.pathname.endsWith('/cards')")
	must(t, chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS("#card"), "4711")))
	click(t, ctx, ".acts .primary", "location.pathname.endsWith('/access')")
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("[name=gate]"))))
	click(t, ctx, ".acts .primary", "location.pathname.endsWith('/review')")
	click(t, ctx, ".acts button.primary", "/^\\/people\\/[0-9a-f]{32}$/.test(location.pathname)")
	if text := ask[string](t, ctx, "document.querySelector('main').innerText"); !strings.Contains(text, "Mei Lin") || !strings.Contains(text, "photos: 1") || !strings.Contains(text, "The face opens doors") {
		t.Errorf("their page says\n%s", text)
	}
	list, err := s.Admin().Subjects(t.Context(), gatehouse.SubjectID{}, 10)
	if err != nil || len(list.Subjects) != 1 || list.Subjects[0].Label != "Staff 7" {
		t.Fatalf("%+v, %v", list, err)
	}
	id := list.Subjects[0].ID

	click(t, ctx, "a[href$='/erase']", "location.pathname.endsWith('/erase')")
	must(t, chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS("#reason"), "she left"), chromedp.SendKeys(chromedp.CSS("#label"), "Staff 7")))
	must(t, chromedp.Do(ctx, chromedp.Click(chromedp.CSS("button.danger"))))
	until(t, ctx, "document.readyState == 'complete' && document.querySelector('a[download]') !== null")
	if text := ask[string](t, ctx, "document.querySelector('main').innerText"); !strings.Contains(text, id.String()) || !strings.Contains(text, "Final at") {
		t.Errorf("the certificate says\n%s", text)
	}
	certificate, err := gatehouse.ParseID(strings.TrimPrefix(ask[string](t, ctx, "location.pathname"), "/privacy/erasures/"))
	must(t, err)
	e, err := s.Admin().Erasure(t.Context(), certificate)
	if err != nil || e.Certificate.Subject != id {
		t.Fatalf("%+v, %v", e, err)
	}
	if found, err := s.Admin().CheckErasure(t.Context(), e); err != nil || len(found.Findings) > 0 {
		t.Errorf("what is left of them: %v, %v", found, err)
	}
	report, err := s.Admin().AuditVerify(t.Context(), wire.AuditVerifyRequest{})
	if err != nil || len(report.Findings) > 0 {
		t.Errorf("the audit log: %+v, %v", report.Findings, err)
	}
	quiet(t, c)
}

// The same with the keyboard alone, and a photo of the camera.
func TestSomebodyIsEnrolledAndErasedByKeyboard(t *testing.T) {
	s := site(t)
	ctx, c := tab(t)
	must(t, chromedp.Do(ctx, enter(t, s)))
	must(t, chromedp.Do(ctx, chromedp.Navigate(at(s, "/people/new?lang=en"))))
	press := func(keys string) { must(t, chromedp.Do(ctx, chromedp.KeyEvent(keys))) }
	// to tabs until the focus is on what the selector names.
	to := func(css string) {
		t.Helper()
		for range 80 {
			if ask[bool](t, ctx, "document.activeElement.matches("+quoted(css)+")") {
				return
			}
			press(kb.Tab)
		}
		t.Fatalf("the keyboard does not reach %s", css)
	}
	there := func(step string) {
		t.Helper()
		until(t, ctx, "document.readyState == 'complete' && location.pathname.endsWith("+quoted(step)+")")
	}
	to("#label")
	press("Staff 7")
	to("#name")
	press("Mei Lin" + kb.Enter)
	there("/consent")
	to("[name=doors]")
	press(" ")
	to("[name=notice]")
	press(" ")
	to("[name=how]")
	press(" ")
	to("button.primary")
	press(kb.Enter)
	there("/photos")
	to("[data-start]")
	press(kb.Enter)
	until(t, ctx, "document.activeElement.matches('[data-take]')")
	if !ask[bool](t, ctx, "document.querySelector('video').videoWidth > 0") {
		t.Error("the camera shows nothing")
	}
	press(kb.Enter)
	until(t, ctx, "document.querySelector('#photos .is-good') !== null")
	for _, v := range violations(t, ctx) {
		t.Error(v)
	}
	to("a.primary")
	press(kb.Enter)
	there("/cards")
	to("#pin")
	press("904178" + kb.Enter)
	there("/access")
	to("[name=gate]")
	press(" ")
	to("button.primary")
	press(kb.Enter)
	there("/review")
	to("button.primary")
	press(kb.Enter)
	until(t, ctx, "document.querySelector('.done') !== null")
	all := s.Subjects()
	if len(all) != 1 || s.TemplatesOf(all[0].ID) != 1 || len(s.ConsentsOf(all[0].ID)) != 1 {
		t.Fatalf("%d are enrolled", len(all))
	}
	to("a.danger")
	press(kb.Enter)
	there("/erase")
	to("#reason")
	press("she left")
	to("#label")
	press("Staff 8" + kb.Enter)
	until(t, ctx, "document.querySelector('.problem') !== null")
	if len(s.Subjects()) != 1 {
		t.Fatal("another label erased them")
	}
	to("#label")
	press("Staff 7" + kb.Enter)
	until(t, ctx, "document.querySelector('a[download]') !== null")
	if len(s.Subjects()) != 0 {
		t.Error("they are still there")
	}
	if all := c.all(); strings.Count(all, "422") != strings.Count(all, "error") {
		t.Errorf("the browser complained:\n%s", all)
	}
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `\'`) + "'" }

// A page that waits for an erasure goes on by itself when it is done, and an import that
// runs shows how far it is.
func TestLongWorkShowsItself(t *testing.T) {
	s := site(t)
	s.Erasing = make(chan struct{})
	id := s.Enrol(gatehouse.PersonSubject, "Staff 7", "Mei Lin", gatehouse.Active)
	ctx, c := tab(t)
	must(t, chromedp.Do(ctx, enter(t, s), chromedp.Navigate(at(s, "/people/"+id.String()+"/erase"))))
	must(t, chromedp.Do(ctx, chromedp.SendKeys(chromedp.CSS("#reason"), "she left"), chromedp.SendKeys(chromedp.CSS("#label"), "Staff 7"+kb.Enter)))
	until(t, ctx, "document.querySelector('progress') !== null")
	time.Sleep(1200 * time.Millisecond) // it asks, and stays
	if !ask[bool](t, ctx, "document.querySelector('progress') !== null") {
		t.Error("it says that it is done")
	}
	pictures(t, ctx, "http://localhost:"+port(s), "erasing", ask[string](t, ctx, "location.pathname"))
	close(s.Erasing)
	until(t, ctx, "document.querySelector('a[download]') !== null")

	file := filepath.Join(t.TempDir(), "people.csv")
	must(t, os.WriteFile(file, []byte("label,name\nB-1,Ana\nB-2,Ben\n"), 0o600))
	must(t, chromedp.Do(ctx, chromedp.Navigate(at(s, "/people/import")), chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file})))
	click(t, ctx, ".acts .primary", "location.pathname.startsWith('/imports/')")
	click(t, ctx, ".acts .primary", "document.querySelector('#job') !== null")
	until(t, ctx, "document.querySelector('#h-job').innerText == 'Done'")
	if n := len(s.Subjects()); n != 2 {
		t.Errorf("%d are enrolled", n)
	}
	quiet(t, c)
}
