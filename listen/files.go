package listen

import (
	"crypto/tls"
	"log/slog"
	"os"
	"sync"
	"time"

	"gatehouse"
)

// lookEvery is how often the files are looked at for a change, at most.
const lookEvery = time.Second

// Files is a certificate and its key in PEM files that somebody else keeps fresh. They
// are read again when they change, without a restart; a pair that does not fit (one of
// the two is written already) leaves the one before in use.
type Files struct {
	certificate, key string
	log              *slog.Logger

	mu     sync.Mutex
	now    *tls.Certificate
	read   [2]stamp // of the files as they were read, or tried, last
	looked time.Time
}

type stamp struct {
	modified time.Time
	size     int64
}

// OpenFiles reads both files. Errors: tls.files; tls.key_open where others may read the
// key.
func OpenFiles(certificate, key string, log *slog.Logger) (*Files, error) {
	f := &Files{certificate: certificate, key: key, log: log}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f, f.load(f.stamps())
}

// GetCertificate implements Source.
func (f *Files) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := time.Now(); now.Sub(f.looked) >= lookEvery {
		f.looked = now
		if s := f.stamps(); s != f.read {
			if err := f.load(s); err != nil {
				f.log.Warn("the changed TLS certificate is not used; the one before is", "code", gatehouse.ErrorCode(err))
			} else {
				f.log.Info("the TLS certificate was read again")
			}
		}
	}
	return f.now, nil
}

func (f *Files) stamps() (s [2]stamp) {
	for i, path := range []string{f.certificate, f.key} {
		if info, err := os.Stat(path); err == nil {
			s[i] = stamp{info.ModTime(), info.Size()}
		}
	}
	return s
}

// load reads the pair. Called with the lock held.
func (f *Files) load(s [2]stamp) error {
	f.read = s
	if info, err := os.Stat(f.key); err == nil && info.Mode().Perm()&0o007 != 0 {
		return gatehouse.Errorf("tls.key_open", "chmod 0600 the file, or 0640 for a group", "everybody on this machine may read the TLS key")
	}
	pair, err := tls.LoadX509KeyPair(f.certificate, f.key)
	if err != nil {
		return gatehouse.Errorf("tls.files", "check `tls.certificate` and `tls.key` in gatehouse.yml: PEM files, the certificate with its chain", "the TLS certificate cannot be used: %w", err)
	}
	f.now = &pair
	return nil
}
