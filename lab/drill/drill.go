// Package drill plays the thief, so that an operator can show an auditor what a stolen
// server is worth. It works on a copy of the installation, or on one that it makes:
// marked people, vehicles and traffic go in by the product's own flows; then it takes
// what a thief would take and searches it for the marks in every form it knows, plays
// somebody outside who has no session, and searches a plain store of the same marks in
// the same way, to show that the search is not blind.
package drill

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"gatehouse"
	"gatehouse/server"

	"github.com/schollz/progressbar/v3"
)

// Thief says what is stolen.
type Thief string

// A thief of the data takes the data directory, logs and backups; a thief of the disk
// takes the gate key file, too.
const (
	DataThief Thief = "data"
	DiskThief Thief = "disk"
)

// Options say how the drill runs.
type Options struct {
	Thief Thief
	// Config is the installation to copy; nil makes a fresh one.
	Config *server.Config
	// Passphrase opens the copy's vault; nil with Config leaves it sealed, and what
	// needs it is not tried. A fresh installation has one of its own.
	Passphrase []byte
	// Elsewhere gives a fresh installation a vault on a machine of its own: another
	// process with a directory of its own. A copy of a site that has one gets one, too,
	// and takes no passphrase.
	Elsewhere bool
	// Marks is how many of each kind are planted; 0 means 200.
	Marks int
	// Arrivals is how many times somebody comes to each gate; 0 means 6.
	Arrivals int
	// ReportDir gets the signed report and its page; "" writes none. A report about an
	// installation is signed with its audit log's key, another one with a key in ReportDir.
	ReportDir string
	// Stderr gets progress; nil discards it.
	Stderr io.Writer

	mutant mutant // what a test breaks on purpose
}

// mutant is how a test makes the product leak, to see that the drill finds it.
type mutant struct {
	running   func(*drill) error                              // while the copy runs
	stopped   func(*drill) error                              // once it has stopped
	transport func(http.RoundTripper) http.RoundTripper       // between the outsider and the server
	opener    func(*drill, gatehouse.Opener) gatehouse.Opener // in place of the vault
	metrics   func(*drill, []byte) []byte
	sealed    func(*drill) error                                    // when the vault's machine was sealed
	templates func(before, after []storedTemplate) []storedTemplate // what the rekey leaves
	region    int                                                   // of it only so many values are tried; 0 for all
}

// drill is one run.
type drill struct {
	Options
	config    server.Config // of the copy
	gateKey   string        // where the copy's gate key is
	keyOnDisk bool          // it is a plain file, which a thief of the disk takes
	root      string        // everything that the drill makes, removed at its end
	log       *os.File      // of the copy
	away      *away         // the vault's machine; nil where the vault is the copy's own
	cast      *cast
	arrivals  int
	server    *server.Server
	stop      func() error // ends the server's run
	base      string       // its address
	link      string       // a one-time link to its console
	tokens    map[gatehouse.DeviceID]string
	passages  []gatehouse.Passage
	visit     *visit // what an operator saw
	post      *postbox
	neighbour neighbour
	forgotten []gatehouse.SealedRef // what was sealed of those who were erased
	metrics   []byte
	report    Report
	unsealed  bool
}

// Run carries the drill out. What it finds is in the report; an error means that the
// drill itself could not be carried out. Errors: drill.*, and those of the server.
func Run(ctx context.Context, o Options) (_ Report, err error) {
	d, err := begin(o)
	if err != nil {
		return Report{}, err
	}
	defer os.RemoveAll(d.root)
	defer func() {
		if d.post != nil {
			d.post.close()
		}
	}()
	defer func() { err = errors.Join(err, d.away.stop()) }()
	defer d.useTemp()()
	began := time.Now()
	for _, step := range []func(context.Context) error{
		d.copyInstallation, d.meetNeighbour, d.start, d.populate, d.compareGalleries, d.administer, d.operate, d.playOutsider, d.probeOriginal,
		d.plantCanaries, d.remove, d.crash, d.backUp, d.snapshot, d.end, d.steal, d.impersonate, d.swap, d.control,
	} {
		if err := step(ctx); err != nil {
			return Report{}, joinStop(d, err)
		}
	}
	d.report.Duration = time.Since(began).Round(10 * time.Millisecond).Seconds()
	d.report.judge()
	err = d.publish(ctx)
	return d.report, err
}

// joinStop ends a server that still runs when the drill fails.
func joinStop(d *drill, err error) error {
	if d.stop != nil {
		_ = d.stop() // the first error says why
	}
	return err
}

func begin(o Options) (*drill, error) {
	if o.Thief == "" {
		o.Thief = DataThief
	}
	if o.Thief != DataThief && o.Thief != DiskThief {
		return nil, gatehouse.Errorf("drill.thief", "use data or disk", "there is no thief of that kind")
	}
	if o.Marks <= 0 {
		o.Marks = 200
	}
	if o.Arrivals <= 0 {
		o.Arrivals = 6
	}
	if o.Stderr == nil {
		o.Stderr = io.Discard
	}
	var seed [8]byte
	_, _ = rand.Read(seed[:]) // never fails since Go 1.24
	c, err := newCast(o.Marks, binary.LittleEndian.Uint64(seed[:]))
	if err != nil {
		return nil, err
	}
	root, err := os.MkdirTemp("", "gatehouse-drill-") // mode 0700
	if err != nil {
		return nil, gatehouse.Errorf("drill.directory", "make room in the directory for temporary files, or set TMPDIR", "there is no place for the copy: %w", err)
	}
	d := &drill{Options: o, root: root, cast: c, arrivals: o.Arrivals, tokens: map[gatehouse.DeviceID]string{},
		report: Report{Thief: o.Thief, Version: server.Version, At: time.Now().UTC().Truncate(time.Second), Copied: o.Config != nil}}
	for _, dir := range []string{d.tempDir(), d.logDir(), d.backupDir(), d.dataTarget(), d.keysTarget(), d.controlDir()} {
		if err == nil {
			err = os.Mkdir(dir, 0o700)
		}
	}
	if err == nil {
		d.log, err = os.Create(filepath.Join(d.logDir(), "server.log"))
	}
	if err != nil {
		os.RemoveAll(root)
		return nil, gatehouse.Errorf("drill.directory", "make room in the directory for temporary files", "there is no place for the copy: %w", err)
	}
	return d, nil
}

func (d *drill) place() gatehouse.Place {
	return gatehouse.Place{Org: gatehouse.OrgID(d.config.Organization), Site: gatehouse.SiteID(d.config.Site.ID)}
}

func (d *drill) tempDir() string     { return filepath.Join(d.root, "tmp") }
func (d *drill) logDir() string      { return filepath.Join(d.root, "log") }
func (d *drill) backupDir() string   { return filepath.Join(d.root, "backup") }
func (d *drill) controlDir() string  { return filepath.Join(d.root, "control") }
func (d *drill) snapshotDir() string { return filepath.Join(d.root, "running") }

// useTemp gives the run a directory for temporary files of its own, which is searched;
// it returns what undoes that.
func (d *drill) useTemp() func() {
	old, was := os.LookupEnv("TMPDIR")
	_ = os.Setenv("TMPDIR", d.tempDir()) // fails for malformed names only
	return func() {
		_ = os.Unsetenv("TMPDIR")
		if was {
			_ = os.Setenv("TMPDIR", old)
		}
	}
}

// start opens the copy and lets it run, with no camera and nothing that opens a gate.
func (d *drill) start(ctx context.Context) error {
	d.say("starting the copy")
	s, err := server.Open(ctx, d.config, server.Options{Stderr: d.log, NewPassphrase: d.newPassphrase(), LocalSession: true})
	if err != nil {
		return err
	}
	d.server = s
	running, cancel := context.WithCancel(ctx)
	ready := make(chan string, 1)
	ended := make(chan error, 1)
	go func() { ended <- s.Run(running, func(link string) { ready <- link }) }()
	var once sync.Once
	d.stop = func() (err error) {
		once.Do(func() {
			cancel()
			err = <-ended
			if failed := s.Close(context.WithoutCancel(ctx)); err == nil {
				err = failed
			}
		})
		return err
	}
	select {
	case d.link = <-ready:
		d.base = baseOf(d.link)
		return nil
	case err := <-ended:
		ended <- nil
		return err
	}
}

// populate unseals the copy's vault, plants the marks and lets traffic happen.
func (d *drill) populate(ctx context.Context) error {
	status, err := d.server.Admin().Status(ctx)
	if err != nil {
		return err
	}
	d.report.Custody = status.Custody
	if err := d.unseal(ctx); err != nil {
		return err
	}
	if err := d.plant(ctx); err != nil {
		return err
	}
	d.report.Granted, d.report.Denied, err = d.traffic(ctx)
	if err == nil {
		err = d.park(ctx)
	}
	if err == nil && (d.report.Granted == 0 || d.report.Denied == 0) {
		d.report.note("the traffic was all of one sort: nobody was let in, or nobody was turned away")
	}
	return err
}

// end stops the copy as an operator does.
func (d *drill) end(ctx context.Context) error {
	d.say("stopping the copy")
	if err := d.stop(); err != nil {
		return err
	}
	if d.mutant.stopped != nil {
		return d.mutant.stopped(d)
	}
	return ctx.Err()
}

func (d *drill) say(format string, args ...any) {
	fmt.Fprintf(d.Stderr, "drill: "+format+"\n", args...)
}

// bar shows progress.
type bar struct {
	*progressbar.ProgressBar
	w io.Writer
}

func (d *drill) progress(n int64, what string) bar {
	return bar{progressbar.NewOptions64(n, progressbar.OptionSetWriter(d.Stderr), progressbar.OptionSetDescription("drill: "+what),
		progressbar.OptionThrottle(200*time.Millisecond), progressbar.OptionShowCount()), d.Stderr}
}

func (b bar) add(n int64) { _ = b.Add64(n) } // a progress that cannot be shown harms nobody

func (b bar) finish() { fmt.Fprintln(b.w) }
