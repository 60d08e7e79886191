// Package object keeps backups: targets to which objects are added and where nothing
// is ever changed or deleted by the program that adds them. A target is a directory
// (dir.go) or an S3 bucket (s3.go); one suite keeps them equal (object_test.go).
package object

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"

	"gatehouse"
)

// Open opens a target: a directory's path, or
//
//	s3://HOST[:PORT]/BUCKET[/PREFIX]?access=KEY_ID[&region=REGION][&secret=NAME][&tls=off]
//
// whose secret key is the secret of that name ("s3" where none is given). Only a host
// on this machine may go without TLS. Errors: backup.target_name, backup.secret, and
// for a directory those of an ObjectTarget.
func Open(target string, secrets gatehouse.Secrets) (gatehouse.ObjectTarget, error) {
	if rest, ok := strings.CutPrefix(target, "s3://"); ok {
		return openS3(rest, secrets)
	}
	if target == "" || strings.Contains(target, "://") {
		return nil, badName("this is neither a directory nor an s3:// address")
	}
	dir, err := filepath.Abs(target)
	if err != nil {
		return nil, badName("this is no directory's path")
	}
	return openDirectory(dir)
}

// OpenThere is Open of a target that must be there already: a directory is not made.
// Errors: Open's; backup.no_target.
func OpenThere(target string, secrets gatehouse.Secrets) (gatehouse.ObjectTarget, error) {
	if !strings.Contains(target, "://") && target != "" {
		if info, err := os.Stat(target); err != nil || !info.IsDir() {
			return nil, gatehouse.Errorf("backup.no_target", "check its path, and whether it is mounted", "there is no directory %s", target)
		}
	}
	return Open(target, secrets)
}

// Check reports what is wrong with a target's name without touching the target.
func Check(target string) error {
	if rest, ok := strings.CutPrefix(target, "s3://"); ok {
		_, err := parseS3(rest)
		return err
	}
	if target == "" || strings.Contains(target, "://") {
		return badName("this is neither a directory nor an s3:// address")
	}
	return nil
}

func badName(what string) error {
	return gatehouse.Errorf("backup.target_name", "give a directory, or s3://HOST/BUCKET/PREFIX?access=KEY_ID", "%s", what)
}

var objectName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*(/[a-z0-9][a-z0-9.-]*)*$`)

// checkPut refuses names that could leave the target, and objects that are too large.
func checkPut(name string, b []byte) error {
	switch {
	case len(name) > 200 || !objectName.MatchString(name):
		return gatehouse.Errorf("backup.name", "this is a fault of the program", "this is no object's name")
	case len(b) > gatehouse.MaxObject:
		return gatehouse.Errorf("backup.name", "this is a fault of the program", "an object has at most %d bytes", gatehouse.MaxObject)
	}
	return nil
}

// sameAs judges what a target gives back.
func sameAs(got, want []byte) bool {
	a, b := sha256.Sum256(got), sha256.Sum256(want)
	return bytes.Equal(a[:], b[:])
}

func lied(name string) error {
	return gatehouse.Errorf("backup.target_lied", "check the storage's disk and its operator; this backup does not count", "the target did not keep what it was given: %s reads back differently", name)
}

func exists(name string) error {
	return gatehouse.Errorf("backup.exists", "somebody else wrote to the target: use one of your own", "there is another object named %s at the target", name)
}

func notFound(name string) error {
	return gatehouse.Errorf("backup.not_found", "use another backup", "%s is not at the target", name)
}

func full(err error) error {
	return gatehouse.Errorf("backup.target_full", "free some space there; what was written stays and is used by the next backup", "the backup target is full: %w", err)
}

func denied(err error) error {
	return gatehouse.Errorf("backup.denied", "the credential must be allowed to add, read and list objects, and no more", "the target refuses: %w", err)
}

func failed(err error) error {
	var urlError *url.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return full(err)
	case errors.Is(err, syscall.EACCES), errors.Is(err, syscall.EPERM), errors.Is(err, syscall.EROFS):
		return denied(err)
	case errors.As(err, &urlError):
		return gatehouse.Errorf("backup.unreachable", "check the address and the network; the next backup goes on where this one stopped", "the backup target cannot be reached: %w", urlError.Err)
	}
	return gatehouse.Errorf("backup.target_failed", "see the cause", "the backup target failed: %w", err)
}
