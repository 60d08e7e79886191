package console

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"gatehouse"
	"gatehouse/auth"
	"gatehouse/flow/enroll"
)

// personRoutes are the page of one subject and what is done on it.
func (c *Console) personRoutes() []auth.Route {
	needs, fresh := auth.Needs, auth.NeedsFresh
	change := func(what string, p auth.Policy, do func(context.Context, Who, gatehouse.Badge, *http.Request) error) auth.Route {
		return auth.Route{Pattern: "POST /people/{id}/" + what, Policy: p, Page: "/people/{id}", Handler: c.changeSubject(do)}
	}
	return []auth.Route{
		{Pattern: "GET /people/{id}", Policy: needs(gatehouse.SeePeople), Handler: c.subject},
		change("suspend", needs(gatehouse.Suspend), c.suspend),
		change("reinstate", needs(gatehouse.Suspend), c.reinstate),
		change("access", needs(gatehouse.Enrol), c.setAccess),
		change("credential", needs(gatehouse.Enrol), c.setCredential),
		change("consent", needs(gatehouse.EditRecords), c.withdraw),
		{Pattern: "POST /people/{id}/face", Policy: needs(gatehouse.Enrol), Handler: c.changeFace},
		{Pattern: "POST /people/{id}/photos", Policy: fresh(gatehouse.DisclosePeople), Handler: c.openPhotos, Page: "/people/{id}"},
		{Pattern: "GET /people/{id}/photos/{n}", Policy: needs(gatehouse.DisclosePeople), Handler: c.openedPhoto},
		{Pattern: "POST /people/{id}/record", Policy: fresh(gatehouse.DisclosePeople), Handler: c.openRecord, Page: "/people/{id}"},
		{Pattern: "POST /people/{id}/correct", Policy: fresh(gatehouse.EditRecords), Handler: c.correct, Page: "/people/{id}"},
		{Pattern: "GET /people/{id}/erase", Policy: fresh(gatehouse.EraseSubjects), Handler: c.askErase},
		{Pattern: "POST /people/{id}/erase", Policy: fresh(gatehouse.EraseSubjects), Handler: c.eraseSubject, Page: "/people/{id}/erase"},
		{Pattern: "GET /erasures/{id}", Policy: needs(gatehouse.EraseSubjects), Handler: c.erasure},
		{Pattern: "POST /erasures/{id}/stop", Policy: needs(gatehouse.EraseSubjects), Handler: c.stopErasure, Page: "/erasures/{id}"},
	}
}

// subjectIn is the subject that the path names. Nobody is store.not_found, and so is who
// was erased.
func (c *Console) subjectIn(r *http.Request) (gatehouse.Badge, gatehouse.Subject, error) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil {
		return gatehouse.Badge{}, gatehouse.Subject{}, err
	}
	s, err := c.o.Registry.Store.Subject(r.Context(), c.o.Place, id)
	if err == nil && s.Status == gatehouse.ErasedStatus {
		err = gatehouse.Errorf("store.not_found", "", "there is no such subject")
	}
	b, ok := c.o.Registry.Badges.Badge(id)
	if !ok {
		b = gatehouse.Badge{Subject: id, Kind: s.Kind}
	}
	b.Status = s.Status
	return b, s, err
}

// subjectBody is the page of one person or vehicle.
type subjectBody struct {
	person
	Done        string // what was just done: enrolled, photos, saved
	Problem     string
	Photos      int
	Opened      []bool // the photos that were opened; false for one that is gone
	Has         map[gatehouse.WorkingKind]bool
	Consents    []consentRow
	MayFace     bool // a consent to faces at doors is in force
	Access      accessView
	First, Last string
	Passages    []row
	Groups      []gatehouse.Group
	Looks       []look
	Looked      int // entries of the log that were looked through
	VaultOpen   bool
	QR          *picture
}

// Means are the credentials that a person may have beside a face.
func (b subjectBody) Means() []gatehouse.WorkingKind {
	return []gatehouse.WorkingKind{gatehouse.CardItem, gatehouse.PINItem, gatehouse.QRItem}
}

// look is one opening of something of the subject's.
type look struct {
	gatehouse.Disclosure
	Login string // of who looked; the operator as it is where no account has that id
}

type consentRow struct {
	gatehouse.Consent
	InForce bool
	Login   string // of who recorded it
}

// looksThrough is how many entries of the disclosure log are looked through for those
// about one subject; looksShown how many are listed.
const (
	looksThrough = 2000
	looksShown   = 20
)

// recentPassages and recentDays bound the list of somebody's passages.
const (
	recentPassages = 12
	recentDays     = 30
)

func (c *Console) subject(w http.ResponseWriter, r *http.Request) {
	b, s, err := c.subjectIn(r)
	if err != nil {
		c.fail(w, r, err)
		return
	}
	c.showSubject(w, r, http.StatusOK, b, s, "")
}

func (c *Console) showSubject(w http.ResponseWriter, r *http.Request, status int, badge gatehouse.Badge, s gatehouse.Subject, problem string) {
	me := who(r)
	b := subjectBody{Problem: problem, Done: oneOf(r.URL.Query().Get("done"), "", "enrolled", "photos", "saved"), Photos: len(s.Photos), Has: map[gatehouse.WorkingKind]bool{},
		VaultOpen: c.vaultView(r.Context()).Unsealed, First: c.dayText(badge.ValidFrom), Last: c.lastDay(badge.ValidUntil)}
	name := ""
	var err error
	if may(r, gatehouse.DisclosePeople) {
		var names map[gatehouse.SubjectID]string
		names, err = c.o.Lender.Names(r.Context(), me, []gatehouse.SubjectID{s.ID})
		if name = names[s.ID]; gatehouse.ErrorCode(err) == "vault.budget" {
			err = nil // the label has to do
		}
	}
	b.person = c.person(Enrolled{Badge: badge, Enrolled: s.Enrolled}, name)
	for _, kind := range c.o.Registry.Badges.Kinds(s.ID) {
		b.Has[kind] = true
	}
	if err == nil {
		err = c.consentRows(r.Context(), s, &b)
	}
	if err == nil && may(r, gatehouse.SeePassages) {
		b.Passages, err = c.passagesOf(r, s.ID)
	}
	if err == nil && may(r, gatehouse.SeeDisclosures) {
		b.Looks, b.Looked, err = c.looksAt(r.Context(), s.ID)
	}
	if err != nil {
		c.fail(w, r, err)
		return
	}
	for _, jpeg := range c.opened(r, s.ID) {
		b.Opened = append(b.Opened, len(jpeg) > 0)
	}
	b.Access, b.Groups = c.accessOf(badge), c.o.Rules.GroupsOf(s.ID)
	if qr := c.drafts.handedTo(me.Session, s.ID); qr != "" {
		if p, err := qrPath(qr.Reveal()); err == nil {
			b.QR = &p
		}
	}
	w.Header().Set("Cache-Control", "no-store")
	c.render(w, r, status, "person", "person.title", "people", b)
}

func (c *Console) consentRows(ctx context.Context, s gatehouse.Subject, b *subjectBody) error {
	all, err := c.o.Registry.Store.Consents(ctx, c.o.Place, s.ID)
	now := c.o.Now()
	for _, x := range slices.Backward(all) {
		one := consentRow{Consent: x, InForce: x.InForce(now)}
		one.Login = c.loginOf(x.By)
		b.MayFace = b.MayFace || one.InForce && x.Purpose == gatehouse.FaceAtDoors
		b.Consents = append(b.Consents, one)
	}
	return err
}

// passagesOf are somebody's latest passages at the gates that the request may see: facts,
// without names or pictures.
func (c *Console) passagesOf(r *http.Request, id gatehouse.SubjectID) ([]row, error) {
	var ids []gatehouse.ID
	err := c.o.Registry.Store.SubjectPassages(r.Context(), c.o.Place, id, c.o.Now().AddDate(0, 0, -recentDays), func(p gatehouse.ID, _ []gatehouse.BlobID) error {
		ids = append(ids, p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(ids, func(a, b gatehouse.ID) int { return slices.Compare(b[:], a[:]) })
	gates, lang := gatesOf(r, gatehouse.SeePassages), langOf(r)
	var rows []row
	for _, p := range ids {
		if len(rows) == recentPassages {
			break
		}
		stored, err := c.o.Passages.Passage(r.Context(), c.o.Place, p)
		if gatehouse.ErrorCode(err) == "store.not_found" {
			continue
		}
		if err != nil {
			return nil, err
		}
		if gates.Has(stored.Passage.Gate) {
			rows = append(rows, c.row(lang, stored.Passage, Lent{}))
		}
	}
	return rows, nil
}

// looksAt are the latest openings of the subject's record, name or photos.
func (c *Console) looksAt(ctx context.Context, id gatehouse.SubjectID) (found []look, looked int, err error) {
	var before gatehouse.ID
	about := "subjects/" + id.String() + "/"
	for looked < looksThrough && len(found) < looksShown {
		page, err := c.o.Disclosures.Disclosures(ctx, before, 200)
		if err != nil || len(page) == 0 {
			return found, looked, err
		}
		for _, d := range page {
			before, looked = d.ID, looked+1
			var items []string
			for _, item := range d.Items {
				if field, ok := strings.CutPrefix(item, about); ok {
					items = append(items, field)
				}
			}
			if len(items) > 0 && len(found) < looksShown {
				d.Items = items
				found = append(found, look{d, c.loginOf(d.Operator)})
			}
		}
	}
	return found, looked, nil
}

// changeSubject carries out one change of the subject in the path, and goes back to it.
func (c *Console) changeSubject(do func(context.Context, Who, gatehouse.Badge, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		b, s, err := c.subjectIn(r)
		if err != nil {
			c.fail(w, r, err)
			return
		}
		if err = formIn(w, r, maxEnrolForm); err == nil {
			err = do(r.Context(), who(r), b, r)
		}
		if err == nil {
			http.Redirect(w, r, "/people/"+s.ID.String()+"?done=saved", http.StatusSeeOther)
			return
		}
		if status, text := enrolRefusal(languageOf(w, r), err); text != "" {
			c.showSubject(w, r, status, b, s, text)
			return
		}
		c.fail(w, r, err)
	}
}

func (c *Console) suspend(ctx context.Context, _ Who, b gatehouse.Badge, _ *http.Request) error {
	return c.o.Registry.Enroller.SetStatus(ctx, b.Subject, gatehouse.SuspendedStatus)
}

func (c *Console) reinstate(ctx context.Context, _ Who, b gatehouse.Badge, _ *http.Request) error {
	return c.o.Registry.Enroller.SetStatus(ctx, b.Subject, gatehouse.Active)
}

func (c *Console) setAccess(ctx context.Context, _ Who, b gatehouse.Badge, r *http.Request) error {
	f, err := c.readAccess(r)
	if err != nil {
		return err
	}
	a := enroll.Access{Grants: f.Grants()}
	if bad := formTexts(r, 200, map[string]*string{"label": &a.Label}); bad != "" {
		return tooLong()
	}
	if a.Label != b.Label {
		if err := c.labelFree(a.Label); err != nil {
			return err
		}
	}
	if a.ValidFrom, a.ValidUntil, err = c.days(f.First, f.Last); err != nil {
		return err
	}
	return c.o.Registry.Enroller.SetAccess(ctx, b.Subject, a)
}

func (c *Console) setCredential(ctx context.Context, _ Who, b gatehouse.Badge, r *http.Request) error {
	secret := strings.TrimSpace(r.PostForm.Get("secret"))
	if secret == "" && r.PostForm.Get("remove") == "" {
		return gatehouse.Errorf("form.malformed", "", "there is nothing in the field")
	}
	if r.PostForm.Get("remove") != "" {
		secret = ""
	}
	return c.o.Registry.Enroller.SetCredential(ctx, b.Subject, gatehouse.WorkingKind(r.PostForm.Get("kind")), gatehouse.Secret(secret))
}

func (c *Console) withdraw(ctx context.Context, _ Who, b gatehouse.Badge, r *http.Request) error {
	return c.o.Registry.Enroller.WithdrawConsent(ctx, b.Subject, gatehouse.Purpose(r.PostForm.Get("purpose")))
}

// langOf is the language of a request whose answer has remembered it already.
func langOf(r *http.Request) string { return languageOf(discardHeader{}, r) }

// discardHeader takes a cookie that nobody needs twice.
type discardHeader struct{}

func (discardHeader) Header() http.Header         { return http.Header{} }
func (discardHeader) Write(b []byte) (int, error) { return len(b), nil }
func (discardHeader) WriteHeader(int)             {}
