package console

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"gatehouse"
	"gatehouse/auth"
)

// TariffForms is what the form of a tariff asks for; the file stays what is kept.
type TariffForms interface {
	// DraftTariff lays out a tariff's last version; "" gives one for a new tariff. Errors:
	// parking.unknown_tariff.
	DraftTariff(name string) (TariffDraft, error)
	// TryTariff says what is wrong with a draft, or else what stays cost by it.
	TryTariff(d TariffDraft, lang string) TariffTrial
	// PutTariffDraft writes a draft into its file and puts that into force; with problems nothing
	// was done. Errors: parking.changed where the tariff is not of the draft's revision any more.
	PutTariffDraft(ctx context.Context, d TariffDraft, by string) (gatehouse.StoredTariff, []TariffProblem, error)
}

// TariffDraft is a version of a tariff as people type it: Values by their place in the version,
// as the file has it ("plans[0].periods[1].cap").
type TariffDraft struct {
	Name, Currency, TimeZone string
	Revision                 int // of the file that it is for; 0 makes a new tariff
	Values                   map[string]string
	// What the form does not show, and leaves in the file as it is.
	Versions, Holidays, Comments int
	// At, Class and For are the stay that is shown as an example.
	At, Class, For string
}

// TariffProblem is what is wrong with one field, or with a part of the form; Field is "" for all
// of it. Chinese is the reason in Chinese, "" where there are no words for it.
type TariffProblem struct{ Field, Code, Reason, Chinese string }

// TariffTrial is what a draft would charge.
type TariffTrial struct {
	Values   map[string]string // the draft's, without empty rows: what problems name
	Problems []TariffProblem
	Samples  []TariffSample
	Example  StayCharge
	Chart    template.HTML // an SVG of package tariff, which escapes what a file says
}

// TariffSample is what a stay of some length costs.
type TariffSample struct {
	Length string
	Total  gatehouse.Money
}

func (c *Console) tariffFormRoutes() []auth.Route {
	see := auth.Needs(gatehouse.ManageParking)
	return []auth.Route{
		{Pattern: "GET /parking/tariffs/form", Policy: see, Handler: c.parking(c.tariffForm)},
		{Pattern: "POST /parking/tariffs/form/trial", Policy: see, Page: "/parking/tariffs", Handler: c.parking(c.tryTariff)},
		{Pattern: "POST /parking/tariffs/form", Policy: auth.NeedsFresh(gatehouse.ManageParking), Page: "/parking/tariffs", Handler: c.parking(c.putTariffForm)},
	}
}

// tariffFormBody is the page of the form.
type tariffFormBody struct {
	TariffDraft
	Trial TariffTrial
	Tried bool
	lang  string
}

// tariffField is one field as the templates draw it.
type tariffField struct {
	Path, Label, Value string
	Wrong              bool
	Choices            []string
}

// tariffReason is why a draft cannot be used, and the language that this is said in.
type tariffReason struct{ Lang, Text string }

// Reason says a problem in the page's language, as far as there are words for it.
func (b tariffFormBody) Reason(p TariffProblem) tariffReason {
	if b.lang == "zh" && p.Chinese != "" {
		return tariffReason{"zh", p.Chinese}
	}
	return tariffReason{"en", p.Reason}
}

// Field gives the field at a place.
func (b tariffFormBody) Field(path string) tariffField {
	f := tariffField{Path: path, Label: "tariffform." + path[strings.LastIndexByte(path, '.')+1:], Value: b.Values[path]}
	for _, p := range b.Trial.Problems {
		f.Wrong = f.Wrong || p.Field == path
	}
	switch path[strings.LastIndexByte(path, '.')+1:] {
	case "boundary":
		f.Choices = []string{"run", "cut"}
	case "how":
		f.Choices = []string{"down", "up", "half_up", "half_even"}
		if strings.HasSuffix(path, "lost_ticket.how") {
			f.Choices = []string{"instead", "at_least", "added"}
		}
	case "per":
		if strings.Contains(path, "].caps[") {
			f.Label, f.Choices = "tariffform.cap_per", []string{"stay", "day", "24h", "any_24h"}
		}
	case "price":
		if strings.HasSuffix(path, "lost_ticket.price") {
			f.Label = "tariffform.lost_price"
		}
	}
	return f
}

// Rows gives the places of a list's rows.
func (b tariffFormBody) Rows(list string) (all []string) {
	n := 0
	for path := range b.Values {
		if rest, ok := strings.CutPrefix(path, list+"["); ok {
			digits, _, _ := strings.Cut(rest, "]")
			if i, err := strconv.Atoi(digits); err == nil {
				n = max(n, i+1)
			}
		}
	}
	for i := range n {
		all = append(all, fmt.Sprintf("%s[%d]", list, i))
	}
	return all
}

// Where puts a place into words: "Prices 1 · Period 2 · Cap".
func (b tariffFormBody) Where(path string) string {
	var words []string
	for part := range strings.SplitSeq(path, ".") {
		name, digits, row := strings.Cut(strings.TrimSuffix(part, "]"), "[")
		word := text(b.lang, "tariffform."+name)
		if n, err := strconv.Atoi(digits); row && err == nil {
			word += fmt.Sprintf(" %d", n+1)
		}
		words = append(words, word)
	}
	return strings.Join(words, " · ")
}

func (c *Console) tariffForm(w http.ResponseWriter, r *http.Request) error {
	d, err := c.o.Parking.DraftTariff(r.URL.Query().Get("name"))
	if err != nil {
		return err
	}
	lang := languageOf(w, r)
	c.render(w, r, http.StatusOK, "tariffform", "tariffform.title", "parking", tariffFormBody{TariffDraft: d, Trial: c.o.Parking.TryTariff(d, lang), lang: lang})
	return nil
}

// The bounds of the form.
const (
	maxTariffFields = 4000
	maxTariffText   = 200
)

var tariffPlace = regexp.MustCompile(`^[a-z_]+(\[[0-9]{1,2}\])?(\.[a-z_]+(\[[0-9]{1,2}\])?){0,4}$`)

// draftIn reads the form. What no field of it is called is left out.
func draftIn(w http.ResponseWriter, r *http.Request) (d TariffDraft, do string, err error) {
	if err := formIn(w, r, maxTariffForm); err != nil {
		return d, "", err
	}
	if len(r.PostForm) > maxTariffFields {
		return d, "", gatehouse.Errorf("form.malformed", "change the file itself", "the form has too many fields")
	}
	d = TariffDraft{Name: asked(r, "name"), TimeZone: asked(r, "time_zone"), At: asked(r, "sample-at"), Class: asked(r, "sample-class"), For: asked(r, "sample-for"), Values: map[string]string{}}
	if d.Revision, err = askedNumber(r, "revision"); err != nil || d.Revision < 0 {
		return d, "", gatehouse.Errorf("form.malformed", "open the page again", "the form names no revision")
	}
	for field, texts := range r.PostForm {
		if !tariffPlace.MatchString(field) || field == "name" || field == "time_zone" || field == "revision" || field == "do" {
			continue
		}
		if len(texts[0]) > maxTariffText {
			return d, "", gatehouse.Errorf("form.malformed", "change the file itself", "a field is longer than %d bytes", maxTariffText)
		}
		d.Values[field] = strings.TrimSpace(texts[0])
	}
	d.Currency = d.Values["currency"]
	return d, r.PostForm.Get("do"), nil
}

// tryTariff shows what the form would charge: by script beside it, otherwise with the page,
// where rows are added and taken away, too.
func (c *Console) tryTariff(w http.ResponseWriter, r *http.Request) error {
	d, do, err := draftIn(w, r)
	if err != nil {
		return err
	}
	lang := languageOf(w, r)
	b := tariffFormBody{TariffDraft: d, Tried: true, lang: lang}
	verb, place, _ := strings.Cut(do, " ")
	switch {
	case !tariffPlace.MatchString(place):
	case verb == "add":
		inner := map[string]string{"plans": "periods[0].steps[0].", "periods": "steps[0]."}[place[strings.LastIndexByte(place, '.')+1:]]
		d.Values[fmt.Sprintf("%s[%d].%s", place, len(b.Rows(place)), inner)] = ""
	case verb == "remove":
		for path := range d.Values {
			if strings.HasPrefix(path, place+".") || strings.HasPrefix(path, place+"[") {
				delete(d.Values, path)
			}
		}
	}
	b.Trial = c.o.Parking.TryTariff(d, lang)
	if r.Header.Get("HX-Request") != "" {
		c.fragment(w, lang, "tariffform", "trial", b)
		return nil
	}
	if verb != "add" {
		b.Values = b.Trial.Values
	}
	c.whole(&b)
	c.render(w, r, http.StatusOK, "tariffform", "tariffform.title", "parking", b)
	return nil
}

// whole adds what the form says of the file, which was not sent with it.
func (c *Console) whole(b *tariffFormBody) {
	if b.Revision == 0 {
		return
	}
	if d, err := c.o.Parking.DraftTariff(b.Name); err == nil {
		b.TimeZone, b.Versions, b.Holidays, b.Comments = d.TimeZone, d.Versions, d.Holidays, d.Comments
	}
}

func (c *Console) putTariffForm(w http.ResponseWriter, r *http.Request) error {
	d, _, err := draftIn(w, r)
	if err != nil {
		return err
	}
	lang := languageOf(w, r)
	t, problems, err := c.o.Parking.PutTariffDraft(r.Context(), d, who(r).Operator)
	var e *gatehouse.Error
	if errors.As(err, &e) && (e.Code == "parking.changed" || e.Code == "parking.currency") {
		problems, err = []TariffProblem{{Code: e.Code, Reason: errorText("en", e), Chinese: errorText("zh", e)}}, nil
	}
	if len(problems) > 0 {
		b := tariffFormBody{TariffDraft: d, Trial: c.o.Parking.TryTariff(d, lang), lang: lang}
		b.Values, b.Trial.Problems = b.Trial.Values, problems
		c.whole(&b)
		c.render(w, r, http.StatusUnprocessableEntity, "tariffform", "tariffform.title", "parking", b)
		return nil
	}
	return c.back(w, r, "/parking/tariffs?name="+url.QueryEscape(t.Name), err)
}
