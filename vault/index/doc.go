// Package index is the archive's search index: an encrypted database of what can be
// searched for, kept by the vault process while somebody has the vault unsealed. Its
// file key is the vault's alone, so the plain text of plates, names and numbers in it
// costs nothing in leakage, and exact search, prefixes and plates that are one
// character off need no trick that could be tried out from outside.
//
// A doc is a passage or a subject's record; a term is one text of one field; postings
// join them. A passage of somebody enrolled is found by the terms of its subject's
// record too, so that a name stands in the file once.
//
// Everything in it can be built again from the committed log, whose last position it
// keeps in the same transaction as the rows.
package index
