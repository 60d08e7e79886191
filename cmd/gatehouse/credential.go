package main

import (
	"os"

	"gatehouse"
	"gatehouse/vault"
	"gatehouse/vault/custody"

	"golang.org/x/term"
)

const vaultPrompt = "The vault's passphrase: "

// CredentialFlags say what opens the vault key. Without any the terminal is asked for a
// passphrase. No secret stands on a command line.
type CredentialFlags struct {
	PassphraseFile string `help:"Read the passphrase from a file." placeholder:"FILE"`
	KeyFile        string `help:"A key file of 32 random bytes, on other media." placeholder:"FILE"`
	PKCS11         string `name:"pkcs11" help:"A token: MODULE?token=NAME&key=NAME. Its PIN is asked for, or read from --pin-file." placeholder:"SOURCE"`
	TPM            string `name:"tpm" help:"A TPM 2.0: /dev/tpmrm0, or unix:SOCKET. --pin-file holds its authorization value, if it has one." placeholder:"DEVICE"`
	PINFile        string `name:"pin-file" help:"Read the token's PIN or the TPM's authorization value from a file." placeholder:"FILE"`
}

// given reports whether any credential was named.
func (f CredentialFlags) given() bool { return f != CredentialFlags{} }

// one refuses several credentials at once.
func (f CredentialFlags) one() error {
	given := 0
	for _, flag := range []string{f.PassphraseFile, f.KeyFile, f.PKCS11, f.TPM} {
		if flag != "" {
			given++
		}
	}
	if given > 1 {
		return gatehouse.Errorf("credential.several", "name a passphrase file, a key file, a token or a TPM", "the vault key is opened by one thing at a time")
	}
	return nil
}

// credential reads or asks for what opens the vault key; prompt asks for a passphrase.
func (f CredentialFlags) credential(out *Out, prompt string) (gatehouse.Credential, error) {
	if err := f.one(); err != nil {
		return gatehouse.Credential{}, err
	}
	switch {
	case f.KeyFile != "":
		key, err := custody.ReadPrivate("keyfile", "key file", f.KeyFile, custody.SecretSize)
		return gatehouse.Credential{Kind: gatehouse.FileCredential, Secret: key}, err
	case f.PKCS11 != "":
		return f.token(out, gatehouse.PKCS11Credential, f.PKCS11, "PIN of the token: ")
	case f.TPM != "":
		return f.token(out, gatehouse.TPMCredential, f.TPM, "")
	case f.PassphraseFile != "":
		p, err := readPassphraseFile(f.PassphraseFile)
		return gatehouse.Passphrase(p), err
	}
	p, err := askPassphrase(out, prompt)
	return gatehouse.Passphrase(p), err
}

// forVault is credential for what goes to the site's vault: where that is on another
// machine, nobody is asked here. Errors: vault.elsewhere.
func (f CredentialFlags) forVault(out *Out, prompt string) (gatehouse.Credential, error) {
	if out.desk == nil {
		c, err := out.config()
		if err != nil {
			return gatehouse.Credential{}, err
		}
		if c.Vault.Elsewhere() {
			return gatehouse.Credential{}, errElsewhere()
		}
	}
	return f.credential(out, prompt)
}

// newCredential is credential for what shall open the vault key from now on: a new
// passphrase is asked for twice, a key file that is not there is made, outside of the
// protected directory.
func (f CredentialFlags) newCredential(out *Out, protected string) (gatehouse.Credential, error) {
	if err := f.one(); err != nil {
		return gatehouse.Credential{}, err
	}
	switch {
	case f.KeyFile != "":
		if _, err := os.Lstat(f.KeyFile); os.IsNotExist(err) {
			if err := vault.CreateKeyFile(protected, f.KeyFile); err != nil {
				return gatehouse.Credential{}, err
			}
			out.Say("a new key file was made: %s; keep it on other media, and a copy elsewhere", f.KeyFile)
		}
	case f.PKCS11 == "" && f.TPM == "":
		var p []byte
		var err error
		if f.PassphraseFile != "" {
			if p, err = readPassphraseFile(f.PassphraseFile); err == nil {
				err = longEnough(p)
			}
		} else {
			p, err = askNewPassphrase(out)
		}
		return gatehouse.Passphrase(p), err
	}
	return f.credential(out, "")
}

// token is a token's or TPM's credential: its PIN stands in the file that the source or
// --pin-file names, or is asked for where there is a prompt.
func (f CredentialFlags) token(out *Out, kind gatehouse.CredentialKind, source, prompt string) (gatehouse.Credential, error) {
	c, err := custody.FromSource(kind, source)
	if err != nil || len(c.Secret) > 0 {
		return c, err
	}
	if f.PINFile != "" {
		c.Secret, err = custody.ReadPIN(f.PINFile)
		return c, err
	}
	if prompt == "" {
		file, ok := out.Stdin.(*os.File)
		if !ok || !term.IsTerminal(int(file.Fd())) {
			return c, nil
		}
		if c.Secret, err = askPassphrase(out, "The TPM's authorization value (empty where it has none): "); gatehouse.ErrorCode(err) == "passphrase.missing" {
			err = nil
		}
		return c, err
	}
	c.Secret, err = askPassphrase(out, prompt)
	return c, err
}
