package main

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/api"
	"gatehouse/api/wire"
)

// SearchCmd searches the archive.
type SearchCmd struct {
	Reason string `required:"" help:"Why: it is written into the disclosure log."`

	Plate    string `help:"A number plate. For this and the other personal values, - reads one line of standard input, in the order in which they stand here: other users of the machine see command lines."`
	Near     bool   `help:"Plates that are one character off, too." xor:"match"`
	Prefix   bool   `help:"Plates that begin with it." xor:"match"`
	Name     string `help:"Words of a name, or their beginnings; Chinese characters from the middle, too."`
	IDNumber string `help:"A national ID number."`
	Number   string `help:"An employee or student number."`
	Phone    string `help:"A phone number."`
	PhoneEnd string `help:"The last digits of a phone number, at least 4."`
	Email    string `help:"An e-mail address."`

	Gate  string `help:"A gate's id: passages there only."`
	Since string `help:"From then on: YYYY-MM-DD, YYYY-MM-DD HH:MM or RFC 3339." placeholder:"TIME"`
	Until string `help:"Before then." placeholder:"TIME"`
	Only  string `help:"Only passages, or only records." enum:"passage,record," default:""`
	Limit int    `help:"Rows at most." default:"50"`
	After string `help:"Go on behind a search that had more." placeholder:"CURSOR"`
}

// Run searches and prints one line a row, newest first.
func (cmd SearchCmd) Run(ctx context.Context, out *Out) error {
	if cmd.Limit < 1 || cmd.Limit > maxSearchRows {
		return gatehouse.Errorf("search.malformed", "ask for 1 to 10000", "so many rows are not listed")
	}
	r, err := cmd.request(out.Stdin)
	if err != nil {
		return err
	}
	return out.withAdmin(ctx, func(admin api.Admin) error {
		rows, all := 0, []wire.SearchHit{}
		for {
			r.Limit = min(cmd.Limit-rows, gatehouse.MaxSearchPage)
			page, err := admin.Search(ctx, r)
			if err != nil {
				return err
			}
			if out.JSON {
				all = append(all, page.Hits...)
			} else {
				for _, h := range page.Hits {
					out.hit(h)
				}
			}
			rows += len(page.Hits)
			r.After = page.Next
			if page.Next == "" || rows >= cmd.Limit {
				out.searched(rows, page)
				if page.Hits = all; out.JSON {
					return out.Object(page)
				}
				return nil
			}
		}
	})
}

const maxSearchRows = 10_000

func (cmd SearchCmd) request(stdin io.Reader) (r wire.SearchRequest, err error) {
	r = wire.SearchRequest{Reason: cmd.Reason, Plate: cmd.Plate, Name: cmd.Name, NationalID: cmd.IDNumber, Number: cmd.Number, Phone: cmd.Phone, PhoneEnd: cmd.PhoneEnd,
		Email: cmd.Email, Gate: gatehouse.GateID(cmd.Gate), Kind: gatehouse.HitKind(cmd.Only), After: cmd.After}
	if cmd.Near {
		r.PlateMatch = gatehouse.PlateNear
	}
	if cmd.Prefix {
		r.PlateMatch = gatehouse.PlatePrefix
	}
	if r.Since, err = moment(cmd.Since); err == nil {
		r.Until, err = moment(cmd.Until)
	}
	if err != nil {
		return r, err
	}
	var lines *bufio.Scanner
	for _, value := range []*string{&r.Plate, &r.Name, &r.NationalID, &r.Number, &r.Phone, &r.PhoneEnd, &r.Email} {
		if *value != "-" {
			continue
		}
		if lines == nil {
			if stdin == nil {
				stdin = bytes.NewReader(nil)
			}
			lines = bufio.NewScanner(stdin)
		}
		if !lines.Scan() || strings.TrimSpace(lines.Text()) == "" {
			return r, gatehouse.Errorf("search.malformed", "give one line for each -", "standard input ended before every value was given")
		}
		*value = strings.TrimSpace(lines.Text())
	}
	return r, nil
}

// moment reads a time as people write it, in the machine's time zone; "" is none.
func moment(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02 15:04", time.DateTime} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, nil
		}
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, gatehouse.Errorf("search.malformed", "write it as YYYY-MM-DD, YYYY-MM-DD HH:MM or RFC 3339", "that is no time")
	}
	return t, nil
}

func (o *Out) hit(h wire.SearchHit) {
	what, where := string(h.SubjectKind)+" "+string(h.Status), ""
	if h.Kind == gatehouse.PassageHit {
		what, where = h.Decision+" "+string(h.Reason), string(h.Gate)
	}
	o.Say("%s  %-7s  %s  %-12s  %-20s  %s", h.At.Local().Format(time.DateTime), h.Kind, h.ID, where, h.Text, what)
}

// searched says on standard error what the rows alone do not.
func (o *Out) searched(rows int, page wire.SearchResponse) {
	note := &Out{Stdout: o.Stderr, Stderr: o.Stderr}
	if rows == 0 {
		note.Say("nothing was found")
	}
	if page.Next != "" {
		note.Say("there is more: --after %s", page.Next)
	}
	if !page.Current {
		note.Say("%s", indexed(page.Indexed, false))
	}
}

func indexed(until time.Time, current bool) string {
	switch {
	case current:
		return "search: everything can be found"
	case until.IsZero():
		return "search: the index is being built; nothing can be found yet"
	}
	return "search: the index is catching up; what was committed until " + until.Local().Format(time.DateTime) + " can be found"
}
