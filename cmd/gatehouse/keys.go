package main

// KeysCmd is about the site's keys.
type KeysCmd struct {
	Rotate KeysRotateCmd `cmd:"" help:"Exchange a key for a new one while the gates go on."`
}
