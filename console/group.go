package console

import (
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"gatehouse"
)

// groupBody is the page of one group.
type groupBody struct {
	Problem string
	Group   gatehouse.Group
	Rules   []gatehouse.AccessRule
	Count   int
	List    listing // of the members
	Members []member
	People  bool // whoever looks may see who is enrolled
	Asked   bool // somebody was looked for
	Found   []member
}

// member is somebody in a group, or who may be.
type member struct {
	ID     gatehouse.SubjectID
	Label  string // "" where whoever looks may not see it
	Kind   gatehouse.SubjectKind
	Status gatehouse.SubjectStatus
}

// foundMost is how many a search for labels shows.
const foundMost = 30

func (c *Console) group(w http.ResponseWriter, r *http.Request) {
	c.showGroup(w, r, http.StatusOK, groupBody{})
}

// showGroup renders the group in the path; b holds what happened.
func (c *Console) showGroup(w http.ResponseWriter, r *http.Request, status int, b groupBody) {
	id := gatehouse.GroupID(r.PathValue("id"))
	var ok bool
	if b.Group, ok = c.o.Rules.Group(id); !ok {
		c.fail(w, r, gatehouse.Errorf("store.not_found", "", "there is no such group"))
		return
	}
	l := c.o.Rules.List()
	for _, g := range l.Groups {
		if g.ID == id {
			b.Count = g.Members
		}
	}
	for _, rule := range l.Rules {
		if rule.Group == id {
			b.Rules = append(b.Rules, rule)
		}
	}
	b.People, b.List = may(r, gatehouse.SeePeople), listingOf(r)
	b.List.Path = "/rules/groups/" + string(id) // also where a form answers
	b.List.File = b.List.File && r.Method == http.MethodGet
	var members []member
	for _, one := range c.o.Rules.Members(id, gatehouse.SubjectID{}, 0) {
		members = append(members, c.member(one, b.People))
	}
	b.Members = arrange(&b.List, members, func(m member) []string { return []string{m.ID.String()} }, by("label", func(m member) string { return m.Label }),
		by("status", func(m member) string { return string(m.Status) }), by("id", func(m member) string { return m.ID.String() }))
	if b.List.File {
		var out [][]string
		for _, m := range b.Members {
			out = append(out, []string{m.ID.String(), m.Label, string(m.Kind), string(m.Status)})
		}
		c.file(w, "group-"+string(id), []string{"id", "label", "kind", "status"}, out)
		return
	}
	c.render(w, r, status, "group", "group.title", "rules", b)
}

// member is what whoever looks may see of somebody.
func (c *Console) member(id gatehouse.SubjectID, seen bool) member {
	badge, ok := c.o.Badges.Badge(id)
	if !ok || !seen {
		return member{ID: id}
	}
	return member{ID: id, Label: badge.Label, Kind: badge.Kind, Status: badge.Status}
}

// findMembers looks for people and vehicles by their labels, which a POST keeps out of
// addresses.
func (c *Console) findMembers(w http.ResponseWriter, r *http.Request) {
	text, err := textIn(w, r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	in := c.o.Rules.Members(gatehouse.GroupID(r.PathValue("id")), gatehouse.SubjectID{}, 0)
	b := groupBody{Asked: true}
	for _, m := range c.find(text) {
		if may(r, gatehouse.SeePeople) && !slices.Contains(in, m.ID) {
			b.Found = append(b.Found, m)
		}
	}
	c.showGroup(w, r, http.StatusOK, b)
}

// textIn is what somebody typed to look for.
func textIn(w http.ResponseWriter, r *http.Request) (string, error) {
	if err := formIn(w, r, 4096); err != nil {
		return "", err
	}
	text := strings.TrimSpace(r.PostForm.Get("text"))
	if text == "" || utf8.RuneCountInString(text) > 80 || !utf8.ValidString(text) {
		return "", gatehouse.Errorf("form.malformed", "use 1 to 80 characters", "there is nothing to look for")
	}
	return text, nil
}

func (c *Console) find(text string) (found []member) {
	for _, badge := range c.o.Badges.FindBadges(text, foundMost) {
		found = append(found, member{ID: badge.Subject, Label: badge.Label, Kind: badge.Kind, Status: badge.Status})
	}
	return found
}
