package console

import (
	"net/http"

	"gatehouse"
	"gatehouse/auth"
)

// gatesOf are the gates at which the request has the permission. Every handler that shows
// something of a gate asks here, and shows the others' as if they were not there.
func gatesOf(r *http.Request, p gatehouse.Permission) gatehouse.Gates {
	return auth.Gates(r.Context(), p)
}

// may reports whether the request's session has the permission.
func may(r *http.Request, p gatehouse.Permission) bool {
	s, ok := auth.SessionFrom(r.Context())
	return ok && s.May(p)
}

// stored reads the passage that the path names, if it was at a gate where the request
// has the permission. Another gate's is store.not_found, like one that is not there.
func (c *Console) stored(r *http.Request, p gatehouse.Permission) (gatehouse.StoredPassage, error) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil {
		return gatehouse.StoredPassage{}, err
	}
	return c.storedAs(r, p, id)
}

func (c *Console) storedAs(r *http.Request, p gatehouse.Permission, id gatehouse.ID) (gatehouse.StoredPassage, error) {
	s, err := c.o.Passages.Passage(r.Context(), c.o.Place, id)
	if err == nil && !gatesOf(r, p).Has(s.Passage.Gate) {
		return gatehouse.StoredPassage{}, gatehouse.Errorf("store.not_found", "", "there is no such passage")
	}
	return s, err
}
