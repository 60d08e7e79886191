package console

import (
	"gatehouse"
	"gatehouse/auth"
)

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
	// Needs is what whoever sees the entry may do.
	Needs gatehouse.Permission
}

// groups are the navigation's, in their order; each is a key of texts.
var groups = []string{"nav.now", "nav.registry", "nav.parking", "nav.hours", "nav.site", "nav.privacy"}

// areas are all that there are; core is what every console has.
var areas = []area{core, registering, searching, signingIn, ownAccount, managing, lettingIn, telling, ruling, gating, alarming, equipment, wellbeing, settling, officer, controlling, auditing, planning, parked, working, bookkeeping}

var core = area{
	pages:  []string{"live", "passages", "passage", "disclosures", "message", "traffic"},
	routes: (*Console).coreRoutes,
	nav: []entry{
		{"nav.now", "live", "/", "nav.live", gatehouse.SeeLive},
		{"nav.now", "passages", "/passages", "nav.passages", gatehouse.SeePassages},
	},
}

// section is a group with the entries that a page shows.
type section struct {
	Text    string
	Entries []entry
}

// navigation is everywhere that there is to go, by group.
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
		all = append(all, s)
	}
	return all
}

// navigationFor is what the reader may go to.
func (c *Console) navigationFor(reader auth.Session) (all []section) {
	for _, s := range c.nav {
		mine := section{Text: s.Text}
		for _, e := range s.Entries {
			if reader.May(e.Needs) && c.has(e.Here) {
				mine.Entries = append(mine.Entries, e)
			}
		}
		if len(mine.Entries) > 0 {
			all = append(all, mine)
		}
	}
	return all
}

// has reports whether the console was given what a place of the navigation needs.
func (c *Console) has(here string) bool {
	switch here {
	case "parking":
		return c.o.Parking != nil
	case "accounts":
		return c.o.Accounts != nil
	case "tokens":
		return c.o.Tokens != nil
	case "webhooks":
		return c.o.Webhooks != nil
	case "ownhours", "hours", "hourplans", "periods", "performance":
		return c.o.Hours != nil
	case "devices":
		return c.o.Devices != nil
	case "settings":
		return c.o.Settings != nil
	case "budgets", "canaries", "releaseplan":
		return c.o.Control != nil
	case "books":
		return c.o.Books != nil
	case "audit":
		return c.o.Audit != nil
	case "health":
		return c.o.Health != nil
	case "privacy", "requests", "consents", "retention", "holds", "erasures", "releases":
		return c.o.Privacy != nil
	}
	return true
}
