// Package sealeddb opens SQLite databases that are encrypted whole: every page of
// the file, of its write-ahead log and of its temporary files.
//
// The cipher is Adiantum over 4,096-byte blocks (github.com/ncruces/go-sqlite3/vfs/adiantum),
// keyed with 32 random bytes. It hides and scrambles; it does not authenticate: a
// block that somebody altered decrypts to noise, which SQLite reports as damage.
// What must be authenticated is sealed on its own before it is stored.
//
// One process at a time may use a database, which Lock enforces for a directory,
// and within it one connection writes and a few read.
package sealeddb
