package intake

import (
	"slices"
	"strings"

	"gatehouse"
)

// groupNames are the groups by what people call them, in lower case: their ids and titles.
// A title that several have stands for none of them, and is there with more than one.
type groupNames map[string][]gatehouse.GroupID

func groupsOf(all []gatehouse.Group) groupNames {
	names := groupNames{}
	for _, g := range all {
		for _, name := range []string{string(g.ID), g.Title} {
			if name = strings.ToLower(strings.TrimSpace(name)); name != "" && !slices.Contains(names[name], g.ID) {
				names[name] = append(names[name], g.ID)
			}
		}
	}
	for _, g := range all { // an id is one group's, whatever the titles of others are
		names[string(g.ID)] = []gatehouse.GroupID{g.ID}
	}
	return names
}

// memberOf reads the groups of a row, by id or title, several apart by a comma, semicolon or
// bar: a title may hold spaces.
func (r *reader) memberOf() (out []gatehouse.GroupID) {
	for part := range strings.FieldsFuncSeq(r.cell("groups"), func(c rune) bool { return strings.ContainsRune(",;|、，；\n", c) }) {
		name := strings.ToLower(strings.TrimSpace(part))
		if name == "" {
			continue
		}
		switch found := r.groups[name]; {
		case len(found) == 0:
			r.problem("groups", "intake.group", 0)
		case len(found) > 1:
			r.problem("groups", "intake.group_several", 0)
		case !slices.Contains(out, found[0]):
			out = append(out, found[0])
		}
	}
	return out
}
