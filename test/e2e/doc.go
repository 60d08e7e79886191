// Package e2e tries the console in a real browser, as a guard would.
package e2e
