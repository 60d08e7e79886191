package fault_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
	"gatehouse/lab/demo/scene"
	"gatehouse/server"
	"gatehouse/vault/budget"
	"gatehouse/vision/imaging"
	"gatehouse/vision/models"
)

// budgetDay is the operator's budget for a day, in units: one comes back a second.
const budgetDay = 86400

// killing is the parent's side of the loop.
type killing struct {
	base   string
	config server.Config
	key    []byte
	log    *os.File
	rand   *rand.Rand
	seed   uint64
	ledger *ledger

	starts    time.Duration // how long a start takes
	kills     map[string]int
	seen      int // passages that were looked for
	asked     int
	waited    int // erasures that had not begun, and waited untouched
	verified  int
	restored  int
	read      int64
	killedAll chan struct{}
}

// A whole site, with its vault and vision processes, enrols, lets in, erases, holds,
// rotates every key, backs up, unseals, seals, searches and discloses, all at once, and
// is killed with SIGKILL at a random moment: while it works, while it starts or recovers,
// now and then its vault process alone. Then it starts again, on the same files, round
// after round. No change that was acknowledged is lost, nobody is half enrolled or half
// erased, and no plaintext is anywhere.
//
// GATEHOUSE_FAULT_ROUNDS sets the number of rounds, GATEHOUSE_FAULT_SEED the first seed, which
// settles what is done and when the kill falls, though not what it meets. Many rounds are
// several sites', which grow side by side: a site of a thousand rounds is searched for longer
// than it is killed.
func TestKillingASite(t *testing.T) {
	rounds := 14
	if testing.Short() {
		rounds = 5
	}
	if v := os.Getenv("GATEHOUSE_FAULT_ROUNDS"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			t.Fatal("GATEHOUSE_FAULT_ROUNDS is a number")
		}
		rounds = n
	}
	seed := uint64(time.Now().UnixNano())
	if v := os.Getenv("GATEHOUSE_FAULT_SEED"); v != "" {
		n, err := strconv.ParseUint(v, 10, 64)
		if err != nil {
			t.Fatal("GATEHOUSE_FAULT_SEED is a number")
		}
		seed = n
	}
	sites := (rounds + roundsOfASite - 1) / roundsOfASite
	for site := range sites {
		t.Run(fmt.Sprint("site ", site+1), func(t *testing.T) {
			t.Parallel()
			killASite(t, (rounds+site)/sites, seed+uint64(site))
		})
	}
}

const roundsOfASite = 250

func killASite(t *testing.T, rounds int, seed uint64) {
	k := newKilling(t, seed)
	defer func() {
		_ = k.log.Close()
		if t.Failed() {
			t.Logf("seed %d; kept: %s", k.seed, k.base)
			return
		}
		if err := os.RemoveAll(k.base); err != nil {
			t.Error(err)
		}
	}()
	began := time.Now()
	for round := 1; round <= rounds; round++ {
		k.round(t, round)
		if t.Failed() {
			t.Fatalf("round %d of seed %d", round, k.seed)
		}
		full := round%25 == 0 || round == rounds
		if !full && k.rand.IntN(4) == 0 {
			continue // killed again before anybody looks
		}
		if round%5 == 0 {
			k.checkLog(t, false) // as the kill left it
		}
		k.check(t, round, full)
		if !t.Failed() && (round%50 == 0 || round == rounds) {
			k.checkRestore(t)
		}
		if t.Failed() {
			t.Fatalf("after round %d of seed %d", round, k.seed)
		}
		if round%100 == 0 && round < rounds {
			k.tell(t, round, began)
			k.newTargets(t, round) // other disks for the backups
		}
	}
	k.tell(t, rounds, began)
	verbs := []string{"passage", "enrol", "unseal"}
	if rounds >= 100 { // what takes longer ends seldom before the kill
		verbs = append(verbs, "erase", "hold", "lift", "secret", "search", "budget", "backup", "rotate vault key", "rotate gate key", "rotate gallery", "rotate file")
	}
	for _, verb := range verbs {
		if k.ledger.done[verb] == 0 {
			t.Errorf("to %s was never acknowledged: the kills came too early to prove anything", verb)
		}
	}
}

// tell says how far it is.
func (k *killing) tell(t *testing.T, round int, began time.Time) {
	t.Helper()
	l := k.ledger
	t.Logf("seed %d, %d rounds in %v: %d are enrolled, %d have been erased, %d passages, %d disclosures", k.seed, round, time.Since(began).Round(time.Second), len(l.in(enrolled)), len(l.in(gone)), len(l.passages), len(l.reasons))
	t.Logf("acknowledged: %s", table(l.done))
	t.Logf("refused: %s", table(l.refused))
	t.Logf("kills: %s; in the middle of: %s", table(k.kills), table(l.met))
	t.Logf("%d erasures waited untouched; %d objects of backups verified, %d restores compared; %d MB searched for plaintext; least budget left %d of %d", k.waited, k.verified, k.restored, k.read>>20, l.leastLeft, budgetDay)
}

func newKilling(t *testing.T, seed uint64) *killing {
	t.Helper()
	if _, err := os.Stat(filepath.Join(models.Dir(), "models")); err != nil {
		t.Skip("no models here: run `make assets`")
	}
	base, err := os.MkdirTemp("", "gatehouse-fault-")
	if err != nil {
		t.Fatal(err)
	}
	k := &killing{base: base, seed: seed, rand: rand.New(rand.NewPCG(seed, 1)), ledger: newLedger(), key: make([]byte, 32), kills: map[string]int{}, killedAll: make(chan struct{}), starts: time.Second}
	for i := range k.key {
		k.key[i] = byte(k.rand.Uint32())
	}
	if err := os.MkdirAll(filepath.Join(base, "tmp"), 0o700); err != nil {
		t.Fatal(err)
	}
	if k.log, err = os.OpenFile(filepath.Join(base, "site.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
		t.Fatal(err)
	}
	c := server.DefaultConfig()
	c.Data, c.GateKey, c.Listen = filepath.Join(base, "data"), filepath.Join(base, "keys", "gate.key"), "localhost:0"
	c.Vision.Assets = filepath.Join(base, blind)
	door := server.DefaultGate()
	door.ID, door.SecondFactor, door.Liveness, door.RepeatWithin = "front-door", false, false, 0
	c.Gates, c.Devices = []server.GateConfig{door}, nil
	k.config = c
	k.newTargets(t, 0)

	passphrase := "correct horse battery staple"
	s, err := server.Open(t.Context(), k.config, server.Options{NewPassphrase: []byte(passphrase), Stderr: k.log})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Admin().AddDevice(t.Context(), wire.DeviceAddRequest{ID: "reader", Kind: gatehouse.Reader, Gate: "front-door"}); err != nil {
		t.Fatal(err)
	}
	file := gatehouse.Credential{Kind: gatehouse.FileCredential, Secret: slices.Clone(k.key)}
	if _, err := s.Admin().AddSlot(t.Context(), wire.AddSlotRequest{With: wire.Shown(gatehouse.Passphrase([]byte(passphrase))), New: wire.Shown(file), Label: "the loop"}); err != nil {
		t.Fatal(err)
	}
	most := wire.Limit{Hour: budget.MaxLimit, Day: budget.MaxLimit}
	disclosure, ok := s.Admin().(api.DisclosureAdmin)
	if !ok {
		t.Fatal("budgets cannot be set")
	}
	if _, err := disclosure.SetBudget(t.Context(), wire.BudgetSetRequest{With: wire.Shown(gatehouse.Passphrase([]byte(passphrase))), Limits: wire.Limits{Operator: wire.Limit{Hour: budget.MaxLimit, Day: budgetDay}, Role: most, Organization: most, Live: most}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return k
}

// newTargets gives the backups empty targets; those before are forgotten.
func (k *killing) newTargets(t *testing.T, n int) {
	t.Helper()
	if k.config.Backup.Data != "" {
		for _, dir := range []string{k.config.Backup.Data, k.config.Backup.Keys} {
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
		}
	}
	k.config.Backup.Data, k.config.Backup.Keys = filepath.Join(k.base, fmt.Sprint("backup-data-", n)), filepath.Join(k.base, fmt.Sprint("backup-keys-", n))
	k.ledger.backups = nil
}

// photo is an enrolment photo of one of the portraits.
func (k *killing) photo(t *testing.T, n int) []byte {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(models.Dir(), "portraits", "*.jpg"))
	slices.Sort(files)
	raw, err := os.ReadFile(files[n%len(files)])
	if err != nil {
		t.Fatal(err)
	}
	portrait, err := imaging.Decode(raw, imaging.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return scene.Enrolment(portrait, rand.New(rand.NewPCG(uint64(n), 1)))
}

// order is what the site is to do in a round.
func (k *killing) order(t *testing.T, round int) order {
	t.Helper()
	l := k.ledger
	o := order{Config: k.config, Key: k.key, Seed: k.rand.Uint64(), Serial: l.serial, Holds: map[string]gatehouse.ID{}}
	for _, p := range some(l.in(enrolled), 100, k.rand) {
		if p.holding {
			continue
		}
		o.People = append(o.People, p.person)
		if !p.held.IsZero() {
			o.Holds[p.Label] = p.held
		}
	}
	for _, p := range l.in(erasing) {
		if p.pending {
			o.Pending = append(o.Pending, p.person)
		}
	}
	for _, p := range some(l.in(gone), 20, k.rand) {
		o.Gone = append(o.Gone, p.person)
	}
	if round%8 == 3 { // with faces
		o.Config.Vision.Assets = ""
		for i := range 3 {
			o.Photos = append(o.Photos, k.photo(t, round+i))
		}
	}
	return o
}

// round runs the site and kills it.
func (k *killing) round(t *testing.T, round int) {
	t.Helper()
	o := k.order(t, round)
	input, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], siteChild)
	cmd.Env = append(os.Environ(), "TMPDIR="+filepath.Join(k.base, "tmp"))
	cmd.Stdin, cmd.Stderr = bytes.NewReader(input), k.log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	how := "while it works"
	switch n := k.rand.IntN(100); {
	case n < 20 && round > 1:
		how = "while it starts"
	case n < 40 && len(o.Photos) == 0:
		how = "the vault process first"
	}
	k.kills[how]++
	first, second := time.Duration(k.rand.IntN(1800))*time.Millisecond, time.Duration(k.rand.IntN(1500))*time.Millisecond
	switch {
	case round == 1:
		first += time.Second // so that there is something to lose
	case round%10 == 7:
		first *= 5 // what takes long on a site that has grown (a backup, a rotation) ends too
	}
	var vaultKilled, killed atomic.Bool
	started := make(chan struct{})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		if how == "while it starts" {
			wait(ctx, time.Duration(k.rand.Int64N(int64(k.starts*3/2))))
		} else {
			select {
			case <-started:
			case <-ctx.Done():
			case <-time.After(3 * time.Minute): // it hangs
			}
			wait(ctx, first)
			if how == "the vault process first" {
				for _, pid := range childrenOf(cmd.Process.Pid) {
					if isVault(pid) {
						vaultKilled.Store(true)
						_ = syscall.Kill(pid, syscall.SIGKILL)
					}
				}
				wait(ctx, second)
			}
		}
		killed.Store(true)
		all := childrenOf(cmd.Process.Pid)
		for _, pid := range append([]int{cmd.Process.Pid}, all...) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		for _, pid := range all {
			for lives(pid) && ctx.Err() == nil {
				time.Sleep(time.Millisecond)
			}
		}
		k.killedAll <- struct{}{}
	}()
	up := false
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			break // the kill cut the line: that was not acknowledged
		}
		k.ledger.hear(t, e, round, vaultKilled.Load())
		if e.Verb == "start" && e.Phase == "done" && !up {
			up = true
			k.starts = time.Since(began)
			close(started)
		}
	}
	byItself := !killed.Load()
	if byItself {
		stop()
	}
	<-k.killedAll
	_ = cmd.Wait()
	if byItself {
		t.Errorf("the site ended by itself: see %s", k.log.Name())
	}
	k.ledger.killed()
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// childrenOf are the processes that a process started.
func childrenOf(pid int) (all []int) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, file := range tasks {
		b, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		for _, word := range strings.Fields(string(b)) {
			if n, err := strconv.Atoi(word); err == nil {
				all = append(all, n)
			}
		}
	}
	return all
}

func isVault(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	return err == nil && bytes.Contains(b, []byte("\x00__vault"))
}

// lives says whether a process can still hold a lock or write.
func lives(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return !strings.HasPrefix(rest, "Z")
}
