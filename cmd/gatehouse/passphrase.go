package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"gatehouse"
	"gatehouse/vault"

	"golang.org/x/term"
)

// longEnough refuses a new passphrase that is too short, before anything is made.
func longEnough(passphrase []byte) error {
	if len(passphrase) < vault.MinPassphrase {
		return gatehouse.Errorf("passphrase.short", "use at least five random words", "a passphrase needs %d characters or more", vault.MinPassphrase)
	}
	return nil
}

func readPassphraseFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, gatehouse.Errorf("passphrase.file", "check the path", "the passphrase file cannot be read: %w", err)
	}
	if info.IsDir() {
		return nil, gatehouse.Errorf("passphrase.file", "check the path", "the passphrase file cannot be read: %s is a directory", path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, gatehouse.Errorf("passphrase.permissions", "chmod 600 it", "the passphrase file can be read by others")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, gatehouse.Errorf("passphrase.file", "check the path and its permissions", "the passphrase file cannot be read: %w", err)
	}
	b = bytes.TrimRight(b, "\r\n")
	if len(b) == 0 {
		return nil, gatehouse.Errorf("passphrase.empty", "write the passphrase into it", "the passphrase file is empty")
	}
	return b, nil
}

// askPassphrase reads one line without echo from a terminal, or as it is from a pipe.
func askPassphrase(out *Out, prompt string) ([]byte, error) {
	f, ok := out.Stdin.(*os.File)
	if ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(out.Stderr, prompt)
		b, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(out.Stderr)
		return b, err
	}
	if out.Stdin == nil {
		return nil, gatehouse.Errorf("passphrase.missing", "run it on a terminal, pipe the passphrase in, or give --passphrase-file", "no passphrase was given")
	}
	line, err := bufio.NewReader(out.Stdin).ReadBytes('\n')
	line = bytes.TrimRight(line, "\r\n")
	if len(line) == 0 {
		return nil, gatehouse.Errorf("passphrase.missing", "run it on a terminal, pipe the passphrase in, or give --passphrase-file", "no passphrase was given")
	}
	if err != nil && len(line) == 0 {
		return nil, err
	}
	return line, nil
}

func askNewPassphrase(out *Out) ([]byte, error) {
	first, err := askPassphrase(out, "New passphrase: ")
	if err != nil {
		return nil, err
	}
	if err := longEnough(first); err != nil {
		return nil, err
	}
	if f, ok := out.Stdin.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		again, err := askPassphrase(out, "Once more: ")
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(first, again) {
			return nil, gatehouse.Errorf("passphrase.differ", "start again", "the two passphrases differ")
		}
	}
	return first, nil
}

// stdin is standard input, or nothing where there is none.
func (o *Out) stdin() io.Reader {
	if o.Stdin == nil {
		return strings.NewReader("")
	}
	return o.Stdin
}

// onTerminal reports whether a person can be asked.
func (o *Out) onTerminal() bool {
	f, ok := o.Stdin.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// reading is o with what is left of its piped input; a terminal stays one, so that
// what is typed next is not shown.
func (o *Out) reading(rest *bufio.Reader) *Out {
	if o.onTerminal() {
		return o
	}
	c := *o
	c.Stdin = rest
	return &c
}
