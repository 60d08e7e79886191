package vault

import (
	"errors"
	"io/fs"

	"gatehouse"
	"gatehouse/vault/custody"
)

// CreateKeyFile makes a key file for a slot of the vault key (mode 0600, durable), which
// must lie outside dataDir. Errors: keyfile.inside, keyfile.exists, keyfile.failed.
func CreateKeyFile(dataDir, file string) error {
	_, file, err := outside(dataDir, file)
	if gatehouse.ErrorCode(err) == "gatekey.inside" {
		return gatehouse.Errorf("keyfile.inside", "keep it elsewhere, best on other media: whoever copies the data directory must not get it", "the key file would lie inside the data directory")
	}
	if err != nil {
		return err
	}
	key := make([]byte, custody.SecretSize)
	random(key)
	defer clear(key)
	err = writeDurably(file, key, false)
	switch {
	case errors.Is(err, fs.ErrExist):
		return gatehouse.Errorf("keyfile.exists", "use it, or name another file", "there is a file in the place of the new key file")
	case err != nil:
		return gatehouse.Errorf("keyfile.failed", "check that its directory exists and can be written", "the key file cannot be written: %w", err)
	}
	return nil
}

// CheckOutside fails with keys.inside where path lies inside the data directory: what
// opens the vault does not belong beside what it opens.
func CheckOutside(dataDir, path string) error {
	_, _, err := outside(dataDir, path)
	if gatehouse.ErrorCode(err) == "gatekey.inside" {
		return gatehouse.Errorf("keys.inside", "name a folder elsewhere, best on other media", "this lies inside the data directory: whoever copies that must not get it")
	}
	return err
}
