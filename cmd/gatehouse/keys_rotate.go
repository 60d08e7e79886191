package main

// KeysRotateCmd exchanges keys, one level at a time.
type KeysRotateCmd struct {
	Gate KeysRotateGateCmd `cmd:"" help:"The gate key: the databases' keys and the working set go under a new one. May be interrupted; the same command goes on with it."`
}
