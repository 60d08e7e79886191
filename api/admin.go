package api

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"gatehouse"
	"gatehouse/api/wire"
)

func alwaysReady(context.Context) (wire.Readiness, error) {
	return wire.Readiness{Status: "ready"}, nil
}

// carry decodes the request into a Q, lets do carry it out, and answers.
func carry[Q, A any](api *API, w http.ResponseWriter, r *http.Request, status int, do func(context.Context, Q) (A, error)) {
	var q Q
	if err := decode(w, r, maxAdmin, &q); err != nil {
		api.fail(w, r, err)
		return
	}
	if shows, ok := any(q).(wire.Shows); ok {
		for _, with := range shows.Credentials() {
			if !with.Sealed && !with.Credential().IsZero() {
				api.fail(w, r, gatehouse.Errorf("credential.in_clear", "seal it to a letterbox, as the command line of this version does", "a credential came in clear"))
				return
			}
		}
	}
	tell(api, w, r, status, func(ctx context.Context) (A, error) { return do(ctx, q) })
}

// tell answers with what ask returns.
func tell[A any](api *API, w http.ResponseWriter, r *http.Request, status int, ask func(context.Context) (A, error)) {
	v, err := ask(r.Context())
	if err != nil {
		api.fail(w, r, err)
		return
	}
	api.answer(w, status, v)
}

// show answers with what ask returns under its ETag, or that it is what is known.
func show[A any](api *API, w http.ResponseWriter, r *http.Request, ask func(context.Context) (A, error)) {
	v, err := ask(r.Context())
	if err != nil {
		api.fail(w, r, err)
		return
	}
	tag := tagOf(encoded(v))
	w.Header().Set("ETag", tag)
	if known(r, tag) {
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	api.answer(w, http.StatusOK, v)
}

// encoded is what an answer's ETag is made of. What fails to encode has none that lasts,
// and answer logs it.
func encoded(v any) []byte {
	b, _ := json.Marshal(v)
	return b
}

func (a *API) enrollPerson(w http.ResponseWriter, r *http.Request) {
	carry(a, w, r, http.StatusCreated, func(ctx context.Context, q wire.EnrollPersonRequest) (wire.EnrollResponse, error) {
		if len(q.Photos) > wire.MaxPhotos {
			return wire.EnrollResponse{}, gatehouse.Errorf("enroll.too_many_photos", "send the best 8", "there are too many photos")
		}
		return a.o.Admin.EnrollPerson(ctx, q)
	})
}

func (a *API) enrollVehicle(w http.ResponseWriter, r *http.Request) {
	carry(a, w, r, http.StatusCreated, a.o.Admin.EnrollVehicle)
}

func (a *API) subjects(w http.ResponseWriter, r *http.Request) {
	var after gatehouse.SubjectID
	if s := r.URL.Query().Get("after"); s != "" {
		id, err := gatehouse.ParseID(s)
		if err != nil {
			a.fail(w, r, err)
			return
		}
		after = id
	}
	limit := 200
	if s := r.URL.Query().Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > 200 {
			a.fail(w, r, gatehouse.Errorf("request.malformed", "limit is 1 to 200", "this is no limit"))
			return
		}
		limit = n
	}
	tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.SubjectsResponse, error) {
		return a.o.Admin.Subjects(ctx, after, limit)
	})
}

func (a *API) setStatus(w http.ResponseWriter, r *http.Request) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil {
		a.fail(w, r, err)
		return
	}
	carry(a, w, r, http.StatusOK, func(ctx context.Context, q wire.StatusRequest) (wire.StatusRequest, error) {
		if q.Status != gatehouse.Active && q.Status != gatehouse.SuspendedStatus {
			return q, gatehouse.Errorf("request.malformed", "status is active or suspended", "this is no status")
		}
		return q, a.o.Admin.SetStatus(ctx, id, q.Status)
	})
}

func (a *API) withdrawConsent(w http.ResponseWriter, r *http.Request) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err == nil {
		err = a.o.Admin.WithdrawConsent(r.Context(), id)
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.answer(w, http.StatusOK, struct{}{})
}

func (a *API) addDevice(w http.ResponseWriter, r *http.Request) {
	carry(a, w, r, http.StatusCreated, a.o.Admin.AddDevice)
}

func (a *API) vaultStatus(w http.ResponseWriter, r *http.Request) {
	tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.VaultStatus, error) {
		s, err := a.o.Admin.Status(ctx)
		return s.Vault, err
	})
}

func (a *API) seal(w http.ResponseWriter, r *http.Request) {
	tell(a, w, r, http.StatusOK, a.o.Admin.Seal)
}

func (a *API) link(w http.ResponseWriter, r *http.Request) {
	tell(a, w, r, http.StatusCreated, a.o.Admin.Link)
}

func (a *API) status(w http.ResponseWriter, r *http.Request) {
	tell(a, w, r, http.StatusOK, a.o.Admin.Status)
}
