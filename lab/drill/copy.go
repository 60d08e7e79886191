package drill

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/server"
	"gatehouse/vault"
)

// copyInstallation makes the copy's configuration and, of an installation that is
// there, the copy's files.
func (d *drill) copyInstallation(ctx context.Context) error {
	data, key := filepath.Join(d.root, "data"), filepath.Join(d.root, "keys", "gate.key")
	if err := os.Mkdir(filepath.Dir(key), 0o700); err != nil {
		return err
	}
	d.gateKey = key
	if d.Config == nil {
		d.keyOnDisk = true
		d.config = fresh(data, key)
		if d.Elsewhere {
			if err := d.moveAway(ctx); err != nil {
				return err
			}
		} else {
			d.Passphrase = []byte(rand.Text())
		}
		return d.keepInside()
	}
	original := *d.Config
	if there, err := server.Initialized(original); err != nil {
		return err
	} else if !there {
		return gatehouse.Errorf("drill.empty", "give --data the data directory of a site, or leave it out for a fresh one", "%s holds no site", original.Data)
	}
	if original.Vault.Elsewhere() && len(d.Passphrase) > 0 {
		return gatehouse.Errorf("drill.passphrase", "leave --passphrase-file out: the copy gets a vault's machine of its own", "the site's vault is on another machine, which a drill may not use")
	}
	d.config = detached(original, data, key)
	if err := d.keepInside(); err != nil {
		return err
	}
	if conn, err := net.Dial("unix", server.SocketPath(original)); err == nil {
		conn.Close()
		d.say("a server runs on this site: it is copied as it stands, and gets unauthenticated probes only")
		d.report.Live = true
	}
	if err := copyTree(ctx, original.Data, data, d.report.Live); err != nil {
		return err
	}
	if err := d.copyGateKey(original.GateKey); err != nil {
		return err
	}
	if original.Vault.Elsewhere() {
		if err := d.changeMachine(ctx); err != nil {
			return err
		}
	}
	_, err := vault.OpenGateKey(d.config.Data, d.gateKey) // one that does not belong is told at once
	return err
}

// keepInside points everything that the copy sends or writes elsewhere at the drill: its
// alarms and backups; and gives it a car park.
func (d *drill) keepInside() (err error) {
	withPark(&d.config)
	d.config.Backup = server.BackupConfig{Data: d.dataTarget(), Keys: d.keysTarget()}
	d.post, err = openPostbox(&d.config)
	return err
}

// copyGateKey copies a plain key file, which a thief of the disk takes, too. A gate key
// that is no file (a token's, a TPM's) stays where it is and starts the copy from there.
func (d *drill) copyGateKey(source string) error {
	if info, err := os.Stat(source); err == nil && info.Mode().IsRegular() {
		d.keyOnDisk = true
		if err := copyFile(source, d.gateKey); err != nil {
			return gatehouse.Errorf("drill.gate_key", "the drill needs the gate key to start the copy; see `gate_key` in the configuration", "the gate key cannot be copied: %w", err)
		}
		return nil
	}
	d.gateKey, d.config.GateKey = source, source
	if d.Thief == DiskThief {
		d.report.note("the gate key is no file on the disk: a thief of the disk has it not, and opens nothing")
	}
	return nil
}

// fresh is a site like the demo's, where a face or a card alone is enough, so that the
// traffic leads to passages of every kind.
func fresh(data, key string) server.Config {
	c := server.DefaultConfig()
	c.Organization, c.Site.ID, c.Site.Name = "drill", "drill", "Drill"
	c.Data, c.GateKey, c.Listen, c.LogLevel = data, key, "localhost:0", "debug"
	c.Vision.Threads = runtime.NumCPU()
	for i := range c.Gates {
		g := &c.Gates[i]
		g.SecondFactor, g.Liveness, g.MinPlateConfidence, g.RepeatWithin = false, false, 0.3, 0
	}
	c.Strangers.Keep, c.Strangers.Purpose = true, "the drill searches their pictures too"
	c.Devices = nil
	return c
}

// detached is the installation's configuration for the copy: nothing that opens a gate,
// no camera, no witness that would see the copy's log part from the installation's,
// loopback.
func detached(c server.Config, data, key string) server.Config {
	c.Data, c.GateKey, c.Listen, c.TLS = data, key, "localhost:0", server.DefaultConfig().TLS
	c.Audit.Witness, c.Disclosure = nil, server.DisclosureConfig{}
	gates, devices := c.Gates, c.Devices
	c.Gates, c.Devices = nil, nil
	for _, g := range gates {
		g.Actuator = server.ActuatorConfig{Kind: "none"}
		c.Gates = append(c.Gates, g)
	}
	for _, dev := range devices {
		dev.Source = ""
		c.Devices = append(c.Devices, dev)
	}
	c.Gates = append(c.Gates, missing(c.Gates)...)
	return c
}

// missing are gates for the kinds of which the site has none, a copy of the default's:
// the drill plants people and cars alike, whatever a site has today.
func missing(gates []server.GateConfig) (added []server.GateConfig) {
	for _, g := range server.DefaultConfig().Gates {
		if !slices.ContainsFunc(gates, func(has server.GateConfig) bool { return has.Kind == g.Kind }) {
			g.ID, g.Actuator = "drill-"+g.ID, server.ActuatorConfig{Kind: "none"}
			added = append(added, g)
		}
	}
	return added
}

// newPassphrase is for the first start of a fresh site.
func (d *drill) newPassphrase() []byte {
	if d.Config == nil && d.away == nil {
		return d.Passphrase
	}
	return nil
}

// copyTree copies a data directory. Of one that is in use, databases come first, each
// with its log in one consistent state, and the key store after what was sealed under
// it: pictures and key rows that no row names yet do no harm.
func copyTree(ctx context.Context, from, to string, live bool) error {
	var databases, keyStores, rest []string
	err := filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		switch {
		case e.IsDir():
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		case !e.Type().IsRegular(), strings.HasSuffix(rel, "-shm"):
		case strings.HasSuffix(rel, ".db-wal"): // with its database
		case strings.HasSuffix(rel, ".db") && filepath.Base(filepath.Dir(rel)) == "vault":
			keyStores = append(keyStores, rel)
		case strings.HasSuffix(rel, ".db"):
			databases = append(databases, rel)
		default:
			rest = append(rest, rel)
		}
		return nil
	})
	if err != nil {
		return gatehouse.Errorf("drill.copy", "check the path and its permissions", "the data directory cannot be read: %w", err)
	}
	for _, rel := range append(databases, keyStores...) {
		if err := copyDatabase(ctx, filepath.Join(from, rel), filepath.Join(to, rel)); err != nil {
			return err
		}
	}
	for _, rel := range rest {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := copyFile(filepath.Join(from, rel), filepath.Join(to, rel))
		if err != nil && !(live && errors.Is(err, fs.ErrNotExist)) { // removed meanwhile
			return gatehouse.Errorf("drill.copy", "check the permissions and the room on the disk", "a file cannot be copied: %w", err)
		}
	}
	return nil
}

// copyTries and copyPause are how long a quiet moment of a database is waited for.
const (
	copyTries = 100
	copyPause = 100 * time.Millisecond
)

// copyDatabase copies a database with its write-ahead log at a moment at which nobody
// writes: it is copied until two readings, one after the other, agree. What comes out
// is what a power cut at that moment would leave, which SQLite recovers from. Nothing
// is opened, so a running server notices nothing.
func copyDatabase(ctx context.Context, from, to string) error {
	var last [2][sha256.Size]byte
	for range copyTries {
		if err := ctx.Err(); err != nil {
			return err
		}
		var now [2][sha256.Size]byte
		for i, suffix := range []string{"-wal", ""} {
			sum := sha256.New()
			err := copyInto(io.MultiWriter(sum), from+suffix, to+suffix)
			if errors.Is(err, fs.ErrNotExist) && suffix != "" {
				os.Remove(to + suffix)
				err = nil
			}
			if err != nil {
				return gatehouse.Errorf("drill.copy", "check the permissions and the room on the disk", "a database cannot be copied: %w", err)
			}
			copy(now[i][:], sum.Sum(nil))
		}
		if now == last {
			return nil
		}
		if last == ([2][sha256.Size]byte{}) {
			last = now // the second reading comes at once
			continue
		}
		last = now
		if err := wait(ctx, copyPause); err != nil {
			return err
		}
	}
	return gatehouse.Errorf("drill.busy", "try again at a quieter time, or stop the server for it", "%s is written to all the time and could not be copied in one state", filepath.Base(from))
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func copyFile(from, to string) error { return copyInto(io.Discard, from, to) }

// copyInto copies a file, mode 0600, and shows also what is copied.
func copyInto(also io.Writer, from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.MultiWriter(out, also), in)
	return errors.Join(err, out.Close())
}

// snapshot copies the running copy's files as they lie there at this moment, logs of
// the databases included: what is stolen while the server runs.
func (d *drill) snapshot(ctx context.Context) error {
	if d.mutant.running != nil {
		if err := d.mutant.running(d); err != nil {
			return err
		}
	}
	d.say("taking what lies there while it runs")
	return copyTree(ctx, d.config.Data, d.snapshotDir(), true)
}
