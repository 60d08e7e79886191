package main

import (
	"context"
	_ "embed"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"gatehouse/client"
	"gatehouse/server"

	"github.com/alecthomas/kong"
)

// CompletionCmd prints a shell's completion.
type CompletionCmd struct {
	Shell string `arg:"" help:"bash, zsh or fish." enum:"bash,zsh,fish"`
}

var (
	//go:embed completion/gatehouse.bash
	bashCompletion string
	//go:embed completion/gatehouse.zsh
	zshCompletion string
	//go:embed completion/gatehouse.fish
	fishCompletion string
)

// Run prints it.
func (cmd CompletionCmd) Run(out *Out) error {
	_, err := io.WriteString(out.Stdout, map[string]string{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}[cmd.Shell])
	return err
}

// completeArg is the argument with which a shell asks what could stand in the place of
// the last word. The answers come one a line; filesWord alone leaves it to the shell.
const (
	completeArg = "__complete"
	filesWord   = ":file"
)

// askWithin is how long a running server may take to name gates and devices: somebody
// waits with a finger on the key.
const askWithin = 500 * time.Millisecond

// complete answers a shell. It never fails: there is nobody to tell.
func complete(ctx context.Context, words []string, stdout io.Writer) {
	parser, err := kong.New(&CLI{}, kong.Name("gatehouse"))
	if err != nil || len(words) == 0 {
		return
	}
	c := completer{ctx: ctx, node: parser.Model.Node, config: os.Getenv("GATEHOUSE_CONFIG")}
	for _, w := range words[:len(words)-1] {
		c.pass(w)
	}
	last := words[len(words)-1]
	if last == "=" { // bash makes a word of it
		last = ""
	}
	for _, answer := range c.answers(last) {
		if strings.HasPrefix(answer, last) || answer == filesWord {
			io.WriteString(stdout, answer+"\n") //nolint:errcheck // see above
		}
	}
}

// completer has understood the words so far.
type completer struct {
	ctx     context.Context
	node    *kong.Node
	flag    *kong.Flag // whose value comes next
	args    int        // positional arguments of node so far
	config  string
	literal bool // after --
	lost    bool // a word fits nowhere: nothing can be said about those after it
}

// pass takes in a word that is complete.
func (c *completer) pass(w string) {
	switch {
	case w == "=":
	case c.flag != nil:
		c.value(w)
	case w == "--":
		c.literal = true
	case !c.literal && strings.HasPrefix(w, "-"):
		name, value, has := strings.Cut(w, "=")
		if f := c.find(name); f != nil && !f.IsBool() {
			if c.flag = f; has {
				c.value(value)
			}
		}
	default:
		for _, child := range c.node.Children {
			if child.Name == w || slices.Contains(child.Aliases, w) {
				c.node, c.args = child, 0
				return
			}
		}
		if n := len(c.node.Positional); c.args >= n && (n == 0 || !c.node.Positional[n-1].IsCumulative()) {
			c.lost = true
		}
		c.args++
	}
}

func (c *completer) value(w string) {
	if c.flag.Name == "config" {
		c.config = w
	}
	c.flag = nil
}

// flags are those of the command and of what stands above it, by how they are written.
func (c *completer) flags() map[string]*kong.Flag {
	all := map[string]*kong.Flag{}
	for n := c.node; n != nil; n = n.Parent {
		for _, f := range n.Flags {
			if f.Hidden {
				continue
			}
			all["--"+f.Name] = f
			if f.Negated || f.Tag != nil && f.Tag.Negatable != "" {
				all["--no-"+f.Name] = f
			}
		}
	}
	return all
}

func (c *completer) find(written string) *kong.Flag {
	if f := c.flags()[written]; f != nil {
		return f
	}
	for _, f := range c.flags() {
		if f.Short != 0 && written == "-"+string(f.Short) {
			return f
		}
	}
	return nil
}

// answers are all that could stand there; the caller keeps those that begin so.
func (c *completer) answers(last string) []string {
	switch {
	case c.lost:
		return nil
	case c.flag != nil:
		return c.values(c.flag.Value)
	case !c.literal && strings.HasPrefix(last, "-"):
		if name, _, has := strings.Cut(last, "="); has {
			f := c.find(name)
			if f == nil {
				return nil
			}
			all := c.values(f.Value)
			for i, v := range all {
				if v != filesWord {
					all[i] = name + "=" + v
				}
			}
			return all
		}
		return slices.Sorted(maps.Keys(c.flags()))
	}
	var all []string
	for _, child := range c.node.Children {
		if !child.Hidden {
			all = append(all, child.Name)
		}
	}
	if n := len(c.node.Positional); n > 0 {
		at := c.node.Positional[min(c.args, n-1)]
		if c.args < n || at.IsCumulative() {
			all = append(all, c.values(at)...)
		}
	}
	return all
}

// values are what a flag or argument may be.
func (c *completer) values(v *kong.Value) []string {
	switch {
	case v.Enum != "":
		return slices.Sorted(maps.Keys(v.EnumMap()))
	case v.IsBool():
		return []string{"true", "false"}
	case v.Name == "gate" || v.Name == "gates":
		gates, _ := c.ids()
		return gates
	case v.Name == "device" || v.Name == "id" && c.node.Parent != nil && c.node.Parent.Name == "device":
		_, devices := c.ids()
		return devices
	case strings.HasSuffix(v.Name, "file") || v.Name == "config" || v.Name == "dir" || v.Name == "path" || v.Name == "folder" || v.Flag != nil && strings.Contains(v.Flag.PlaceHolder, "FILE"):
		return []string{filesWord}
	}
	return c.names(v.Name)
}

// ids are the gates and devices of the running server, or else those of gatehouse.yml.
func (c *completer) ids() (gates, devices []string) {
	if c.config == "" {
		c.config = "gatehouse.yml"
	}
	config, err := server.LoadConfig(c.config, os.Environ())
	if err != nil {
		return nil, nil
	}
	for _, g := range config.Gates {
		gates = append(gates, g.ID)
	}
	for _, d := range config.Devices {
		devices = append(devices, d.ID)
	}
	ctx, cancel := context.WithTimeout(c.ctx, askWithin)
	defer cancel()
	running, err := runningServer(config)
	if err != nil || running == nil {
		return gates, devices
	}
	return asked(ctx, running, gates, devices)
}

// asked replaces what is known by what the server says, where it answers in time.
func asked(ctx context.Context, running *client.Client, gates, devices []string) (_, _ []string) {
	if st, err := running.Status(ctx); err == nil {
		gates = nil
		for _, g := range st.Gates {
			gates = append(gates, string(g.ID))
		}
	}
	if all, err := running.Devices(ctx); err == nil {
		devices = nil
		for _, d := range all.Devices {
			devices = append(devices, string(d.ID))
		}
	}
	return gates, devices
}
