package console

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"slices"

	"gatehouse"
)

// maxPhoto is the largest photo that is taken, in bytes.
const maxPhoto = 12 << 20

// photoView is one photo of a draft, as its page shows it.
type photoView struct {
	ID    gatehouse.ID
	Good  bool
	Kept  bool    // among those that somebody is enrolled by
	Share float64 // how good, 0..1
	Why   string  // it will not do
	Known gatehouse.SubjectID
	Label string // of Known
	Twin  bool   // declared
}

// viewPhotos adds the photos and what they are worth.
func (c *Console) viewPhotos(lang string, b *enrolBody) {
	kept := map[gatehouse.ID]bool{}
	for _, p := range b.draft.best() {
		kept[p.ID] = true
	}
	b.Kept = len(kept)
	for _, p := range b.draft.Photos {
		v := photoView{ID: p.ID, Good: b.draft.good(p), Kept: kept[p.ID], Share: float64(p.Judged.Score), Known: p.Judged.Known}
		if !v.Known.IsZero() {
			badge, _ := c.o.Registry.Badges.Badge(v.Known)
			v.Label, v.Twin = badge.Label, v.Known == b.draft.Twin
		}
		if v.Good {
			b.Best++
		} else {
			v.Why = codeText(lang, gatehouse.Errorf(p.Judged.Code, "", "this photo will not do"))
		}
		b.Pictures = append(b.Pictures, v)
	}
}

// addPhotos judges each photo at once. They are read into memory: a form that is parsed
// would lie in a temporary file.
func (c *Console) addPhotos(w http.ResponseWriter, r *http.Request, d *draft) {
	if !slices.Contains(d.steps(), "photos") || !d.Consent.Doors {
		c.missing(w, r)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxDraftPhotos*maxPhoto)
	err := c.takePhotos(r, d)
	if r.Header.Get("HX-Request") == "" && err == nil {
		http.Redirect(w, r, d.path("photos"), http.StatusSeeOther)
		return
	}
	if r.Header.Get("HX-Request") == "" {
		c.showStep(w, r, d, "photos", err)
		return
	}
	// The script puts the answer in the place of the list, whatever its status.
	lang := languageOf(w, r)
	b := c.enrolView(r, lang, d, d.steps(), slices.Index(d.steps(), "photos"))
	if err != nil {
		b.Problem = codeText(lang, err)
	}
	c.fragment(w, lang, "enrol", "photos", b)
}

func (c *Console) takePhotos(r *http.Request, d *draft) error {
	parts, err := r.MultipartReader()
	if err != nil {
		return gatehouse.Errorf("form.malformed", "choose a file", "the form was not filled in")
	}
	taken := 0
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return gatehouse.Errorf("image.too_large", "", "a photo is too large, or the connection broke off")
		}
		if part.FormName() != "photo" {
			continue
		}
		photo, err := readPhoto(part)
		if err != nil {
			return err
		}
		if len(photo) == 0 {
			continue
		}
		if err := c.judgePhoto(r, d, photo); err != nil {
			return err
		}
		taken++
	}
	if taken == 0 {
		return gatehouse.Errorf("enroll.nothing", "", "there is no photo")
	}
	return nil
}

func readPhoto(part *multipart.Part) ([]byte, error) {
	photo, err := io.ReadAll(io.LimitReader(part, maxPhoto+1))
	if err != nil || len(photo) > maxPhoto {
		return nil, gatehouse.Errorf("image.too_large", "", "a photo is too large, or the connection broke off")
	}
	return photo, nil
}

func (c *Console) judgePhoto(r *http.Request, d *draft, photo []byte) error {
	if len(d.Photos) >= maxDraftPhotos {
		return gatehouse.Errorf("enroll.photos", "", "there are enough photos")
	}
	if slices.ContainsFunc(d.Photos, func(p draftPhoto) bool { return bytes.Equal(p.Bytes, photo) }) {
		return nil // once is enough
	}
	judged, err := c.o.Registry.Enroller.Judge(r.Context(), d.Of, photo, d.judgements())
	if err != nil {
		return err
	}
	if family := judged.Code; family == "image.damaged" || pictureKind(photo) == "" {
		return gatehouse.Errorf("image.format", "", "this is no photo that can be read")
	}
	if !c.drafts.grow(d, len(photo)) {
		return gatehouse.Errorf("enroll.busy", "", "there is no room for more photos now")
	}
	d.Photos = append(d.Photos, draftPhoto{ID: gatehouse.RandomID(), Bytes: photo, Judged: judged})
	return nil
}

// pictureKind is the media type of a photo that may be shown; "" for anything else.
func pictureKind(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte("\xFF\xD8\xFF")):
		return "image/jpeg"
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")):
		return "image/png"
	}
	return ""
}

// photoIn finds the photo that the path names.
func photoIn(r *http.Request, d *draft) int {
	id, err := gatehouse.ParseID(r.PathValue("n"))
	if err != nil {
		return -1
	}
	return slices.IndexFunc(d.Photos, func(p draftPhoto) bool { return p.ID == id })
}

func (c *Console) draftPhoto(w http.ResponseWriter, r *http.Request, d *draft) {
	i := photoIn(r, d)
	if i < 0 {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", pictureKind(d.Photos[i].Bytes))
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(d.Photos[i].Bytes)
}

func (c *Console) removePhoto(w http.ResponseWriter, r *http.Request, d *draft) {
	if i := photoIn(r, d); i >= 0 {
		c.drafts.grow(d, -len(d.Photos[i].Bytes))
		d.Photos = slices.Delete(d.Photos, i, i+1)
	}
	http.Redirect(w, r, d.path("photos"), http.StatusSeeOther)
}

// declareTwin says that the person is not the one whom they look like: both need a second
// factor then.
func (c *Console) declareTwin(w http.ResponseWriter, r *http.Request, d *draft) {
	r.Body = http.MaxBytesReader(w, r.Body, 4096)
	id, err := gatehouse.ParseID(r.PostFormValue("of"))
	if err == nil && !slices.ContainsFunc(d.Photos, func(p draftPhoto) bool { return p.Judged.Known == id }) {
		err = gatehouse.Errorf("store.not_found", "", "nobody looks like that")
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	d.Twin = id
	http.Redirect(w, r, d.path("photos"), http.StatusSeeOther)
}
