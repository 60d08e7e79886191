package vault

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"gatehouse"
)

// Live windows that show something at the same moment are each in the log, in full, before
// they show it, also where one operator has several and one of them is refused.
func TestLiveWindowsAreWrittenTogether(t *testing.T) {
	in := install(t)
	ctx := t.Context()
	const operators, rounds = 20, 5
	var all sync.WaitGroup
	for round := range rounds {
		for i := range operators {
			for _, item := range []string{fmt.Sprintf("ring/%d/pictures", round), fmt.Sprintf("ring/%d-%d/pictures", round, i)} {
				all.Go(func() {
					d := gatehouse.Disclosure{Operator: fmt.Sprintf("site/op-%d", i), Purpose: "live", Items: []string{item}}
					if err := in.vault.Record(ctx, d); err != nil {
						t.Error(err)
					}
				})
			}
		}
		all.Go(func() {
			wantCode(t, in.vault.Record(ctx, gatehouse.Disclosure{Operator: "", Purpose: "live", Items: []string{"ring/x/pictures"}}), "vault.operator")
		})
		all.Wait()
	}
	list, err := in.vault.Disclosures(ctx, gatehouse.ID{}, 100)
	must(t, err)
	if len(list) != operators {
		t.Fatalf("%d disclosures, want one a window: %d", len(list), operators)
	}
	for _, d := range list {
		if len(d.Items) != 2*rounds || len(slices.Compact(slices.Sorted(slices.Values(d.Items)))) != 2*rounds || d.Units != 2*rounds {
			t.Errorf("%s: %d units, %q", d.Operator, d.Units, d.Items)
		}
	}
}
