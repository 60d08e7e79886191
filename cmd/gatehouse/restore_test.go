package main

import (
	"os"
	"path/filepath"
	"testing"

	"gatehouse"
)

func TestReadErasureList(t *testing.T) {
	digest := [32]byte{0xab, 31: 1}
	const hexDigest, baseDigest = "ab00000000000000000000000000000000000000000000000000000000000001", "qwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE="
	for text, want := range map[string]int{
		`{"count":3,"sha256":"` + hexDigest + `"}`:                                        3,
		`{"backups":[],"erasure_list":{"count":4,"sha256":"` + hexDigest + `"}}`:          4,
		"o\n5\nx\nremovals 5 " + baseDigest + "\n\n— sig\no\n2\nremovals 2 " + baseDigest: 5,
		``: -1, `{}`: -1, `{"count":-1,"sha256":"` + hexDigest + `"}`: -1, `{"count":1,"sha256":"ab"}`: -1, "removals x y": -1,
	} {
		path := filepath.Join(t.TempDir(), "note")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, _, err := readErasureList(path)
		switch {
		case want < 0:
			if gatehouse.ErrorCode(err) != "restore.erasure_note" {
				t.Errorf("%q: %v, %v", text, got, err)
			}
		case err != nil || got.Count != want || got.Digest != digest:
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}
