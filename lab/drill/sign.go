package drill

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"gatehouse"
	"gatehouse/vault"
	"gatehouse/vault/auditlog"
)

// Signature is over the report's JSON without it: Ed25519 of vault.ReportStatement. A
// report about an installation is signed with the key of the installation's audit log,
// which its copy holds; one about a site that the drill made, with a key of the drill's.
type Signature struct {
	By        string `json:"by"`         // a line of the installation's audit.vkey, or which other key
	PublicKey string `json:"public_key"` // Ed25519, hexadecimal
	Value     string `json:"value"`      // hexadecimal
}

// statement is what is signed.
func (r Report) statement() ([]byte, error) {
	r.Signature = nil
	b, err := json.Marshal(r)
	return vault.ReportStatement(sha256.Sum256(b)), err
}

// ReadReport reads drill.json. It fails with drill.report.
func ReadReport(path string) (r Report, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return r, gatehouse.Errorf("drill.report", "check the path and its permissions", "the report cannot be read: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields() // what is not signed is no part of a report
	if err := d.Decode(&r); err != nil || d.More() {
		return r, gatehouse.Errorf("drill.report", "give the drill.json of a drill of the same version", "this is no report of a drill")
	}
	return r, nil
}

// Verify reports whether the report is as one of these keys signed it: lines of an
// audit.vkey, or Ed25519 public keys in hexadecimal. With no keys the report only has to
// be as its own key signed it, whosever that is. Errors: drill.signature,
// drill.other_key, drill.key for a key that is none.
func Verify(r Report, keys ...string) error {
	bad := gatehouse.Errorf("drill.signature", "ask for the report again", "the report is not as it was signed")
	if r.Signature == nil {
		return bad
	}
	own, err1 := hex.DecodeString(r.Signature.PublicKey)
	signature, err2 := hex.DecodeString(r.Signature.Value)
	statement, err3 := r.statement()
	if err1 != nil || err2 != nil || err3 != nil || len(own) != ed25519.PublicKeySize || !ed25519.Verify(own, statement, signature) {
		return bad
	}
	for _, text := range keys {
		key, err := publicKey(text)
		if err != nil {
			return err
		}
		if key.Equal(ed25519.PublicKey(own)) {
			return nil
		}
	}
	if len(keys) > 0 {
		return gatehouse.Errorf("drill.other_key", "verify it with the audit.vkey of the installation that it is about", "the report was signed with another key")
	}
	return nil
}

func publicKey(text string) (ed25519.PublicKey, error) {
	text = strings.TrimSpace(text)
	if b, err := hex.DecodeString(text); err == nil && len(b) == ed25519.PublicKeySize {
		return b, nil
	}
	key, err := auditlog.ParseKey(text)
	if err != nil || key.IsWitness() {
		return nil, gatehouse.Errorf("drill.key", "give a line of audit.vkey, or the key that a report shows", "this is no key that signs reports")
	}
	return key.Public(), nil
}

// publish signs the report and writes it where it is wanted.
func (d *drill) publish(ctx context.Context) error {
	statement, err := d.report.statement()
	if err != nil {
		return err
	}
	if d.Config != nil && d.away == nil { // the log of a site whose vault is elsewhere is there
		err = d.signWithLog(ctx, [sha256.Size]byte(statement[len(statement)-sha256.Size:]))
	} else {
		err = d.signWithOwn(statement)
	}
	if err != nil || d.ReportDir == "" {
		return err
	}
	out, err := json.MarshalIndent(d.report, "", "  ")
	if err != nil {
		return err
	}
	if err := write(d.ReportDir, "drill.json", append(out, '\n'), 0o644); err != nil {
		return err
	}
	page, err := Page(d.report)
	if err != nil {
		return err
	}
	return write(d.ReportDir, "drill.html", page, 0o644)
}

// signWithLog signs with the audit log's key, which the installation's copy holds.
func (d *drill) signWithLog(ctx context.Context, digest [sha256.Size]byte) error {
	gate, err := vault.OpenGateKey(d.config.Data, d.gateKey)
	if err != nil {
		return err
	}
	v, err := vault.Open(ctx, vault.Options{Dir: filepath.Join(d.config.Data, "vault"), Place: d.place(), Gate: gate})
	if err != nil {
		return err
	}
	defer func() { _ = v.Close() }() // a copy that is thrown away
	vkey, signature, err := v.SignReport(ctx, digest)
	if err != nil {
		return err
	}
	public, err := publicKey(vkey)
	d.report.Signature = &Signature{By: vkey, PublicKey: hex.EncodeToString(public), Value: hex.EncodeToString(signature)}
	return err
}

func (d *drill) signWithOwn(statement []byte) error {
	key, name, err := ownKey(d.ReportDir)
	if err != nil {
		return err
	}
	public, _ := key.Public().(ed25519.PublicKey)
	d.report.Signature = &Signature{By: name, PublicKey: hex.EncodeToString(public), Value: hex.EncodeToString(ed25519.Sign(key, statement))}
	return nil
}

func write(dir, name string, b []byte, mode os.FileMode) error {
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name), b, mode)
	}
	if err != nil {
		return gatehouse.Errorf("drill.report", "name another --report", "the report cannot be written: %w", err)
	}
	return nil
}

const keyFile = "drill.key"

// ownKey is the key in the report's directory, made at the first report; without a
// directory it is made for this report alone.
func ownKey(dir string) (key ed25519.PrivateKey, name string, err error) {
	if dir == "" {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, "a key of this report alone", err
	}
	name = "the drill's own key (" + keyFile + ")"
	b, err := os.ReadFile(filepath.Join(dir, keyFile))
	if err == nil {
		seed, err := hex.DecodeString(strings.TrimSpace(string(b)))
		if err != nil || len(seed) != ed25519.SeedSize {
			return nil, "", gatehouse.Errorf("drill.key", "move the file away; a new key is made then", "%s holds no key", keyFile)
		}
		return ed25519.NewKeyFromSeed(seed), name, nil
	}
	if _, key, err = ed25519.GenerateKey(rand.Reader); err != nil {
		return nil, "", err
	}
	return key, name, write(dir, keyFile, []byte(hex.EncodeToString(key.Seed())+"\n"), 0o600)
}
