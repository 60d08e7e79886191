package gatehouse

import _ "embed" // the manual

// Manual is gatehouse.yml as it comes with the program: every option with its default and
// what it means, in comments.
//
//go:embed gatehouse.yml
var Manual string
