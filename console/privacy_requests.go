package console

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"gatehouse"
	"gatehouse/flow/inform"
)

type requestsBody struct {
	List    listing
	Rows    []requestRow
	None    bool
	Kinds   []gatehouse.RequestKind
	States  []string
	Problem string
	Mail    bool // letters can be sent
}

type requestRow struct {
	RequestState
	State string
}

var requestStates = []string{"open", "soon", "overdue", "done"}

func (c *Console) requests(w http.ResponseWriter, r *http.Request, status int, problem string) {
	all, err := c.o.Privacy.Requests(r.Context())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	list := listingOf(r, "state", "kind")
	var rows []requestRow
	for _, one := range all {
		state := one.State(c.o.Now())
		if want, kind := list.Is("state"), list.Is("kind"); (want == "" || want == state) && (kind == "" || kind == string(one.Kind)) {
			rows = append(rows, requestRow{one, state})
		}
	}
	shown := arrange(&list, rows, func(x requestRow) []string { return []string{x.Label, x.ID.String()} },
		by("kind", func(x requestRow) string { return string(x.Kind) }), by("state", func(x requestRow) string { return x.State }),
		byTime("opened", func(x requestRow) time.Time { return x.Opened }), byTime("due", func(x requestRow) time.Time { return x.Due }),
		by("who", func(x requestRow) string { return x.Label }), byTime("done", func(x requestRow) time.Time { return x.Done }))
	if list.File {
		var out [][]string
		for _, x := range shown {
			out = append(out, []string{x.ID.String(), string(x.Kind), x.Label, x.State, when(x.Opened), when(x.Due), when(x.Done), string(x.Outcome)})
		}
		c.file(w, "requests", []string{"id", "kind", "label", "state", "opened", "due", "done", "outcome"}, out)
		return
	}
	c.render(w, r, status, "requests", "requests.title", "requests", requestsBody{List: list, Rows: shown, None: len(all) == 0, Kinds: gatehouse.RequestKinds, States: requestStates, Problem: problem, Mail: c.o.Privacy.MaySend()})
}

// found is the subject that a form's field names; zero for an empty field.
func (c *Console) found(r *http.Request) (gatehouse.SubjectID, error) {
	text := strings.TrimSpace(r.PostForm.Get("subject"))
	if text == "" {
		return gatehouse.SubjectID{}, nil
	}
	if len(text) > 200 {
		return gatehouse.SubjectID{}, gatehouse.Errorf("form.malformed", "", "the form was not filled in")
	}
	return c.o.Privacy.Find(r.Context(), text)
}

func (c *Console) openRequest(w http.ResponseWriter, r *http.Request) {
	err := privacyForm(w, r)
	var id, subject gatehouse.ID
	if err == nil {
		subject, err = c.found(r)
	}
	var letter error
	contact := gatehouse.RequestContact{Email: strings.TrimSpace(r.PostForm.Get("email")), Lang: r.PostForm.Get("in")}
	if err == nil {
		id, letter, err = c.o.Privacy.OpenRequest(r.Context(), who(r), gatehouse.RequestKind(r.PostForm.Get("kind")), subject, strings.TrimSpace(r.PostForm.Get("note")), contact)
	}
	if status, problem := setRight(languageOf(w, r), err); status != 0 {
		c.requests(w, r, status, problem)
		return
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	next := "/privacy/requests/" + id.String()
	switch {
	case letter != nil:
		next += "?letter=failed"
	case contact.Email != "":
		next += "?letter=sent"
	}
	http.Redirect(w, r, next, http.StatusSeeOther)
}

type requestBody struct {
	RequestState
	State   string
	Words   *requestWords // opened for this page
	Problem string
	Erasing bool   // erasing the subject is a part of the answer
	Letter  string // sent or failed, a moment ago
	Send    bool   // the letter can be sent
}

type requestWords struct{ Note, Answer string }

func (c *Console) request(w http.ResponseWriter, r *http.Request, status int, problem string, words *requestWords) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	var one RequestState
	if err == nil {
		one, err = c.o.Privacy.Request(r.Context(), id)
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	b := requestBody{RequestState: one, State: one.State(c.o.Now()), Words: words, Problem: problem, Letter: oneOf(r.URL.Query().Get("letter"), "", "sent", "failed"),
		Send: len(one.Contact) > 0 && c.o.Privacy.MaySend() && may(r, gatehouse.DisclosePeople), Erasing: one.Kind == gatehouse.ErasureRequest && one.Label != ""}
	c.render(w, r, status, "request", "requests.one", "requests", b)
}

// onRequest carries out a change of the request in the path, and shows it.
func (c *Console) onRequest(w http.ResponseWriter, r *http.Request, do func(id gatehouse.ID) error) {
	err := privacyForm(w, r)
	var id gatehouse.ID
	if err == nil {
		id, err = gatehouse.ParseID(r.PathValue("id"))
	}
	if err == nil {
		err = do(id)
	}
	if status, problem := setRight(languageOf(w, r), err); status != 0 {
		c.request(w, r, status, problem, nil)
		return
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/privacy/requests/"+id.String(), http.StatusSeeOther)
}

func (c *Console) extendRequest(w http.ResponseWriter, r *http.Request) {
	c.onRequest(w, r, func(id gatehouse.ID) error { return c.o.Privacy.ExtendRequest(r.Context(), who(r), id) })
}

func (c *Console) answerRequest(w http.ResponseWriter, r *http.Request) {
	c.onRequest(w, r, func(id gatehouse.ID) error {
		return c.o.Privacy.AnswerRequest(r.Context(), who(r), id, gatehouse.RequestOutcome(r.PostForm.Get("outcome")), strings.TrimSpace(r.PostForm.Get("text")))
	})
}

// readRequest shows a request with its words, which are opened for this page alone.
func (c *Console) readRequest(w http.ResponseWriter, r *http.Request) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	var words requestWords
	if err == nil {
		words.Note, words.Answer, err = c.o.Privacy.ReadRequest(r.Context(), who(r), id)
	}
	if status, problem := setRight(languageOf(w, r), err); status != 0 {
		c.request(w, r, status, problem, nil)
		return
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.request(w, r, http.StatusOK, "", &words)
}

// letterBody is a letter to print.
type letterBody struct {
	Letter
	Request gatehouse.ID
	Other   string // the other language
	Site    string
	Day     time.Time
}

func (c *Console) letter(w http.ResponseWriter, r *http.Request) {
	lang := oneOf(r.URL.Query().Get("in"), languageOf(w, r), "en", "zh")
	id, err := gatehouse.ParseID(r.PathValue("id"))
	b := letterBody{Request: id, Other: map[string]string{"en": "zh", "zh": "en"}[lang], Site: c.o.SiteName, Day: c.o.Now()}
	if err == nil {
		b.Letter, err = c.o.Privacy.Letter(r.Context(), id, lang)
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.render(w, r, http.StatusOK, "letter", "letter.title", "requests", b)
}

func (c *Console) sendLetter(w http.ResponseWriter, r *http.Request) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err == nil {
		err = c.o.Privacy.SendLetter(r.Context(), who(r), id)
	}
	if status, problem := setRight(languageOf(w, r), err); status != 0 {
		c.request(w, r, status, problem, nil)
		return
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/privacy/requests/"+id.String()+"?letter=sent", http.StatusSeeOther)
}

type heldBody struct {
	inform.Held
	Fields []heldField
	Faces  []int // their photos, served to this session for a few minutes
	Looks  []heldLook
	Latest []inform.Passage
	// LatestStays are as many of the stays in car parks.
	LatestStays []inform.Stay
	Gates       func(gatehouse.GateID) string
}

// heldField is one field of the record; Name is a key of texts behind "field.".
type heldField struct{ Name, Value string }

type heldLook struct {
	inform.Look
	Role  gatehouse.Role
	Words string // what it was of
}

// shownPassages is how many passages the page shows; the file has all.
const shownPassages = 100

// recordFields are those of a record, in the order in which people read them.
var recordFields = []string{"birth_date", "gender", "number", "phone", "email", "address", "unit", "region", "class", "colour", "owner"}

// held shows what is held of somebody, for reading and printing. Nothing of it is kept.
func (c *Console) held(w http.ResponseWriter, r *http.Request) {
	err := privacyForm(w, r)
	var id gatehouse.SubjectID
	if err == nil {
		id, err = c.found(r)
	}
	var h inform.Held
	if err == nil {
		h, err = c.o.Privacy.Held(r.Context(), who(r), id, strings.TrimSpace(r.PostForm.Get("reason")))
	}
	if status, problem := setRight(languageOf(w, r), err); status != 0 {
		c.requests(w, r, status, problem)
		return
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	b := heldBody{Held: h, Latest: h.Passages[:min(len(h.Passages), shownPassages)], LatestStays: h.Stays[:min(len(h.Stays), shownPassages)], Gates: c.gateName}
	var record map[string]any
	_ = json.Unmarshal(h.Record, &record) // of another version: the file has it
	for _, name := range recordFields {
		if v, ok := record[name].(string); ok && v != "" {
			b.Fields = append(b.Fields, heldField{name, v})
		}
	}
	c.vault.put(who(r).Session, id, h.Photos)
	for i := range h.Photos {
		b.Faces = append(b.Faces, i)
	}
	for _, l := range h.Looked {
		b.Looks = append(b.Looks, heldLook{l, gatehouse.Role(l.Role), lookedAt(languageOf(w, r), l.What)})
	}
	c.render(w, r, http.StatusOK, "held", "held.title", "requests", b)
}

// heldPhoto serves one photo that held opened for this session.
func (c *Console) heldPhoto(w http.ResponseWriter, r *http.Request) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	n, numErr := strconv.Atoi(r.PathValue("n"))
	photos := c.opened(r, id)
	if err != nil || numErr != nil || n < 0 || n >= len(photos) || len(photos[n]) == 0 {
		http.NotFound(w, r)
		return
	}
	jpeg(w, photos[n])
}

// heldFile answers with what is held of somebody as an encrypted file.
func (c *Console) heldFile(w http.ResponseWriter, r *http.Request) {
	err := privacyForm(w, r)
	var id gatehouse.SubjectID
	if err == nil {
		id, err = c.found(r)
	}
	var sealed bytes.Buffer // an error must not come after half a file
	if err == nil {
		err = c.o.Privacy.HeldFile(r.Context(), who(r), id, strings.TrimSpace(r.PostForm.Get("reason")), gatehouse.Secret(r.PostForm.Get("to")), &sealed)
	}
	if status, problem := setRight(languageOf(w, r), err); status != 0 {
		c.requests(w, r, status, problem)
		return
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.attachment(w, "held-"+c.o.Now().In(c.o.Location).Format(time.DateOnly)+".json.age", "application/octet-stream", sealed.Bytes())
}

// attachment answers with a file to keep.
func (c *Console) attachment(w http.ResponseWriter, name, kind string, b []byte) {
	attachment(w, kind, name)
	w.Header().Set("Content-Length", strconv.Itoa(len(b))) // the browser shows how far it is, and whether it has all
	_, _ = w.Write(b)
}
