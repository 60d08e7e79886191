package api_test

import (
	"context"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
)

func (w *world) Search(_ context.Context, r wire.SearchRequest) (wire.SearchResponse, error) {
	w.searches = append(w.searches, r)
	return wire.SearchResponse{Hits: []wire.SearchHit{{Kind: gatehouse.PassageHit, ID: gatehouse.ID{3}, Text: "京A12345"}}, Next: "5.6"}, w.fail
}

func TestSearchOverTheSocket(t *testing.T) {
	w := &world{}
	c := overSocket(t, w)
	sent := wire.SearchRequest{Reason: "case 7", Plate: "京A12345", PlateMatch: gatehouse.PlateNear, Name: "Ana", NationalID: "1", Number: "2", Phone: "3", PhoneEnd: "0004", Email: "a@b",
		Gate: "front-door", Since: time.Unix(1, 0).UTC(), Until: time.Unix(2, 0).UTC(), Kind: gatehouse.PassageHit, After: "7.8", Limit: 9}
	got, err := c.Search(t.Context(), sent)
	if err != nil || len(got.Hits) != 1 || got.Hits[0].Text != "京A12345" || got.Next != "5.6" {
		t.Fatalf("%+v, %v", got, err)
	}
	if !reflect.DeepEqual(w.searches[0], sent) {
		t.Errorf("sent  %#v\nheard %#v", sent, w.searches[0])
	}
	w.fail = gatehouse.Errorf("search.malformed", "give a plate", "there is nothing to search for")
	if _, err := c.Search(t.Context(), wire.SearchRequest{}); gatehouse.ErrorCode(err) != "search.malformed" {
		t.Error(err)
	}
}

// A search is for sessions and the socket; its query is taken from the body only.
func TestSearchPolicy(t *testing.T) {
	w := &world{}
	tcp, socket := serve(t, w, nil)
	json := []string{"Content-Type", "application/json"}
	if got := send(tcp, "POST", "/api/v1/search", `{"reason":"x","name":"Ana"}`, json...); got.Code != http.StatusUnauthorized || len(w.searches) > 0 {
		t.Errorf("without a session: %d", got.Code)
	}
	if got := send(socket, "GET", "/admin/v1/search?name=Ana", ""); got.Code == http.StatusOK {
		t.Errorf("with the query in the address: %d", got.Code)
	}
	for body, want := range map[string]int{`{"reason":"x","name":"Ana"}`: 200, `{"naem":"Ana"}`: 400, ``: 400, `{"name":"` + strings.Repeat("x", 17<<10) + `"}`: 413} {
		got := send(socket, "POST", "/admin/v1/search", body, json...)
		if got.Code != want {
			t.Errorf("%.40s: %d, want %d", body, got.Code, want)
		}
		if got.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%.40s: the answer may be kept", body)
		}
	}
	if len(w.searches) != 1 || w.searches[0].Limit != 50 {
		t.Errorf("searched %+v", len(w.searches))
	}
}
