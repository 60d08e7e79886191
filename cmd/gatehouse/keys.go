package main

// KeysCmd is about the site's keys.
type KeysCmd struct {
	RebuildWorkingSet RebuildWorkingSetCmd `cmd:"" help:"Make a lost or damaged working set anew, from its copies in the archive."`
}
