package fault_test

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/flow/workingset"
	"gatehouse/gallery"
	"gatehouse/vault"
)

// rekeyEnv names the gate key of a child that rekeys for ever instead of committing.
const rekeyEnv = "GATEHOUSE_FAULT_REKEY"

const rekeyFaces, rekeyDims = 700, 64

var rekeyPlace = gatehouse.Place{Org: "fault", Site: "rekey"}

func rekeyFace(i int) ([]float32, gatehouse.SubjectID) {
	r := rand.New(rand.NewPCG(uint64(i), 5))
	v := make([]float32, rekeyDims)
	var sq float64
	for k := range v {
		v[k] = float32(r.NormFloat64())
		sq += float64(v[k]) * float64(v[k])
	}
	for k := range v {
		v[k] /= float32(math.Sqrt(sq))
	}
	return v, gatehouse.SubjectID{byte(i), byte(i >> 8), 1}
}

func openRekeyed(ctx context.Context, dir string, keys fileKeys, gateKey string) (*stores, *workingset.Set, *gallery.Gallery, error) {
	gate, err := vault.OpenGateKey(dir, gateKey)
	if err != nil {
		return nil, nil, nil, err
	}
	s, err := openStores(ctx, dir, filepath.Join(dir, "blobs"), keys)
	if err != nil {
		return nil, nil, nil, err
	}
	g := gallery.New(rekeyDims)
	w, err := workingset.Load(ctx, rekeyPlace, s, gate, g)
	return s, w, g, err
}

func rekeyForever(dir string) error {
	var keys fileKeys
	if err := json.NewDecoder(os.Stdin).Decode(&keys); err != nil {
		return err
	}
	ctx := context.Background()
	_, w, _, err := openRekeyed(ctx, dir, keys, os.Getenv(rekeyEnv))
	if err != nil {
		return err
	}
	for {
		if err := acknowledge(ack{}); err != nil {
			return err
		}
		if _, err := w.Rekey(ctx); err != nil {
			return err
		}
	}
}

// A gallery's rekey is killed at random moments: everybody is still known afterwards,
// exactly as before, and the next start finishes it.
func TestKillingARekeyLosesNobody(t *testing.T) {
	rounds := 4
	if os.Getenv("GATEHOUSE_FAULT_ROUNDS") != "" {
		rounds = 40
	}
	dir, keys, gateKey := t.TempDir(), newKeys(), filepath.Join(t.TempDir(), "gate.key")
	if err := vault.CreateGateKey(dir, gateKey); err != nil {
		t.Fatal(err)
	}
	s, w, _, err := openRekeyed(t.Context(), dir, keys, gateKey)
	if err != nil {
		t.Fatal(err)
	}
	var items []gatehouse.WorkingItem
	for i := range rekeyFaces {
		face, subject := rekeyFace(i)
		item, err := w.TemplateItem(subject, face)
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, item)
	}
	if err := w.Put(t.Context(), items); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	t.Setenv(rekeyEnv, gateKey)
	rekeys := 0
	for round := range rounds {
		rekeys += len(killOne(t, dir, keys, time.Duration(rand.IntN(120))*time.Millisecond)) - 1
		s, _, g, err := openRekeyed(t.Context(), dir, keys, gateKey)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if n := g.Size(rekeyPlace); n != rekeyFaces {
			t.Errorf("round %d: %d templates, want %d", round, n, rekeyFaces)
		}
		for i := range rekeyFaces {
			face, subject := rekeyFace(i)
			if m, ok := g.Nearest(rekeyPlace, face); !ok || m.Subject != subject || m.Similarity < 0.9999 {
				t.Fatalf("round %d: face %d is %+v", round, i, m)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d rounds, %d whole rekeys", rounds, rekeys)
}
