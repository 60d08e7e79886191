package console

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/flow/release"
)

// plannedRelease is a page that prepares what somebody asks for. Asking is a signature, which
// is made on their own machine: the page ends in the command, and knows no reason.
type plannedRelease struct {
	Fields  []string // that there are
	Groups  []gatehouse.Group
	Form    plannedForm
	Items   int
	Command []string // its words
	List    []string // ids, where they are too many for a command
	Problem string
}

type plannedForm struct {
	IDs, Group, Purpose, Recipients string
	Fields                          map[string]bool
}

// What a word of the command may be, so that it is the same word to every shell.
var (
	plainPurpose   = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)
	plainRecipient = regexp.MustCompile(`^age1[a-z0-9]{10,900}$`)
)

// inCommand is how many ids stand in the command itself.
const inCommand = 10

func (c *Console) planRelease(w http.ResponseWriter, r *http.Request) {
	c.showPlanned(w, r, http.StatusOK, plannedRelease{Form: plannedForm{Fields: map[string]bool{"name": true}}})
}

func (c *Console) showPlanned(w http.ResponseWriter, r *http.Request, status int, b plannedRelease) {
	b.Fields, b.Groups = slices.Concat(release.SubjectFields, release.PassageFields), c.groupList()
	c.render(w, r, status, "releaseplan", "releases.plan", "releaseplan", b)
}

// groupList are the groups, none where there is no rule book.
func (c *Console) groupList() (all []gatehouse.Group) {
	if c.o.Rules == nil {
		return nil
	}
	for _, g := range c.o.Rules.List().Groups {
		all = append(all, g.Group)
	}
	return all
}

func (c *Console) plannedCommand(w http.ResponseWriter, r *http.Request) {
	b := plannedRelease{Form: plannedForm{Fields: map[string]bool{}}}
	err := formIn(w, r, 64<<10)
	if err == nil {
		f := r.PostForm
		b.Form.IDs, b.Form.Group, b.Form.Purpose, b.Form.Recipients = f.Get("ids"), f.Get("group"), strings.TrimSpace(f.Get("purpose")), f.Get("recipients")
		for _, name := range f["field"] {
			b.Form.Fields[name] = true
		}
		err = c.fillPlan(r, &b, f["field"])
	}
	if status, problem := controlRight(languageOf(w, r), err); status != 0 {
		b.Problem = problem
		c.showPlanned(w, r, status, b)
		return
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.showPlanned(w, r, http.StatusOK, b)
}

func (c *Console) fillPlan(r *http.Request, b *plannedRelease, fields []string) error {
	var ids []gatehouse.ID
	for _, s := range strings.Fields(b.Form.IDs) {
		id, err := gatehouse.ParseID(s)
		if err != nil {
			return err
		}
		ids = append(ids, id)
	}
	if b.Form.Group != "" && c.o.Rules != nil {
		ids = append(ids, c.o.Rules.Members(gatehouse.GroupID(b.Form.Group), gatehouse.SubjectID{}, 0)...)
	}
	if !plainPurpose.MatchString(b.Form.Purpose) {
		return gatehouse.Errorf("release.purpose", "give one word: authority, export, audit", "this is no purpose")
	}
	recipients := strings.Fields(b.Form.Recipients)
	if len(recipients) == 0 || slices.ContainsFunc(recipients, func(s string) bool { return !plainRecipient.MatchString(s) }) {
		return gatehouse.Errorf("release.recipient", "give age public keys (age1…)", "the file needs somebody who can open it")
	}
	subjects, passages, items, err := c.o.Control.PlanRelease(r.Context(), ids, fields)
	if err != nil {
		return err
	}
	b.Items = items
	b.Command = []string{"gatehouse release request --as NAME --reason - --purpose " + b.Form.Purpose}
	for _, name := range fields {
		b.Command = append(b.Command, "--field "+name)
	}
	for _, to := range recipients {
		b.Command = append(b.Command, "--recipient "+to)
	}
	for _, id := range passages {
		b.Command = append(b.Command, "--passage "+id.String())
	}
	if len(subjects) > inCommand {
		b.Command = append(b.Command, "--subjects-file FILE")
	}
	for _, id := range subjects {
		if len(subjects) > inCommand {
			b.List = append(b.List, id.String())
		} else {
			b.Command = append(b.Command, "--subject "+id.String())
		}
	}
	return nil
}
