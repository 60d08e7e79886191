package vault

import (
	"bytes"
	"context"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/internal/child"
)

// kill ends the vault process as a power cut of its own would.
func (in *installation) kill() {
	if pid := in.vault.Process().PID; pid > 0 {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// awaitRestart waits until the vault process is up for the n-th time after its first.
func (in *installation) awaitRestart(t *testing.T, n int) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if s := in.vault.Process(); s.Restarts >= n && s.State == child.Up {
			return
		}
	}
	t.Fatalf("the vault process was not started again: %+v", in.vault.Process())
}

// TestDisclosureIsDurableBeforeRelease kills the vault process between the two.
func TestDisclosureIsDurableBeforeRelease(t *testing.T) {
	self, err := os.Executable()
	must(t, err)
	in := install(t, func(o *Options) { o.Exec = []string{self, "__vault", "kill-after-logging"} })
	ref := in.sealOne(t, gatehouse.RandomID(), "LS15EBC")
	proof := in.unseal(t)
	plain, err := in.vault.Open(t.Context(), gatehouse.OpenRequest{Operator: operator, Proof: proof, Purpose: "passage", Reason: "killed", Refs: []gatehouse.SealedRef{ref}})
	wantCode(t, err, "vault.unavailable")
	if plain != nil {
		t.Error("the plaintext was released")
	}
	must(t, in.vault.process.Wait(t.Context()))
	list, err := in.vault.Disclosures(t.Context(), gatehouse.ID{}, 10)
	must(t, err)
	if len(list) != 1 || !list[0].ReasonSealed {
		t.Errorf("the log holds %+v", list)
	}
	again := in.unseal(t)
	if bytes.Equal(again, proof) {
		t.Error("two unsealings have one proof")
	}
	must(t, in.vault.SealVault(t.Context()))
	// The key died with the process, and the proof with it.
	_, err = in.vault.Open(t.Context(), gatehouse.OpenRequest{Operator: operator, Proof: proof, Purpose: "passage", Refs: []gatehouse.SealedRef{ref}})
	wantCode(t, err, "vault.sealed")
}

// TestKilledWhileSealing kills the vault process again and again under goroutines
// that seal for ever new subjects; whatever Seal acknowledged opens afterwards.
func TestKilledWhileSealing(t *testing.T) {
	in := install(t)
	var mu sync.Mutex
	var refs []gatehouse.SealedRef
	var stop atomic.Bool
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for !stop.Load() {
				where := someplace("detail")
				subject := gatehouse.RandomID()
				if where.Row[15]%2 == 0 {
					var err error
					if subject, err = in.vault.OneOff(t.Context(), place); err != nil {
						t.Error(err)
						return
					}
				}
				sealed, err := in.vault.Seal(t.Context(), subject, gatehouse.PassageClass, where, where.Row[:], gatehouse.PadField)
				if err != nil {
					t.Error("sealing does not survive a restart of the vault process:", err)
					return
				}
				mu.Lock()
				refs = append(refs, gatehouse.SealedRef{Where: where, Sealed: sealed})
				mu.Unlock()
			}
		})
	}
	kills := 4 // the back-off doubles: these take 1.5 s of waiting
	if testing.Short() {
		kills = 2
	}
	for i := range kills {
		time.Sleep(time.Duration(60+37*i) * time.Millisecond)
		in.kill()
		in.awaitRestart(t, i+1)
	}
	time.Sleep(100 * time.Millisecond)
	stop.Store(true)
	wg.Wait()
	if got := in.vault.Process().Restarts; got != kills {
		t.Errorf("%d restarts, want %d", got, kills)
	}
	for i, plain := range in.opened(t, refs...) {
		if !bytes.Equal(plain, refs[i].Where.Row[:]) {
			t.Fatalf("value %d of %d was acknowledged and does not open", i, len(refs))
		}
	}
	t.Logf("%d values over %d kills", len(refs), kills)
}

// TestKilledWhileOpening: an opening that fails half-way can be done again, and
// every plaintext that came out stands in the log.
func TestKilledWhileOpening(t *testing.T) {
	in := install(t)
	ref := in.sealOne(t, gatehouse.RandomID(), "LS15EBC")
	released := 0
	for i := range 4 {
		proof := in.unseal(t)
		time.AfterFunc(time.Duration(5+3*i)*time.Millisecond, in.kill)
		for {
			plain, err := in.vault.Open(t.Context(), gatehouse.OpenRequest{Operator: operator, Proof: proof, Purpose: "passage", Refs: []gatehouse.SealedRef{ref}})
			if err != nil {
				if code := gatehouse.ErrorCode(err); code != "vault.unavailable" && code != "vault.sealed" {
					t.Fatal(err)
				}
				break
			}
			if string(plain[0]) != "LS15EBC" {
				t.Fatalf("opened %q", plain)
			}
			released++
		}
		in.awaitRestart(t, i+1)
	}
	list, err := in.vault.Disclosures(t.Context(), gatehouse.ID{}, maxListing)
	must(t, err)
	if len(list) < released {
		t.Errorf("%d openings were released, %d stand in the log", released, len(list))
	}
	if in.vault.Process().Restarts != 4 {
		t.Errorf("%d restarts", in.vault.Process().Restarts)
	}
}

// TestVaultProcessIsHardened looks at the process from outside.
func TestVaultProcessIsHardened(t *testing.T) {
	in := install(t)
	pid := in.vault.Process().PID
	proc := func(name string) string {
		b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/" + name)
		must(t, err)
		return string(b)
	}
	core := ""
	for line := range strings.Lines(proc("limits")) {
		if strings.HasPrefix(line, "Max core file size") {
			core = strings.Join(strings.Fields(line)[4:6], " ")
		}
	}
	if core != "0 0" {
		t.Errorf("core dumps are limited to %q", core)
	}
	if os.Geteuid() != 0 {
		if _, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ"); err == nil {
			t.Error("the same user reads the process's environment: it is dumpable")
		}
	}
	in.unseal(t)
	s, err := in.vault.Status(t.Context())
	must(t, err)
	if s.Memory == memoryLocked && !strings.Contains(proc("status"), "VmLck:") {
		t.Errorf("memory is said to be %q", s.Memory)
	}
	t.Logf("memory: %s", s.Memory)
}

// TestNothingInClear searches the vault's files for what it sealed and how.
func TestNothingInClear(t *testing.T) {
	in := install(t)
	in.opened(t, in.sealOne(t, gatehouse.RandomID(), "LS15EBC"))
	must(t, in.vault.Close())
	entries, err := os.ReadDir(in.options.Dir)
	must(t, err)
	searched := 0
	for _, e := range entries {
		b, err := os.ReadFile(in.options.Dir + "/" + e.Name())
		must(t, err)
		searched += len(b)
		for _, mark := range []string{"LS15EBC", operator, "acme", "detail", passphrase, "SQLite format 3", "CREATE TABLE"} {
			public := mark == "acme" && (e.Name() == verifierKeyFile || e.Name() == checkpointFile) // what witnesses get names the site
			if bytes.Contains(b, []byte(mark)) && !public {
				t.Errorf("%s holds %q", e.Name(), mark)
			}
		}
	}
	if searched < 8192 {
		t.Errorf("only %d bytes were searched", searched)
	}
}

// TestSealingWhileTheVaultHangs: what has its chains goes on being sealed, what
// needs a new one fails in the time given, and nothing is lost by it.
func TestSealingWhileTheVaultHangs(t *testing.T) {
	in := install(t)
	subject := gatehouse.RandomID()
	in.sealOne(t, subject, "before")
	in.vault.Prepare(place, gatehouse.SubjectID{}, gatehouse.PassageClass)
	in.vault.strangers.running.Wait() // the pool is full
	pid := in.vault.Process().PID
	must(t, syscall.Kill(pid, syscall.SIGSTOP))
	defer syscall.Kill(pid, syscall.SIGCONT)

	refs := []gatehouse.SealedRef{in.sealOne(t, subject, "known")}
	stranger, err := in.vault.OneOff(t.Context(), place)
	must(t, err)
	refs = append(refs, in.sealOne(t, stranger, "stranger"))

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	newcomer := gatehouse.RandomID()
	_, err = in.vault.Seal(ctx, newcomer, gatehouse.PassageClass, someplace("detail"), nil, gatehouse.PadField)
	wantCode(t, err, "sealing.unavailable")

	must(t, syscall.Kill(pid, syscall.SIGCONT))
	refs = append(refs, in.sealOne(t, newcomer, "newcomer"))
	for i, want := range []string{"known", "stranger", "newcomer"} {
		if got := in.opened(t, refs[i]); string(got[0]) != want {
			t.Errorf("opened %q, want %q", got, want)
		}
	}
}

// TestOnePassphraseAtATime: attempts do not queue up behind each other, where they
// would fill the memory and make the process look hung.
func TestOnePassphraseAtATime(t *testing.T) {
	dir := t.TempDir()
	must(t, Init(dir, passphrase))
	public, err := readPublicKey(dir)
	must(t, err)
	room, err := newStrongroom(dir, public)
	must(t, err)
	room.tries.one.Lock()
	_, _, err = room.unseal(t.Context(), operator, gatehouse.Passphrase([]byte(passphrase)), time.Hour)
	wantCode(t, err, "vault.busy")
	room.tries.one.Unlock()
	_, _, err = room.unseal(t.Context(), operator, gatehouse.Passphrase([]byte(passphrase)), time.Hour)
	must(t, err)
	if room.page.empty() {
		t.Error("an unsealed room holds no key")
	}
	room.seal()
	if !room.page.empty() || !bytes.Equal(room.page.page[:64], make([]byte, 64)) {
		t.Error("a sealed room still holds the key")
	}
}
