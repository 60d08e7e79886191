package api_test

import (
	"context"
	"testing"

	"gatehouse"
	"gatehouse/api/wire"

	"github.com/google/go-cmp/cmp"
)

func (w *world) ImportCheck(_ context.Context, r wire.ImportRequest) (wire.ImportStatus, error) {
	return wire.ImportStatus{ID: gatehouse.ID{5}, Kind: r.Kind, Rows: len(r.File), Encoding: r.Encoding, State: "checked"}, w.fail
}

func (w *world) Import(_ context.Context, id gatehouse.ID) (wire.ImportStatus, error) {
	return wire.ImportStatus{ID: id, State: "running"}, w.fail
}

func (w *world) ImportStart(_ context.Context, id gatehouse.ID) (wire.ImportStatus, error) {
	return wire.ImportStatus{ID: id, State: "running"}, w.fail
}

func (w *world) ImportStop(_ context.Context, id gatehouse.ID) (wire.ImportStatus, error) {
	return wire.ImportStatus{ID: id, State: "stopped"}, w.fail
}

func TestATableGoesOverTheSocket(t *testing.T) {
	w := &world{}
	c := overSocket(t, w)
	checked, err := c.ImportCheck(t.Context(), wire.ImportRequest{Kind: gatehouse.VehicleSubject, File: []byte("label,plate\nV-1,X\n"), Encoding: "utf-8"})
	if diff := cmp.Diff(wire.ImportStatus{ID: gatehouse.ID{5}, Kind: gatehouse.VehicleSubject, Rows: 18, Encoding: "utf-8", State: "checked"}, checked); diff != "" || err != nil {
		t.Errorf("%v\n%s", err, diff)
	}
	for want, ask := range map[string]func(context.Context, gatehouse.ID) (wire.ImportStatus, error){"running": c.ImportStart, "stopped": c.ImportStop} {
		if got, err := ask(t.Context(), checked.ID); err != nil || got.State != want || got.ID != checked.ID {
			t.Errorf("%+v, %v", got, err)
		}
	}
	w.fail = gatehouse.Errorf("intake.gone", "give it again", "gone")
	if _, err := c.Import(t.Context(), checked.ID); gatehouse.ErrorCode(err) != "intake.gone" {
		t.Errorf("%v", err)
	}
}
