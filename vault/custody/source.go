package custody

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"gatehouse"
)

// source is where a token or TPM is: "PATH?name=value&name=value".
type source struct {
	path    string
	options url.Values
}

// parseSource reads a source and refuses options other than known. Errors:
// custody.source.
func parseSource(text string, known ...string) (source, error) {
	malformed := func(why string) (source, error) {
		return source{}, gatehouse.Errorf("custody.source", "write a token as MODULE?token=NAME&key=NAME&pin-file=FILE, a TPM as DEVICE?auth-file=FILE or unix:SOCKET", "the key's place is not understood: %s", why)
	}
	path, query, _ := strings.Cut(text, "?")
	options, err := url.ParseQuery(query)
	if err != nil {
		return malformed("what follows the question mark is not name=value")
	}
	for name, values := range options {
		ok := false
		for _, k := range known {
			ok = ok || name == k
		}
		if !ok || len(values) != 1 {
			return malformed("there is an option that it does not have, or twice")
		}
	}
	if !filepath.IsAbs(strings.TrimPrefix(path, unixPrefix)) {
		return malformed("it needs a full path")
	}
	return source{path: path, options: options}, nil
}

const unixPrefix = "unix:"

// The options of a source that name a file with its secret.
const (
	pinFile  = "pin-file"
	authFile = "auth-file"
)

// FromSource makes the credential of a token or TPM that is opened without a person:
// the PIN or authorization value is read from the file that the source names, and the
// file's name is taken out of it. Errors: custody.source, and those of ReadPIN.
func FromSource(kind gatehouse.CredentialKind, text string) (gatehouse.Credential, error) {
	known, file := []string{"token", "key", pinFile}, pinFile
	if kind == gatehouse.TPMCredential {
		known, file = []string{authFile}, authFile
	}
	s, err := parseSource(text, known...)
	if err != nil {
		return gatehouse.Credential{}, err
	}
	c := gatehouse.Credential{Kind: kind}
	if name := s.options.Get(file); name != "" {
		if c.Secret, err = ReadPIN(name); err != nil {
			return gatehouse.Credential{}, err
		}
		s.options.Del(file)
	}
	c.Source = s.path
	if len(s.options) > 0 {
		c.Source += "?" + s.options.Encode()
	}
	return c, nil
}

// Environ are the variables ("KEY=value") that tokens' modules read, for a child process.
// Those of p11-kit are not among them: it loads what a configuration names.
func Environ() []string {
	var all []string
	for _, key := range []string{"SOFTHSM2_CONF", "YUBIHSM_PKCS11_CONF", "ChrystokiConfigurationPath"} {
		if v, ok := os.LookupEnv(key); ok {
			all = append(all, key+"="+v)
		}
	}
	return all
}
