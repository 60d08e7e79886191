// Package attack plays attackers against a whole running site: one test for each class
// of attack, over every route of the server's own table, so that a new route is attacked
// as soon as it exists. mutants_test.go takes the guards out one by one and wants the
// tests to fail then.
package attack
