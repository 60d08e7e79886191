package vault

import (
	"bufio"
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse"
)

// sealForever is a gate that says each sealed value on stdout once Seal has
// returned, until it is killed.
func sealForever(data, gateFile string) {
	ctx := context.Background()
	fatal := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	gate, err := OpenGateKey(data, gateFile)
	fatal(err)
	v, err := Open(ctx, Options{Dir: filepath.Join(data, "vault"), Gate: gate, Log: slog.New(slog.DiscardHandler)})
	fatal(err)
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() {
			for {
				subject, where := gatehouse.RandomID(), someplace("detail")
				if i == 0 {
					subject, err = v.OneOff(ctx, place)
					fatal(err)
				}
				sealed, err := v.Seal(ctx, subject, gatehouse.PassageClass, where, where.Row[:], gatehouse.PadField)
				fatal(err)
				fmt.Printf("%s %x\n", where.Row, sealed)
			}
		})
	}
	wg.Wait()
}

// TestGateIsKilled kills the gate, and its vault process with it, in the middle of
// sealing: every value that was acknowledged opens afterwards.
func TestGateIsKilled(t *testing.T) {
	in := install(t)
	must(t, in.vault.Close())
	self, err := os.Executable()
	must(t, err)
	var refs []gatehouse.SealedRef
	for round := range 3 {
		gate := exec.Command(self, "__gate", in.data, in.gateFile)
		gate.Stderr = os.Stderr
		said, err := gate.StdoutPipe()
		must(t, err)
		must(t, gate.Start())
		lines := bufio.NewScanner(said)
		for got := 0; lines.Scan(); got++ {
			row, sealed, ok := strings.Cut(lines.Text(), " ")
			b, err := hex.DecodeString(sealed)
			if !ok || err != nil {
				break // the kill cut the line: this one was not acknowledged
			}
			where := gatehouse.SealContext{Place: place, Table: "passage", Field: "detail"}
			where.Row, err = gatehouse.ParseID(row)
			must(t, err)
			refs = append(refs, gatehouse.SealedRef{Where: where, Sealed: b})
			if got == 40+30*round {
				must(t, gate.Process.Kill())
			}
		}
		_ = gate.Wait() // killed
		in.open(t)      // its vault process dies with it and gives the directory free
		if round < 2 {
			must(t, in.vault.Close())
		}
	}
	for i, plain := range in.opened(t, refs...) {
		if string(plain) != string(refs[i].Where.Row[:]) {
			t.Fatalf("value %d of %d was acknowledged and does not open", i, len(refs))
		}
	}
	t.Logf("%d values over 3 kills", len(refs))
}

// TestRecord: what was shown without the vault stands in the log too.
func TestRecord(t *testing.T) {
	in := install(t)
	d := gatehouse.Disclosure{ID: gatehouse.ID{1}, Operator: operator, Purpose: "live", Items: []string{"ring/1/picture"}, Units: 10}
	must(t, in.vault.Record(t.Context(), d))
	d.Purpose = "curiosity"
	wantCode(t, in.vault.Record(t.Context(), d), "vault.purpose")
	list, err := in.vault.Disclosures(t.Context(), gatehouse.ID{}, 5)
	must(t, err)
	if len(list) != 1 || list[0].ID == d.ID || list[0].Items[0] != "ring/1/picture" || time.Since(list[0].At) > time.Minute {
		t.Errorf("the log holds %+v", list)
	}
}
