package api

import (
	"context"
	"net/http"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
)

func (a *API) subjectOperations() []operation {
	enrolling := []string{"label.missing", "grant.unknown_gate", "grant.unknown_schedule", "enroll.label", "enroll.nothing", "enroll.credential", "enroll.duplicate", "enroll.validity", "enroll.intent",
		"enroll.unfinished", "sealing.unavailable", "vault.unavailable", "store.full"}
	return []operation{a.about(operation{
		Route: auth.Route{Pattern: "GET /api/v1/subjects", Policy: auth.Needs(gatehouse.SeePeople).OrToken(), Handler: a.listSubjects},
		id:    "listSubjects", tag: tagSubjects, summary: "List who and what is enrolled, by id", tagged: true,
		about: "By badge label; names and plates stay sealed. A page may hold fewer rows than its limit, also none: the last has no next.",
		query: []parameter{
			{name: "kind", about: "People or vehicles only.", like: gatehouse.SubjectKind("")},
			{name: "status", about: "Of this status only.", like: gatehouse.SubjectStatus("")},
			{name: "after", about: "The cursor: next of the page before.", like: gatehouse.ID{}}, aLimit},
		replies:  answers(http.StatusOK, wire.SubjectsResponse{}, "One page."),
		problems: []string{"request.malformed", "id.malformed"},
	}), a.about(operation{
		Route: auth.Route{Pattern: "GET /api/v1/subjects/{id}", Policy: auth.Needs(gatehouse.SeePeople).OrToken(), Handler: a.subject},
		id:    "getSubject", tag: tagSubjects, summary: "One person or vehicle, by badge label", tagged: true,
		path:     []parameter{subjectInPath},
		replies:  answers(http.StatusOK, wire.Subject{}, "The subject."),
		problems: []string{"id.malformed", "store.not_found"},
	}), a.about(operation{
		Route: auth.Route{Pattern: "POST /api/v1/people", Policy: auth.Needs(gatehouse.Enrol).OrToken(), Handler: a.enrolPerson},
		id:    "enrolPerson", tag: tagSubjects, summary: "Enrol a person", keyed: true, most: maxAdmin,
		about:   "Photos need the person's consent. What the record says is sealed as it arrives, and comes back to nobody here.",
		request: inJSON(wire.EnrollPersonRequest{}),
		replies: answers(http.StatusCreated, wire.EnrollResponse{}, "The person's opaque id."),
		problems: append([]string{"enroll.too_many_photos", "enroll.photos", "enroll.birth_date", "enroll.consent", "enroll.differ", "enroll.distinct", "enroll.guardian", "enroll.signed", "enroll.no_face", "enroll.pin",
			"enroll.two_faces", "face.blurred", "face.bright", "face.dark", "face.small", "face.turned", "image.type", "image.too_large", "image.damaged", "vision.unavailable"}, enrolling...),
	}), a.about(operation{
		Route: auth.Route{Pattern: "POST /api/v1/vehicles", Policy: auth.Needs(gatehouse.Enrol).OrToken(), Handler: a.enrolVehicle},
		id:    "enrolVehicle", tag: tagSubjects, summary: "Enrol a vehicle", keyed: true, most: maxSmall,
		request:  inJSON(wire.EnrollVehicleRequest{}),
		replies:  answers(http.StatusCreated, wire.EnrollResponse{}, "The vehicle's opaque id."),
		problems: append([]string{"enroll.plate"}, enrolling...),
	}), a.about(operation{
		Route: auth.Route{Pattern: "PUT /api/v1/subjects/{id}/status", Policy: auth.Needs(gatehouse.Suspend).OrToken(), Handler: a.putStatus},
		id:    "putStatus", tag: tagSubjects, summary: "Suspend a subject, or let it in again",
		path: []parameter{subjectInPath}, header: []parameter{ifMatch},
		request:  inJSON(wire.StatusRequest{}),
		replies:  tagged(answers(http.StatusOK, wire.Subject{}, "The subject as it is then.")),
		problems: []string{"id.malformed", "store.not_found", "store.full", "request.changed"},
	}), a.about(operation{
		Route: auth.Route{Pattern: "DELETE /api/v1/subjects/{id}/consent", Policy: auth.Needs(gatehouse.EditRecords).OrToken(), Handler: a.endConsent},
		id:    "withdrawConsent", tag: tagSubjects, summary: "End a person's consent to face recognition",
		about: "Their templates are gone then; card, PIN and QR code go on working.",
		path:  []parameter{subjectInPath}, header: []parameter{ifMatch},
		replies:  []reply{{status: http.StatusNoContent, about: "The consent has ended."}},
		problems: []string{"id.malformed", "store.not_found", "store.full", "consent.none", "request.changed"},
	}), a.about(operation{
		Route: auth.Route{Pattern: "POST /api/v1/erasures", Policy: auth.NeedsFresh(gatehouse.EraseSubjects).OrToken(), Handler: a.eraseSubject},
		id:    "eraseSubject", tag: tagSubjects, summary: "Erase a subject", keyed: true, most: maxErase,
		about:    "The keys of all that is sealed of it are gone when this answers. While the vault is sealed only a few subjects an hour are erased.",
		request:  inJSON(wire.EraseRequest{}),
		replies:  answers(http.StatusCreated, wire.Erasure{}, "The certificate, with its proof where the log could give one."),
		problems: erasing,
	}), a.about(operation{
		Route: auth.Route{Pattern: "GET /api/v1/erasures/{id}", Policy: auth.Needs(gatehouse.EraseSubjects).OrToken(), Handler: a.getErasure},
		id:    "getErasure", tag: tagSubjects, summary: "An erasure's certificate once more",
		path:     []parameter{{name: "id", about: "The erasure's id.", like: gatehouse.ID{}, required: true}},
		replies:  answers(http.StatusOK, wire.Erasure{}, "The certificate."),
		problems: append([]string{"id.malformed"}, erasing...),
	})}
}

// erasing are the codes of erasures.
var erasing = []string{"erase.unknown", "erase.money", "erase.again", "erase.unfinished", "erase.stopped", "erase.intent", "erase.waiting", "vault.held", "vault.erase_limit", "vault.operator", "vault.reason", "vault.sealed",
	"vault.forbidden", "vault.unavailable", "store.full", "store.not_found"}

// maxErase bounds an erasure's request, in bytes.
const maxErase = 16 << 10

// tagged says that the replies carry the resource's ETag.
func tagged(list []reply) []reply {
	for i := range list {
		list[i].header = append(list[i].header, parameter{name: "ETag", about: "The subject's.", like: ""})
	}
	return list
}

// mostPages is how many pages are read for one answer where a filter leaves rows out: what
// is asked for costs the same however rare it is.
const mostPages = 5

func (a *API) listSubjects(w http.ResponseWriter, r *http.Request) {
	limit, err := limitOf(r)
	after, err2 := cursorOf(r, "after")
	v := r.URL.Query()
	kind, status := gatehouse.SubjectKind(v.Get("kind")), gatehouse.SubjectStatus(v.Get("status"))
	switch {
	case err == nil && err2 != nil:
		err = err2
	case err == nil && (kind != "" && kind != gatehouse.PersonSubject && kind != gatehouse.VehicleSubject || status != "" && status != gatehouse.Active && status != gatehouse.SuspendedStatus):
		err = gatehouse.Errorf("request.malformed", "kind is person or vehicle, status active or suspended", "this is no filter")
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	show(a, w, r, func(ctx context.Context) (wire.SubjectsResponse, error) {
		out := wire.SubjectsResponse{Subjects: []wire.Subject{}}
		for range mostPages {
			page, err := a.o.Resources.Subjects(ctx, after, limit)
			if err != nil {
				return out, err
			}
			for _, s := range page.Subjects {
				if len(out.Subjects) == limit {
					return out, nil // next is the last row that was looked at
				}
				out.Next = s.ID
				if (kind == "" || s.Kind == kind) && (status == "" || s.Status == status) {
					out.Subjects = append(out.Subjects, listed(s))
				}
			}
			if out.Next = page.Next; page.Next.IsZero() || len(out.Subjects) == limit {
				return out, nil
			}
			after = page.Next
		}
		return out, nil
	})
}

// listed has [] where there are no grants.
func listed(s wire.Subject) wire.Subject {
	if s.Grants == nil {
		s.Grants = []gatehouse.Grant{}
	}
	return s
}

func (a *API) oneSubject(ctx context.Context, id gatehouse.SubjectID) (wire.Subject, error) {
	s, err := a.o.Resources.Subject(ctx, id)
	return listed(s), err
}

func (a *API) subject(w http.ResponseWriter, r *http.Request) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	show(a, w, r, func(ctx context.Context) (wire.Subject, error) { return a.oneSubject(ctx, id) })
}

func (a *API) enrolPerson(w http.ResponseWriter, r *http.Request) {
	carry(a, w, r, http.StatusCreated, func(ctx context.Context, q wire.EnrollPersonRequest) (wire.EnrollResponse, error) {
		if len(q.Photos) > wire.MaxPhotos {
			return wire.EnrollResponse{}, gatehouse.Errorf("enroll.too_many_photos", "send the best 8", "there are too many photos")
		}
		return a.o.Resources.EnrollPerson(ctx, q)
	})
}

func (a *API) enrolVehicle(w http.ResponseWriter, r *http.Request) {
	carry(a, w, r, http.StatusCreated, a.o.Resources.EnrollVehicle)
}

func (a *API) eraseSubject(w http.ResponseWriter, r *http.Request) {
	carry(a, w, r, http.StatusCreated, a.o.Resources.Erase)
}

func (a *API) getErasure(w http.ResponseWriter, r *http.Request) {
	withID(a, w, r, a.o.Resources.Erasure)
}

// onSubject carries a change out, unless the subject has another ETag by now than the
// request names. Changes that come over the API wait for each other, so that of two that
// name the same ETag one is refused; the console's do not.
func (a *API) onSubject(r *http.Request, change func(ctx context.Context, id gatehouse.SubjectID) error) (gatehouse.SubjectID, error) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil {
		return id, err
	}
	a.changing.Lock()
	defer a.changing.Unlock()
	if wanted := r.Header.Values("If-Match"); len(wanted) > 0 {
		s, err := a.oneSubject(r.Context(), id)
		if err != nil {
			return id, err
		}
		if !names(wanted, tagOf(encoded(s)), false) {
			return id, gatehouse.Errorf("request.changed", "read it again", "the subject was changed meanwhile")
		}
	}
	return id, change(r.Context(), id)
}

func (a *API) putStatus(w http.ResponseWriter, r *http.Request) {
	var q wire.StatusRequest
	err := decode(w, r, maxErase, &q)
	if err == nil && q.Status != gatehouse.Active && q.Status != gatehouse.SuspendedStatus {
		err = gatehouse.Errorf("request.malformed", "status is active or suspended", "this is no status")
	}
	var id gatehouse.SubjectID
	if err == nil {
		id, err = a.onSubject(r, func(ctx context.Context, id gatehouse.SubjectID) error {
			return a.o.Resources.SetStatus(ctx, id, q.Status)
		})
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	r.Header.Del("If-None-Match") // the answer to a change is never left out
	show(a, w, r, func(ctx context.Context) (wire.Subject, error) { return a.oneSubject(ctx, id) })
}

func (a *API) endConsent(w http.ResponseWriter, r *http.Request) {
	_, err := a.onSubject(r, a.o.Resources.WithdrawConsent)
	a.done(w, r, err)
}
