package escrow_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"gatehouse"
	"gatehouse/flow/escrow"
	"gatehouse/internal/child/childtest"
	"gatehouse/store/sqlite"
	"gatehouse/vault"
	"gatehouse/vault/custody"
)

// The test binary is the vault process too.
func TestMain(m *testing.M) {
	custody.QuickForTests() // in the processes that it starts, too
	childtest.Main(m, map[string]func(context.Context) error{"__vault": vault.RunChild})
}

const passphrase = "correct horse battery staple"

var place = gatehouse.Place{Org: "acme", Site: "north"}

type site struct {
	*escrow.Store
	store *sqlite.Store
	vault *vault.Vault
	gate  *vault.GateKey
	data  string
}

func openSite(t *testing.T) *site {
	t.Helper()
	s := &site{data: t.TempDir()}
	key := filepath.Join(t.TempDir(), "gate.key")
	must(t, os.Mkdir(filepath.Join(s.data, "db"), 0o700))
	must(t, vault.CreateGateKey(s.data, key))
	var err error
	s.gate, err = vault.OpenGateKey(s.data, key)
	must(t, err)
	must(t, vault.Init(filepath.Join(s.data, "vault"), passphrase))
	s.vault, err = vault.Open(t.Context(), vault.Options{Dir: filepath.Join(s.data, "vault"), Gate: s.gate, Log: slog.New(slog.DiscardHandler)})
	must(t, err)
	t.Cleanup(func() { must(t, s.vault.Close()) })
	s.store, err = sqlite.Open(t.Context(), sqlite.Options{Dir: filepath.Join(s.data, "db"), Key: func(file string) ([32]byte, error) { return s.gate.FileKey(filepath.Join("db", file)) }})
	must(t, err)
	t.Cleanup(func() { must(t, s.store.Close()) })
	s.Store = &escrow.Store{WorkingStore: s.store, Gate: s.gate, Sealer: s.vault, Copies: s.store, Forget: s.vault.ForgetTemplates}
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *site) item(t *testing.T, kind gatehouse.WorkingKind, subject gatehouse.SubjectID, plain string) gatehouse.WorkingItem {
	t.Helper()
	w := gatehouse.WorkingItem{Place: place, Kind: kind, Subject: subject, Row: gatehouse.RandomID()}
	var err error
	w.Sealed, err = s.gate.SealWorking(w.Context(), []byte(plain))
	must(t, err)
	return w
}

// working is every item, opened.
func (s *site) working(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	must(t, s.Working(t.Context(), func(w gatehouse.WorkingItem) error {
		plain, err := s.gate.OpenWorking(w.Context(), w.Sealed)
		all[fmt.Sprint(w.Kind, w.Row)] = string(plain)
		return err
	}))
	return all
}

func (s *site) opener(t *testing.T) escrow.Opener {
	t.Helper()
	proof, _, err := s.vault.BeginRebuild(t.Context(), "op", gatehouse.Passphrase([]byte(passphrase)))
	must(t, err)
	return func(ctx context.Context, refs []gatehouse.SealedRef) ([][]byte, error) {
		return s.vault.Rebuild(ctx, "op", proof, refs)
	}
}

// What the gate knew it knows again, except of whoever was erased.
func TestTheWorkingSetIsRebuilt(t *testing.T) {
	s := openSite(t)
	ana, eve := gatehouse.RandomID(), gatehouse.RandomID()
	items := []gatehouse.WorkingItem{s.item(t, gatehouse.BadgeItem, ana, "badge"), s.item(t, gatehouse.TemplateItem, ana, "face"), s.item(t, gatehouse.CardItem, ana, "card"),
		s.item(t, gatehouse.TokenItem, gatehouse.SubjectID{}, "token"), s.item(t, gatehouse.BadgeItem, eve, "erased")}
	must(t, s.PutWorking(t.Context(), items))
	changed := items[0]
	var err error
	changed.Sealed, err = s.gate.SealWorking(changed.Context(), []byte("another badge"))
	must(t, err)
	must(t, s.PutWorking(t.Context(), []gatehouse.WorkingItem{changed}))
	must(t, s.DeleteWorking(t.Context(), place, ana, gatehouse.TemplateItem)) // consent withdrawn
	// An item of an earlier version, which nobody copied.
	must(t, s.store.PutWorking(t.Context(), []gatehouse.WorkingItem{s.item(t, gatehouse.PINItem, ana, "pin")}))
	for _, want := range []int{1, 0} {
		if n, err := s.Complete(t.Context()); err != nil || n != want {
			t.Errorf("%d items were copied, %v", n, err)
		}
	}
	want := s.working(t)
	delete(want, fmt.Sprint(gatehouse.BadgeItem, items[4].Row))

	_, err = s.vault.Erase(t.Context(), gatehouse.EraseRequest{Place: place, ID: gatehouse.RandomID(), Subject: eve, Operator: "test"})
	must(t, err)
	must(t, s.store.DeleteWorking(t.Context(), place, ana))
	must(t, s.store.DeleteWorking(t.Context(), place, eve))
	open := s.opener(t)
	for range 2 { // the second time changes nothing
		rebuilt, lost, err := s.Rebuild(t.Context(), open, 2, func(int) {})
		if err != nil || rebuilt != 4 || lost != 1 {
			t.Errorf("%d rebuilt, %d lost, %v", rebuilt, lost, err)
		}
	}
	if got := s.working(t); fmt.Sprint(got) != fmt.Sprint(want) || len(got) != 4 {
		t.Errorf("the gate knows %v, want %v", got, want)
	}
	for _, plain := range s.working(t) {
		if plain == "face" {
			t.Error("a template came back without a consent")
		}
	}
}

// An item whose copy cannot be written is not put: it could not be rebuilt.
func TestNoItemWithoutItsCopy(t *testing.T) {
	s := openSite(t)
	broken := errors.New("broken")
	s.Copies = failing{s.store, broken}
	if err := s.PutWorking(t.Context(), []gatehouse.WorkingItem{s.item(t, gatehouse.BadgeItem, gatehouse.RandomID(), "x")}); !errors.Is(err, broken) {
		t.Error(err)
	}
	if got := s.working(t); len(got) != 0 {
		t.Errorf("the gate knows %v", got)
	}
}

type failing struct {
	gatehouse.EscrowStore
	err error
}

func (f failing) PutEscrow(context.Context, []gatehouse.EscrowItem) error { return f.err }

// A vehicle's mark goes within seven days: a copy in the archive would outlast it.
func TestAMarkHasNoCopy(t *testing.T) {
	s := openSite(t)
	mark := s.item(t, gatehouse.MarkItem, gatehouse.RandomID(), "AB12CDE")
	must(t, s.PutWorking(t.Context(), []gatehouse.WorkingItem{mark, s.item(t, gatehouse.PlateItem, gatehouse.RandomID(), "ZZ99ZZZ")}))
	must(t, s.ReplaceWorking(t.Context(), []gatehouse.WorkingItem{mark}))
	if n, err := s.Complete(t.Context()); err != nil || n != 0 {
		t.Errorf("%d were copied later, %v", n, err)
	}
	copies := 0
	must(t, s.store.Escrow(t.Context(), func(e gatehouse.EscrowItem) error {
		if copies++; e.Kind == gatehouse.MarkItem {
			t.Error("a mark has a copy")
		}
		return nil
	}))
	if copies != 1 || len(s.working(t)) != 2 {
		t.Errorf("%d copies of %d items", copies, len(s.working(t)))
	}
	must(t, s.DeleteWorking(t.Context(), place, mark.Subject, gatehouse.MarkItem))
	if len(s.working(t)) != 1 {
		t.Error("the mark is still there")
	}
}
