package console

import (
	"encoding/csv"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"gatehouse"
	"gatehouse/auth"
	"gatehouse/flow/intake"
	"gatehouse/internal/sheet"
)

// importRoutes are taking many in from a table.
func (c *Console) importRoutes() []auth.Route {
	enrol := auth.Needs(gatehouse.Enrol)
	return []auth.Route{
		{Pattern: "GET /people/import", Policy: enrol, Handler: func(w http.ResponseWriter, r *http.Request) {
			c.showImport(w, r, http.StatusOK, importBody{Kind: gatehouse.PersonSubject})
		}},
		{Pattern: "POST /people/import", Policy: enrol, Handler: c.checkTable},
		{Pattern: "GET /people/import/template", Policy: enrol, Handler: c.importTemplate},
		{Pattern: "GET /imports/{id}", Policy: enrol, Handler: c.importJob},
		{Pattern: "GET /imports/{id}/problems", Policy: enrol, Handler: c.importProblems},
		{Pattern: "POST /imports/{id}/start", Policy: enrol, Handler: c.onImport(c.startImport)},
		{Pattern: "POST /imports/{id}/stop", Policy: enrol, Handler: c.onImport(c.stopImport)},
		{Pattern: "POST /imports/{id}/drop", Policy: enrol, Handler: c.onImport(c.dropImport)},
	}
}

// importBody is the page of a table: chosen, checked, running, done.
type importBody struct {
	Kind      gatehouse.SubjectKind
	Encoding  string
	Encodings []string
	Columns   []string
	Access    accessView
	Skip      bool
	Problem   string
	Job       *intake.Status
	Lines     []problemLine
	Share     float64 // done, 0..1
}

type problemLine struct {
	Row    int
	Column string
	Cause  string
	Other  int
}

func (c *Console) showImport(w http.ResponseWriter, r *http.Request, status int, b importBody) {
	b.Encodings, b.Columns = sheet.Encodings, intake.Columns(b.Kind)
	b.Access = c.accessView(b.Kind, b.Access.accessForm)
	w.Header().Set("Cache-Control", "no-store")
	c.render(w, r, status, "import", "import.title", "people", b)
}

// checkTable reads the file, checks every row and enrols nobody.
func (c *Console) checkTable(w http.ResponseWriter, r *http.Request) {
	lang := languageOf(w, r)
	b := importBody{Kind: gatehouse.PersonSubject}
	file, err := c.readImport(w, r, &b)
	var job intake.Status
	if err == nil {
		job, err = c.checkFile(r, b, file)
	}
	if err != nil {
		status, text := enrolRefusal(lang, err)
		if text == "" {
			c.fail(w, r, err)
			return
		}
		b.Problem = text
		c.showImport(w, r, status, b)
		return
	}
	http.Redirect(w, r, "/imports/"+job.ID.String(), http.StatusSeeOther)
}

func (c *Console) checkFile(r *http.Request, b importBody, file []byte) (intake.Status, error) {
	grants := b.Access.Grants()
	if err := c.o.Registry.CheckGrants(grants); err != nil {
		return intake.Status{}, err
	}
	table, err := c.o.Registry.ReadTable(file, b.Encoding)
	if err != nil {
		return intake.Status{}, err
	}
	return c.o.Registry.Imports.Check(r.Context(), who(r).Operator, table, intake.Options{Kind: b.Kind, Grants: grants, Skip: b.Skip, Location: c.o.Location})
}

// readImport reads the form into memory; a form that is parsed would lie in a temporary
// file.
func (c *Console) readImport(w http.ResponseWriter, r *http.Request, b *importBody) (file []byte, err error) {
	r.Body = http.MaxBytesReader(w, r.Body, sheet.MaxBytes+64<<10)
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, gatehouse.Errorf("form.malformed", "", "the form was not filled in")
	}
	f := accessForm{Asked: true, Gates: map[string]string{}}
	all := map[string]string{}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, gatehouse.Errorf("sheet.too_large", "", "the file is too large, or the connection broke off")
		}
		limit := int64(1024)
		if part.FormName() == "file" {
			limit = sheet.MaxBytes + 1
		}
		value, err := io.ReadAll(io.LimitReader(part, limit))
		if err != nil {
			return nil, gatehouse.Errorf("sheet.too_large", "", "the file is too large, or the connection broke off")
		}
		switch name := part.FormName(); name {
		case "file":
			file = value
		case "gate":
			f.Gates[string(value)] = "always"
		default:
			if len(all) < 200 {
				all[name] = string(value)
			}
		}
	}
	for gate := range f.Gates {
		if s := all["schedule-"+gate]; s != "" {
			f.Gates[gate] = s
		}
	}
	if all["all"] != "" {
		if f.All = all["schedule-all"]; f.All == "" {
			f.All = "always"
		}
	}
	b.Access.accessForm, b.Skip = f, all["skip"] != ""
	b.Kind = gatehouse.SubjectKind(oneOf(all["kind"], string(gatehouse.PersonSubject), string(gatehouse.VehicleSubject)))
	b.Encoding = oneOf(all["encoding"], "auto", sheet.Encodings...)
	if len(file) == 0 {
		return nil, gatehouse.Errorf("sheet.missing", "", "there is no file")
	}
	return file, nil
}

// importTemplate is a table with a header and nothing else.
func (c *Console) importTemplate(w http.ResponseWriter, r *http.Request) {
	kind := gatehouse.SubjectKind(oneOf(r.URL.Query().Get("kind"), string(gatehouse.PersonSubject), string(gatehouse.VehicleSubject)))
	attachment(w, "text/csv; charset=utf-8", map[gatehouse.SubjectKind]string{gatehouse.PersonSubject: "people.csv", gatehouse.VehicleSubject: "vehicles.csv"}[kind])
	_, _ = w.Write([]byte("\xEF\xBB\xBF" + strings.Join(intake.Columns(kind), ",") + "\r\n"))
}

// jobIn is the import that the path names, if it is the operator's.
func (c *Console) jobIn(r *http.Request) (intake.Status, error) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil {
		return intake.Status{}, err
	}
	return c.o.Registry.Imports.Status(who(r).Operator, id)
}

func (c *Console) importJob(w http.ResponseWriter, r *http.Request) {
	job, err := c.jobIn(r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.showJob(w, r, http.StatusOK, job, "")
}

func (c *Console) showJob(w http.ResponseWriter, r *http.Request, status int, job intake.Status, problem string) {
	lang := languageOf(w, r)
	b := importBody{Kind: job.Kind, Job: &job, Problem: problem, Lines: c.lines(lang, job), Skip: job.Skip}
	if job.Total > 0 {
		b.Share = float64(job.Total-job.Left()) / float64(job.Total)
	}
	if r.Header.Get("HX-Request") != "" {
		c.fragment(w, lang, "import", "job", b)
		return
	}
	c.showImport(w, r, status, b)
}

// lines are a job's problems: those of its run once it ran, else those of the check.
func (c *Console) lines(lang string, job intake.Status) (out []problemLine) {
	all := job.Report.Problems
	if len(job.Failed) > 0 {
		all = job.Failed
	}
	for _, p := range all {
		out = append(out, problemLine{Row: p.Row, Column: p.Column, Cause: p.Cause(lang), Other: p.Other})
	}
	return out
}

// importProblems is the list of what is wrong, to be worked through beside the table.
func (c *Console) importProblems(w http.ResponseWriter, r *http.Request) {
	job, err := c.jobIn(r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	lang := languageOf(w, r)
	attachment(w, "text/csv; charset=utf-8", "problems.csv")
	_, _ = w.Write([]byte("\xEF\xBB\xBF"))
	out := csv.NewWriter(w)
	_ = out.Write([]string{"row", "column", "cause", "earlier_row"})
	for _, l := range c.lines(lang, job) {
		earlier := ""
		if l.Other > 0 {
			earlier = strconv.Itoa(l.Other)
		}
		_ = out.Write([]string{strconv.Itoa(l.Row), l.Column, l.Cause, earlier})
	}
	out.Flush()
}

// onImport does something with the import in the path, and goes back to it.
func (c *Console) onImport(do func(by string, id gatehouse.ID) (next string, err error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		job, err := c.jobIn(r)
		if err != nil {
			c.fail(w, r, err)
			return
		}
		next, err := do(who(r).Operator, job.ID)
		if err != nil {
			if status, text := enrolRefusal(languageOf(w, r), err); text != "" {
				c.showJob(w, r, status, job, text)
				return
			}
			c.fail(w, r, err)
			return
		}
		http.Redirect(w, r, next, http.StatusSeeOther)
	}
}

func (c *Console) startImport(by string, id gatehouse.ID) (string, error) {
	_, err := c.o.Registry.Imports.Start(by, id)
	return "/imports/" + id.String(), err
}

func (c *Console) stopImport(by string, id gatehouse.ID) (string, error) {
	_, err := c.o.Registry.Imports.Stop(by, id)
	return "/imports/" + id.String(), err
}

func (c *Console) dropImport(by string, id gatehouse.ID) (string, error) {
	return "/people/import", c.o.Registry.Imports.Drop(by, id)
}
