package server

import (
	"errors"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/flow/follow"
)

func catchUp(t *testing.T, s *Server) {
	t.Helper()
	if err := s.IndexArchive(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestSearchFindsWhoPassed(t *testing.T) {
	c := testConfig(t)
	s := open(t, c)
	ana := enrol(t, s, "B-1", "Ana Silva", nil)
	enrol(t, s, "B-2", "Bo Nordmann", nil)
	addDevice(t, s, "tablet")
	first := card(t, s, "tablet", "card B-1")
	stranger := card(t, s, "tablet", "a card that nobody has")

	find := func(r wire.SearchRequest) (wire.SearchResponse, error) {
		r.Reason, r.Limit = "a test", 50
		return s.Admin().Search(t.Context(), r)
	}
	if _, err := find(wire.SearchRequest{Name: "silva"}); gatehouse.ErrorCode(err) != "vault.sealed" {
		t.Errorf("while sealed: %v", err)
	}
	if err := s.IndexArchive(t.Context()); !errors.Is(err, follow.ErrLater) {
		t.Errorf("following while sealed: %v", err)
	}
	if err := s.Unseal(t.Context(), []byte(passphrase)); err != nil {
		t.Fatal(err)
	}
	catchUp(t, s)
	got, err := find(wire.SearchRequest{Name: "silva"})
	if err != nil || !got.Current || len(got.Hits) != 2 {
		t.Fatalf("%d rows, %v", len(got.Hits), err)
	}
	h := got.Hits[0]
	if h.ID != first.ID || h.Subject != ana || h.Text != "Ana Silva" || h.Decision != "granted" || h.Gate != "front-door" || h.Reason != first.Decision.Reason {
		t.Errorf("the passage is %+v", h)
	}
	if r := got.Hits[1]; r.Kind != gatehouse.RecordHit || r.ID != ana || r.SubjectKind != gatehouse.PersonSubject || r.Status != gatehouse.Active {
		t.Errorf("the record is %+v", r)
	}
	if got, err = find(wire.SearchRequest{Gate: "front-door", Since: time.Now().Add(-time.Hour)}); err != nil || len(got.Hits) != 2 || got.Hits[0].ID != stranger.ID || got.Hits[0].Text != "" {
		t.Errorf("by gate: %d rows, %v", len(got.Hits), err)
	}
	if got, err = find(wire.SearchRequest{NationalID: "id 4711 b1"}); err != nil || len(got.Hits) != 2 {
		t.Errorf("by ID number: %d rows, %v", len(got.Hits), err)
	}

	// What comes after the index was filled is found too, also over a restart.
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = open(t, c)
	enrol(t, s, "B-3", "Cleo Silva", nil)
	if err := s.Unseal(t.Context(), []byte(passphrase)); err != nil {
		t.Fatal(err)
	}
	catchUp(t, s)
	if got, err = find(wire.SearchRequest{Name: "silva"}); err != nil || len(got.Hits) != 3 {
		t.Errorf("after a restart: %d rows, %v", len(got.Hits), err)
	}
	if st, err := s.Admin().Status(t.Context()); err != nil || st.Index == nil || !st.Index.Current {
		t.Errorf("status %+v, %v", st.Index, err)
	}
	list, err := s.vault.Disclosures(t.Context(), gatehouse.ID{}, 1)
	if err != nil || list[0].Purpose != "search" || list[0].Operator != "site/admin-socket" || list[0].Units != 8 {
		t.Errorf("the newest disclosure is %+v, %v", list, err)
	}
}

// A console's session searches under its own name; without one nobody does.
func TestSearchWithASession(t *testing.T) {
	s := open(t, testConfig(t))
	link := run(t, s)
	address := link[:strings.Index(link, "/enter/")] + "/api/v1/search"
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	post := func() int {
		t.Helper()
		resp, err := browser.Post(address, "application/json", strings.NewReader(`{"reason":"a test","name":"silva"}`))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if got := post(); got != http.StatusUnauthorized {
		t.Errorf("without a session: %d", got)
	}
	page, err := browser.Get(link)
	if err != nil {
		t.Fatal(err)
	}
	page.Body.Close()
	if got := post(); got != http.StatusConflict {
		t.Errorf("while the vault is sealed: %d", got)
	}
	if err := s.Unseal(t.Context(), []byte(passphrase)); err != nil {
		t.Fatal(err)
	}
	if got := post(); got != http.StatusOK {
		t.Errorf("with a session: %d", got)
	}
	list, err := s.vault.Disclosures(t.Context(), gatehouse.ID{}, 1)
	if err != nil || list[0].Purpose != "search" || list[0].Operator == "site/"+socketOperator || list[0].Units != 5 {
		t.Errorf("the newest disclosure is %+v, %v", list, err)
	}
}
