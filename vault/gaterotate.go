package vault

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"gatehouse"
)

// The gate key is replaced while the gates go on:
//
//  1. BeginRotation makes the new key, durable beside the old one in "<file>.next",
//     wrapped by the same token or TPM where there is one; a systemd credential has been
//     laid ready as "<name>.next". From then on both open, and the new one seals: everything that is sealed says
//     which key it is under.
//  2. Rewrap wraps every database's key anew, each file by itself.
//  3. Reseal gives every value of the working set (and whatever else is sealed under
//     the gate key) its new form; the caller stores it.
//  4. FinishRotation makes sure that nothing is left under the old key, then replaces
//     the data directory's check value, and last the old key's file by the new one's.
//
// While the second key is there a rotation is under way: whoever was killed in the
// middle opens with both keys and does the steps again, which leave alone what is
// done. The old key stays in memory until the process ends, and opens nothing that is
// on disk after step 4.

// nextSuffix names the file, or the systemd credential, of a gate key that replaces
// another.
const nextSuffix = ".next"

// rotationFile says, where systemd keeps both keys, that a rotation to the second was
// begun: it holds that key's check value.
const rotationFile = "gate.rotation"

// current is the key that seals.
func (g *GateKey) current() *GateKey {
	for n := g.next.Load(); n != nil; n = g.next.Load() {
		g = n
	}
	return g
}

// named finds the key of a name, nil for none.
func (g *GateKey) named(name []byte) *GateKey {
	for ; g != nil; g = g.next.Load() {
		if bytes.Equal(name, g.name[:]) {
			return g
		}
	}
	return nil
}

// Rotating reports whether a rotation was begun and is not finished.
func (g *GateKey) Rotating() bool { return g.rotating.Load() }

// resumeRotation takes up what an earlier process began. Where only the last step was
// missing it does that, and g is the new key.
func (g *GateKey) resumeRotation() error {
	source := g.source.replacement()
	there, err := source.Exists(g.dataDir)
	if err != nil {
		return err
	}
	if !there {
		return g.withoutNext()
	}
	next := &GateKey{dataDir: g.dataDir, source: g.source, custody: g.custody}
	if _, err := source.load(g.dataDir, &next.key); err != nil {
		return err
	}
	next.setName()
	got, err := os.ReadFile(filepath.Join(g.dataDir, CheckFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return rotationFailed(err)
	}
	if subtle.ConstantTimeCompare(got, []byte(next.checkValue())) != 1 {
		if g.source.kind == CustodyCredential && !g.began(next) {
			return nil // it was laid ready, and nobody has begun
		}
		g.next.Store(next)
		g.rotating.Store(true)
		return nil
	}
	if err := g.source.replace(g.dataDir); err != nil {
		return rotationFailed(err)
	}
	g.key, g.name = next.key, next.name
	return nil
}

// withoutNext refuses to go on where a rotation was begun, and is not finished, and the
// second credential has gone from the service: what is under it could not be opened.
func (g *GateKey) withoutNext() error {
	if g.source.kind != CustodyCredential {
		return nil
	}
	own := g.checkValue()
	begun, err := os.ReadFile(filepath.Join(g.dataDir, rotationFile))
	if errors.Is(err, fs.ErrNotExist) || err == nil && string(begun) == own {
		return nil
	}
	check, checked := os.ReadFile(filepath.Join(g.dataDir, CheckFile))
	if err = errors.Join(err, checked); err != nil {
		return rotationFailed(err)
	}
	if string(check) != own { // it is finished, and this is the old key: gatekey.wrong
		return nil
	}
	return gatehouse.Errorf("gatekey.missing", "let the service load "+g.source.text+nextSuffix+" again, and take it away when `gatehouse keys rotate gate` has finished",
		"the gate key is being replaced, and its second credential is not there")
}

// began reports whether anything is under the next key: where systemd keeps both, no file
// of ours says so.
func (g *GateKey) began(next *GateKey) bool {
	b, err := os.ReadFile(filepath.Join(g.dataDir, rotationFile))
	return err == nil && string(b) == next.checkValue()
}

// BeginRotation makes the new gate key, durable before it seals anything; resumed says
// that one was made before. Errors: gatekey.failed.
func (g *GateKey) BeginRotation() (resumed bool, err error) {
	g.changing.Lock()
	defer g.changing.Unlock()
	if g.Rotating() {
		return true, nil // and held: OpenGateKey or an earlier call saw to it
	}
	now := g.current()
	next := &GateKey{dataDir: g.dataDir, source: g.source, custody: g.custody}
	source := g.source.replacement()
	if g.source.kind == CustodyCredential {
		if err := g.takeLaidReady(now, next, source); err != nil {
			return false, err
		}
	} else {
		random(next.key[:])
		next.setName()
		if err := source.store(g.dataDir, next.key); err != nil {
			return false, err
		}
	}
	g.made.Lock() // what is wrapped by the old key is on disk by now, where Rewrap finds it
	defer g.made.Unlock()
	now.next.Store(next)
	g.rotating.Store(true)
	return false, nil
}

// takeLaidReady takes the new key from the credential that systemd loaded beside the old
// one, and notes durably that it is in use.
func (g *GateKey) takeLaidReady(now, next *GateKey, source GateSource) error {
	there, err := source.Exists(g.dataDir)
	if err != nil || !there {
		return errors.Join(err, source.store(g.dataDir, next.key)) // which says how it is made
	}
	if _, err := source.load(g.dataDir, &next.key); err != nil {
		return err
	}
	next.setName()
	if next.name == now.name {
		return gatehouse.Errorf("gatekey.exists", "lay another key ready under this name", "the credential %s holds the gate key that is in use", g.source.text+nextSuffix)
	}
	if err := writeDurably(filepath.Join(g.dataDir, rotationFile), []byte(next.checkValue()), true); err != nil {
		return rotationFailed(err)
	}
	return nil
}

func rotationFailed(err error) error {
	return gatehouse.Errorf("gatekey.failed", "check that the gate key's directory and the data directory can be written and have space; the same command goes on", "the gate key cannot be replaced: %w", err)
}

// Rewrap wraps every database's key in the data directory by the new gate key. step
// hears how many of how many are done. It may be repeated. Errors: filekey.damaged,
// store.full, filekey.failed, gatekey.wrong.
func (g *GateKey) Rewrap(step func(done, all int)) error {
	files, err := g.wrappedKeys(func(b []byte) bool { return !g.sealsNow(b) })
	if err != nil {
		return err
	}
	for i, file := range files {
		if err := g.rewrap(file); err != nil {
			return err
		}
		step(i+1, len(files))
	}
	return nil
}

// rewrap does one file, unless it was exchanged or went meanwhile.
func (g *GateKey) rewrap(file string) error {
	g.changing.Lock()
	defer g.changing.Unlock()
	aad, err := g.wrapAAD(databaseOf(file))
	if err != nil {
		return err
	}
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) || err == nil && g.sealsNow(b) {
		return nil
	}
	if err != nil {
		return fileKeyFailed(err)
	}
	key, err := g.unwrap(b, aad)
	if err != nil {
		return err
	}
	defer clear(key[:])
	if err := writeDurably(file, g.wrap(key, aad), true); err != nil {
		return fileKeyFailed(err)
	}
	return nil
}

// databaseOf names the database whose wrapped key a file holds: "<file>.key", or what
// stands beside that while a key is exchanged.
func databaseOf(file string) string {
	dir, name := filepath.Split(file)
	return dir + name[:strings.LastIndex(name, fileKeySuffix)]
}

// wrappedKeys lists the files of wrapped keys that match picks by what they hold.
func (g *GateKey) wrappedKeys(match func([]byte) bool) (files []string, err error) {
	err = filepath.WalkDir(g.dataDir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // it went while we looked
			return nil
		}
		if err != nil || !d.Type().IsRegular() || !strings.Contains(d.Name(), fileKeySuffix) {
			return err
		}
		info, err := d.Info()
		if err != nil || info.Size() != wrappedBytes {
			return ignoreMissing(err)
		}
		b, err := os.ReadFile(path)
		if err == nil && len(b) == wrappedBytes && b[0] == wrapVersion && g.named(b[1:5]) != nil && match(b) {
			files = append(files, path)
		}
		return ignoreMissing(err)
	})
	if err != nil {
		return nil, fileKeyFailed(err)
	}
	return files, nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// sealsNow reports whether b, a wrapped key or a sealed value, is under the key that
// seals now.
func (g *GateKey) sealsNow(b []byte) bool {
	now := g.current()
	return len(b) >= workingHead && bytes.Equal(b[1:5], now.name[:])
}

// Stale reports whether a value was sealed under a gate key that is being replaced.
func (g *GateKey) Stale(sealed []byte) bool {
	return len(sealed) >= workingHead+tagSize && sealed[0] == wrapVersion && !g.sealsNow(sealed) && g.named(sealed[1:5]) != nil
}

// Reseal gives a value of the working set its form under the key that seals now, nil
// where it has that already. Errors: sealing.altered.
func (g *GateKey) Reseal(where gatehouse.SealContext, sealed []byte) ([]byte, error) {
	if g.sealsNow(sealed) {
		return nil, nil
	}
	plain, err := g.OpenWorking(where, sealed)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	return g.SealWorking(where, plain)
}

// FinishRotation puts the new gate key in the old one's place, once nothing in the
// data directory needs the old one. Errors: gatekey.leftover (a database's key is
// under the old one), gatekey.malformed, gatekey.failed.
func (g *GateKey) FinishRotation() error {
	g.changing.Lock()
	defer g.changing.Unlock()
	if !g.Rotating() {
		return nil
	}
	left, err := g.wrappedKeys(func(b []byte) bool { return !g.sealsNow(b) })
	if err != nil {
		return err
	}
	if len(left) > 0 {
		return gatehouse.Errorf("gatekey.leftover", "run the same command again", "%d databases' keys are still wrapped by the old gate key", len(left))
	}
	now := g.current()
	var written [gateKeySize]byte // what the medium took is what will be needed
	defer clear(written[:])
	if _, err := g.source.replacement().load(g.dataDir, &written); err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(written[:], now.key[:]) != 1 {
		return gatehouse.Errorf("gatekey.malformed", "do not stop this server, both keys are in its memory; check the medium, then run the same command again", "the new gate key was not stored as it is")
	}
	if err := writeDurably(filepath.Join(g.dataDir, CheckFile), []byte(now.checkValue()), true); err != nil {
		return rotationFailed(err)
	}
	if err := g.source.replace(g.dataDir); err != nil {
		return rotationFailed(err)
	}
	g.rotating.Store(false)
	return nil
}
