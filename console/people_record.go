package console

import (
	"encoding/json"
	"net/http"
	"strings"
	"unicode/utf8"

	"gatehouse"
)

// recordBody is the page of an opened record, which can be corrected there.
type recordBody struct {
	ID       gatehouse.SubjectID
	Label    string
	Kind     gatehouse.SubjectKind
	Person   gatehouse.PersonRecord
	Vehicle  gatehouse.VehicleRecord
	Numbered bool // the ID number was opened
	Problem  string
	Field    string
	MayEdit  bool
}

// ShowNumber reports whether the ID number is a field of the form.
func (b recordBody) ShowNumber() bool { return b.Numbered }

// More opens what lies behind "more": somebody asked for the record.
func (b recordBody) More() bool { return true }

// reasonIn is what somebody wrote for why they look; it fails with form.malformed.
func reasonIn(r *http.Request) (string, error) {
	reason := strings.TrimSpace(r.PostFormValue("reason"))
	if reason == "" || utf8.RuneCountInString(reason) > 160 || len(reason) > 500 || !utf8.ValidString(reason) {
		return "", gatehouse.Errorf("form.reason", "", "the reason is missing or too long")
	}
	return reason, nil
}

// openRecord shows the record once: the page has no address by which it could be asked for
// again without another disclosure.
func (c *Console) openRecord(w http.ResponseWriter, r *http.Request) {
	b, s, err := c.subjectIn(r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	reason, err := reasonIn(r)
	page := recordBody{ID: s.ID, Label: b.Label, Kind: s.Kind, Numbered: s.Kind == gatehouse.PersonSubject && r.PostFormValue("numbered") != ""}
	if err == nil {
		err = c.readRecord(r, &page, reason)
	}
	if err != nil {
		if status, text := enrolRefusal(languageOf(w, r), err); text != "" {
			c.showSubject(w, r, status, b, s, text)
			return
		}
		c.fail(w, r, err)
		return
	}
	c.showRecord(w, r, http.StatusOK, page)
}

func (c *Console) readRecord(r *http.Request, page *recordBody, reason string) error {
	got, err := c.o.Registry.Records.Record(r.Context(), who(r), page.ID, reason, page.Numbered)
	if err != nil {
		return err
	}
	var into any = &page.Person
	if page.Kind == gatehouse.VehicleSubject {
		into = &page.Vehicle
	}
	if len(got.Rest) > 0 && json.Unmarshal(got.Rest, into) != nil {
		return gatehouse.Errorf("record.malformed", "it was written by another version", "a record cannot be read")
	}
	page.Person.Name, page.Person.NationalID, page.Vehicle.Plate = got.Name, got.NationalID, got.Name
	return nil
}

func (c *Console) showRecord(w http.ResponseWriter, r *http.Request, status int, page recordBody) {
	page.MayEdit = may(r, gatehouse.EditRecords)
	w.Header().Set("Cache-Control", "no-store")
	c.render(w, r, status, "record", "record.title", "people", page)
}

// correct seals what the form says. The ID number stays what it is unless it was opened.
func (c *Console) correct(w http.ResponseWriter, r *http.Request) {
	b, s, err := c.subjectIn(r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	page := recordBody{ID: s.ID, Label: b.Label, Kind: s.Kind}
	if err = formIn(w, r, maxEnrolForm); err == nil {
		page.Numbered = r.PostForm.Get("numbered") != ""
		err = c.saveRecord(r, &page)
	}
	if err != nil {
		if status, text := enrolRefusal(languageOf(w, r), err); text != "" {
			page.Problem, page.Field = text, fieldsOf[gatehouse.ErrorCode(err)]
			c.showRecord(w, r, status, page)
			return
		}
		c.fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/people/"+s.ID.String()+"?done=saved", http.StatusSeeOther)
}

func (c *Console) saveRecord(r *http.Request, page *recordBody) error {
	ctx := r.Context()
	if page.Kind == gatehouse.VehicleSubject {
		v := &page.Vehicle
		if formTexts(r, 200, map[string]*string{"plate": &v.Plate, "region": &v.Region, "class": &v.Class, "colour": &v.Colour, "owner": &v.Owner}) != "" {
			return tooLong()
		}
		badge, _ := c.o.Registry.Badges.Badge(page.ID)
		v.ValidFrom, v.ValidUntil = badge.ValidFrom, badge.ValidUntil
		return c.o.Registry.Enroller.CorrectVehicle(ctx, page.ID, *v)
	}
	if formTexts(r, 200, personFields(&page.Person)) != "" {
		return tooLong()
	}
	var number *string
	if page.Numbered {
		number = &page.Person.NationalID
	}
	return c.o.Registry.Enroller.CorrectPerson(ctx, page.ID, page.Person, number)
}

// openPhotos opens the enrolment photos for the page, for a short while.
func (c *Console) openPhotos(w http.ResponseWriter, r *http.Request) {
	b, s, err := c.subjectIn(r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	reason, err := reasonIn(r)
	var photos [][]byte
	if err == nil {
		photos, err = c.o.Registry.Records.Photos(r.Context(), who(r), s.ID, reason)
	}
	if err != nil {
		if status, text := enrolRefusal(languageOf(w, r), err); text != "" {
			c.showSubject(w, r, status, b, s, text)
			return
		}
		c.fail(w, r, err)
		return
	}
	c.vault.put(who(r).Session, s.ID, photos)
	http.Redirect(w, r, "/people/"+s.ID.String()+"#photos", http.StatusSeeOther)
}

// openedPhoto serves one photo that this session opened.
func (c *Console) openedPhoto(w http.ResponseWriter, r *http.Request) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	photos := c.opened(r, id)
	n := number(r.PathValue("n"))
	if err != nil || n < 0 || n >= len(photos) || pictureKind(photos[n]) == "" {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", pictureKind(photos[n]))
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(photos[n])
}
