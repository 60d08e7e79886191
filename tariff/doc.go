// Package tariff is what a tariff looks like outside: its YAML file, with what is wrong
// in it and on which line, and the picture of its price against time. What a tariff
// means is rules/parking's. docs/parking.md is the file's manual.
package tariff
