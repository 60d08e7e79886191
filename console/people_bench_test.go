package console_test

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"testing"

	"gatehouse"
	"gatehouse/console/consoletest"
)

// BenchmarkPeople is the list of a site with 10,000 people, of whom a page is shown.
func BenchmarkPeople(b *testing.B) {
	s := consoletest.New(nil, nil, nil)
	defer s.Close()
	for i := range 10_000 {
		s.Enrol(gatehouse.PersonSubject, fmt.Sprintf("Staff %d", i), "Somebody", gatehouse.Active)
	}
	jar, _ := cookiejar.New(nil)
	browser := &http.Client{Jar: jar}
	link := s.Auth.Mint()
	w, err := browser.Get(link)
	if err != nil {
		b.Fatal(err)
	}
	w.Body.Close()
	at := *w.Request.URL
	at.Path = "/people"
	for b.Loop() {
		w, err := browser.Get(at.String())
		if err != nil || w.StatusCode != http.StatusOK {
			b.Fatal(w, err)
		}
		w.Body.Close()
	}
}
