package console

import "gatehouse/auth"

// area is a part of the console with pages of its own. A new capability brings one: its
// routes, its templates, its places in the navigation, and its texts in a table of
// their own (see texts).
type area struct {
	pages  []string // templates that are pages
	routes func(*Console) []auth.Route
	nav    []entry
}

// entry is a place in the navigation.
type entry struct {
	Group string // one of groups
	Here  string // what a page says it is
	Path  string
	Text  string // a key of texts
}

// groups are the navigation's, in their order; each is a key of texts.
var groups = []string{"nav.now", "nav.registry", "nav.site", "nav.privacy"}

// areas are all that there are; core is what every console has.
var areas = []area{core, searching}

var core = area{
	pages:  []string{"live", "passages", "passage", "people", "disclosures", "message"},
	routes: (*Console).coreRoutes,
	nav: []entry{
		{"nav.now", "live", "/", "nav.live"},
		{"nav.now", "passages", "/passages", "nav.passages"},
		{"nav.registry", "people", "/people", "nav.people"},
		{"nav.privacy", "disclosures", "/disclosures", "nav.disclosures"},
	},
}

// section is a group with the entries that a page shows.
type section struct {
	Text    string
	Entries []entry
}

// navigation is what the reader may go to, by group.
func navigation() (all []section) {
	for _, group := range groups {
		s := section{Text: group}
		for _, a := range areas {
			for _, e := range a.nav {
				if e.Group == group {
					s.Entries = append(s.Entries, e)
				}
			}
		}
		if len(s.Entries) > 0 {
			all = append(all, s)
		}
	}
	return all
}
