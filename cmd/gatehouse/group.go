package main

import (
	"context"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
)

// GroupCmd is about people and vehicles that the same rules count for.
type GroupCmd struct {
	List    GroupListCmd    `cmd:"" help:"List the groups."`
	Set     GroupSetCmd     `cmd:"" help:"Make a group, or give it another title."`
	Add     GroupAddCmd     `cmd:"" help:"Put people and vehicles into a group; the gates know at once."`
	Drop    GroupDropCmd    `cmd:"" help:"Take people and vehicles out of a group."`
	Members GroupMembersCmd `cmd:"" help:"List who is in a group, by id."`
	Remove  GroupRemoveCmd  `cmd:"" help:"Remove a group that no rule is about."`
}

// GroupArg names a group.
type GroupArg struct {
	Group string `arg:"" help:"The group's id: night-cleaning, and nobody's name."`
}

// changeRules carries out a change of the rule book and shows what is of interest then.
func changeRules(ctx context.Context, out *Out, do func(api.Admin) (wire.Rules, error), show func(wire.Rules)) error {
	return answer(ctx, out, do, func(got wire.Rules) {
		show(got)
		out.Say("version %d of the rules is in force", got.Version)
	})
}

// GroupListCmd lists the groups.
type GroupListCmd struct{}

// Run lists them.
func (GroupListCmd) Run(ctx context.Context, out *Out) error {
	return answer(ctx, out, func(a api.Admin) (wire.Rules, error) { return a.Rules(ctx) }, out.groups)
}

func (o *Out) groups(got wire.Rules) {
	if len(got.Groups) == 0 {
		o.Say("there are no groups yet: `gatehouse group set night-cleaning --title \"Night cleaning\"`")
	}
	for _, g := range got.Groups {
		o.Say("%-24s  %5d members  %s", g.ID, g.Members, g.Title)
	}
}

// GroupSetCmd makes a group.
type GroupSetCmd struct {
	GroupArg
	Title string `required:"" help:"What people call it; nobody's name." placeholder:"TEXT"`
}

// Run makes it.
func (cmd GroupSetCmd) Run(ctx context.Context, out *Out) error {
	return changeRules(ctx, out, func(a api.Admin) (wire.Rules, error) {
		return a.PutGroup(ctx, wire.GroupRequest{ID: gatehouse.GroupID(cmd.Group), Title: cmd.Title})
	}, out.groups)
}

// MembersArg names a group and some of its members.
type MembersArg struct {
	GroupArg
	Subjects []string `arg:"" help:"Ids, as 'gatehouse people' shows them."`
}

func (m MembersArg) ids() (ids []gatehouse.SubjectID, err error) {
	for _, s := range m.Subjects {
		id, err := gatehouse.ParseID(s)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// GroupAddCmd adds members.
type GroupAddCmd struct{ MembersArg }

// Run adds them.
func (cmd GroupAddCmd) Run(ctx context.Context, out *Out) error {
	ids, err := cmd.ids()
	if err != nil {
		return err
	}
	return changeRules(ctx, out, func(a api.Admin) (wire.Rules, error) {
		return a.ChangeMembers(ctx, cmd.Group, wire.MembersRequest{Add: ids})
	}, out.groups)
}

// GroupDropCmd removes members.
type GroupDropCmd struct{ MembersArg }

// Run removes them.
func (cmd GroupDropCmd) Run(ctx context.Context, out *Out) error {
	ids, err := cmd.ids()
	if err != nil {
		return err
	}
	return changeRules(ctx, out, func(a api.Admin) (wire.Rules, error) {
		return a.ChangeMembers(ctx, cmd.Group, wire.MembersRequest{Remove: ids})
	}, out.groups)
}

// GroupMembersCmd lists a group's members.
type GroupMembersCmd struct{ GroupArg }

// Run lists them, one line a subject.
func (cmd GroupMembersCmd) Run(ctx context.Context, out *Out) error {
	return out.withAdmin(ctx, func(admin api.Admin) error {
		all := []gatehouse.SubjectID{}
		for after := (gatehouse.SubjectID{}); ; {
			page, err := admin.Members(ctx, cmd.Group, after)
			if err != nil {
				return err
			}
			all = append(all, page.Members...)
			if after = page.Next; after.IsZero() {
				break
			}
		}
		if out.JSON {
			return out.Object(map[string]any{"members": all})
		}
		for _, id := range all {
			out.Say("%s", id)
		}
		return nil
	})
}

// GroupRemoveCmd removes a group.
type GroupRemoveCmd struct{ GroupArg }

// Run removes it.
func (cmd GroupRemoveCmd) Run(ctx context.Context, out *Out) error {
	return changeRules(ctx, out, func(a api.Admin) (wire.Rules, error) { return a.RemoveGroup(ctx, cmd.Group) }, out.groups)
}
