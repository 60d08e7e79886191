// Package demo runs a self-contained site: people from portraits come to a door and
// cars with rendered plates to a lane, and everything from the picture to the
// opened gate is the product's own path.
package demo

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/ingest"
	"gatehouse/server"

	"github.com/schollz/progressbar/v3"
)

// The demo's gates and devices.
const (
	door       gatehouse.GateID   = "front-door"
	lane       gatehouse.GateID   = "entry-lane"
	doorCamera gatehouse.DeviceID = "front-camera"
	doorReader gatehouse.DeviceID = "front-reader"
	laneCamera gatehouse.DeviceID = "entry-camera"
)

// Options say how the demo runs.
type Options struct {
	Dir    string // data and keys of the demo site; made at the first start
	Listen string
	Assets string // "" for the registry's search path
	// People and Vehicles are how many are enrolled at the first start.
	People, Vehicles int
	// Arrivals ends the demo after so many at each gate; 0 goes on until ctx ends.
	Arrivals int
	// Pause is the time between two arrivals at a gate.
	Pause time.Duration
	Seed  uint64
	// Parking has a car park as well, where visitors come and go.
	Parking bool
	// Stderr gets progress and logs.
	Stderr io.Writer
	// Ready is called with the one-time link and the places of the keys.
	Ready func(link string, k Keys)
	// Arrived is called for every arrival, when its frames have been sent.
	Arrived func(Arrival)
	// Committed is called for every passage.
	Committed func(gatehouse.Passage)
}

// Keys says where the demo's keys and files lie.
type Keys struct {
	Data, GateKey, PassphraseFile string
	Payroll                       string // a folder with what the payroll office got
	// Worker is a one-time link to the own page of one of the shift team; "" without one.
	Worker string
}

// Arrival is what the demo staged, for comparison with what was decided.
type Arrival struct {
	Gate  gatehouse.GateID
	Act   Act
	Label string // the badge of who came; "" for strangers
	At    time.Time
}

// Run makes the site if it is not there, and plays it until ctx ends or the
// arrivals are over.
func Run(ctx context.Context, o Options) error {
	keys, passphrase, err := keysIn(o.Dir)
	if err != nil {
		return err
	}
	cast, err := newCast(o)
	if err != nil {
		return err
	}
	studio := map[gatehouse.DeviceID]*stage{doorCamera: newStage(), laneCamera: newStage()}
	if o.Parking {
		studio[parkInCamera], studio[parkOutCamera] = newStage(), newStage()
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	options := server.Options{Stderr: o.Stderr, NewPassphrase: passphrase, Cameras: true, Quiet: true, LocalSession: true}
	var pays *bank
	if o.Parking {
		if pays, err = openBank(ctx); err != nil {
			return err
		}
		options.StripeURL = pays.url
	}
	var letOut atomic.Int64
	options.Committed = func(p gatehouse.Passage) {
		if p.Gate == parkOut && p.Decision.Grant {
			letOut.Store(p.At.UnixNano())
		}
		if o.Committed != nil {
			o.Committed(p)
		}
	}
	options.Source = func(id gatehouse.DeviceID) ingest.Source {
		if st, ok := studio[id]; ok {
			return st
		}
		return nil
	}
	s, err := server.Open(ctx, config(o, keys), options)
	if err != nil {
		return err
	}
	defer s.Close(context.WithoutCancel(ctx))
	if err := s.Unseal(ctx, passphrase); err != nil {
		return err
	}
	// Passages come in a minute here that take a door an hour, and everybody looks at them.
	if _, err := s.Admin().SetBudget(ctx, wire.BudgetSetRequest{With: wire.Shown(gatehouse.Passphrase(passphrase)), Limits: wire.Limits{
		Organization: wire.Limit{Hour: 20_000, Day: 100_000}, Role: wire.Limit{Hour: 20_000, Day: 100_000}, Live: wire.Limit{Hour: 10_000, Day: 50_000}}}); err != nil {
		return err
	}
	if err := cast.enrol(ctx, s.Admin(), o.Stderr); err != nil {
		return err
	}
	if o.Parking {
		if err := errors.Join(putTariff(ctx, s), pays.keys(ctx, s), cast.members(ctx, s.Admin())); err != nil {
			return err
		}
	}
	if err := cast.hours(ctx, s, keys, passphrase); err != nil {
		return err
	}
	return s.Run(ctx, func(link string) {
		p := &play{Options: o, cast: cast, studio: studio, server: s, letOut: &letOut}
		if pays != nil {
			p.driver = newDriver(link)
			pays.double.Webhook = p.driver.base + "/pay/stripe/webhook"
		}
		if o.Ready != nil {
			if worker, err := s.Admin().LinkAccount(ctx, workerLogin); err == nil {
				keys.Worker = worker.Link
			}
			o.Ready(link, keys)
		}
		go seen(ctx, s)
		go func() {
			p.run(ctx)
			stop()
		}()
	})
}

// config is the demo's site. The door keeps the product's default: a face and a
// second factor, since passive liveness alone is not good enough yet.
func config(o Options, k Keys) server.Config {
	c := server.DefaultConfig()
	c.Organization, c.Site.ID, c.Site.Name = "demo", "demo", "Demo site"
	c.Data, c.GateKey, c.Listen, c.Vision.Assets, c.LogLevel = k.Data, k.GateKey, o.Listen, o.Assets, "warn"
	for i := range c.Gates {
		c.Gates[i].Actuator.Kind = "simulated"
		c.Gates[i].SecondFactorWithin = 5 * time.Second
		c.Gates[i].RepeatWithin = 2 * time.Second
	}
	reader := server.DefaultDevice()
	reader.ID, reader.Kind, reader.Gate = string(doorReader), "reader", string(door)
	c.Devices = append(c.Devices, reader)
	if o.Parking {
		withParking(&c)
	}
	c.Attendance.Gates, c.Attendance.WebClock = []string{string(door)}, true
	return c
}

// keysIn finds or makes the places of the demo's keys and its passphrase.
func keysIn(dir string) (Keys, []byte, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return Keys{}, nil, err
	}
	k := Keys{Data: filepath.Join(abs, "data"), GateKey: filepath.Join(abs, "keys", "gate.key"), PassphraseFile: filepath.Join(abs, "keys", "vault.passphrase"), Payroll: filepath.Join(abs, "payroll")}
	if err := os.MkdirAll(filepath.Dir(k.GateKey), 0o700); err != nil {
		return k, nil, gatehouse.Errorf("demo.directory", "choose another --dir", "the demo's directory cannot be made: %w", err)
	}
	b, err := os.ReadFile(k.PassphraseFile)
	if err == nil {
		return k, []byte(strings.TrimSpace(string(b))), nil
	}
	passphrase := newPassphrase()
	return k, []byte(passphrase), os.WriteFile(k.PassphraseFile, []byte(passphrase+"\n"), 0o600)
}

// newPassphrase has 100 random bits, in groups that can be typed.
func newPassphrase() string {
	var b [13]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	text := strings.ToLower(base32.StdEncoding.EncodeToString(b[:])[:20])
	return strings.Join([]string{text[:5], text[5:10], text[10:15], text[15:]}, "-")
}

func progress(w io.Writer, n int, what string) *progressbar.ProgressBar {
	return progressbar.NewOptions(n, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionOnCompletion(func() { fmt.Fprintln(w) }))
}
