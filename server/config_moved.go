package server

import (
	"slices"
	"strings"

	"gatehouse"

	"github.com/goccy/go-yaml"
)

// moved are options of earlier versions that have another name now: the old path, and the
// new one, whose value says the same.
var moved = [][2]string{{"terminal.law", "law.profile"}}

// movedTo refuses a file that still has one of them, and says where it is now; nil for none.
// A variable of the environment is refused likewise: one that nobody reads would leave the
// site without what it says.
func movedTo(raw []byte, environ []string) error {
	var file map[string]any
	_ = yaml.Unmarshal(raw, &file) // what is no YAML is said elsewhere
	for _, m := range moved {
		at := any(file)
		for part := range strings.SplitSeq(m[0], ".") {
			level, _ := at.(map[string]any)
			at = level[part]
		}
		if variable := variableOf(m[0]); slices.ContainsFunc(environ, func(kv string) bool { return strings.HasPrefix(kv, variable+"=") }) {
			return gatehouse.Errorf("config.moved", "set "+variableOf(m[1])+" to the same value, and unset "+variable, "the variable %s has no place any more: %s is now %s", variable, m[0], m[1])
		}
		if at != nil {
			section, name, _ := strings.Cut(m[1], ".")
			return gatehouse.Errorf("config.moved", "write `"+section+": {"+name+": …}` with the same value, and take "+m[0]+" out", "%s has no place any more: it is now %s", m[0], m[1])
		}
	}
	return nil
}

// variableOf is the environment's name of an option.
func variableOf(path string) string {
	return "GATEHOUSE_" + strings.ToUpper(strings.ReplaceAll(path, ".", "_"))
}
