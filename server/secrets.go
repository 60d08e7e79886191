package server

import (
	"os"
	"path/filepath"
	"strings"

	"gatehouse"
)

// Secrets are what others would put into a configuration file, by name: "smtp",
// "webhook".
type Secrets interface {
	Secret(name string) (gatehouse.Secret, bool)
}

// Secret implements Secrets: what `gatehouse secret set` sealed, or else what the
// system gave.
func (s *Server) Secret(name string) (gatehouse.Secret, bool) {
	if s.working != nil {
		if v, ok := s.working.Secret(name); ok {
			return v, true
		}
	}
	return givenSecrets{}.Secret(name)
}

// givenSecrets are those that the system hands to the process: a systemd credential
// (LoadCredential=NAME:FILE), or else the variable GATEHOUSE_SECRET_NAME, with _ for
// each hyphen.
type givenSecrets struct{}

// Secret implements Secrets. It is asked at every use, so that a change counts.
func (givenSecrets) Secret(name string) (gatehouse.Secret, bool) {
	if dir := os.Getenv("CREDENTIALS_DIRECTORY"); dir != "" && gatehouse.CheckName(name) == nil {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err == nil {
			return gatehouse.Secret(strings.TrimSpace(string(b))), true
		}
	}
	v := os.Getenv("GATEHOUSE_SECRET_" + strings.ReplaceAll(strings.ToUpper(name), "-", "_"))
	return gatehouse.Secret(v), v != ""
}
