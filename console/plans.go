package console

import (
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"gatehouse"
	"gatehouse/auth"
	"gatehouse/flow/plan"
)

// Plans are the site's floor plans; flow/plan has them. by is who asks.
type Plans interface {
	List(ctx context.Context) ([]gatehouse.FloorPlan, error)
	Picture(ctx context.Context, id gatehouse.FloorPlanID) ([]byte, error)
	Draw(ctx context.Context, by string, id gatehouse.FloorPlanID, title string, picture []byte) error
	Arrange(ctx context.Context, by string, id gatehouse.FloorPlanID, spots map[gatehouse.GateID]gatehouse.Spot) error
	Remove(ctx context.Context, by string, id gatehouse.FloorPlanID) error
}

// planning is the area of floor plans.
var planning = area{pages: []string{"plan"}, routes: (*Console).plansRoutes}

func (c *Console) plansRoutes() []auth.Route {
	see, change := auth.Needs(gatehouse.ManageGates), auth.NeedsFresh(gatehouse.ManageGates)
	return []auth.Route{
		{Pattern: "GET /plans/{id}/picture", Policy: auth.Needs(gatehouse.SeeLive), Handler: c.planPicture},
		{Pattern: "GET /plans/{id}", Policy: see, Handler: c.plan},
		{Pattern: "POST /plans", Policy: change, Page: "/plans/-", Handler: c.drawPlan},
		{Pattern: "POST /plans/{id}", Policy: change, Page: "/plans/{id}", Handler: c.arrangePlan},
		{Pattern: "POST /plans/{id}/remove", Policy: change, Page: "/plans/{id}", Handler: func(w http.ResponseWriter, r *http.Request) {
			if err := c.o.Plans.Remove(r.Context(), who(r).Operator, gatehouse.FloorPlanID(r.PathValue("id"))); err != nil {
				c.fail(w, r, err)
				return
			}
			http.Redirect(w, r, "/gates", http.StatusSeeOther)
		}},
	}
}

// planView is a plan with the gates that whoever looks may see on it. The drawing is 1000
// units wide.
type planView struct {
	gatehouse.FloorPlan
	Tall  int // its height in those units
	Marks []planMark
}

type planMark struct {
	gateView
	Spot gatehouse.Spot
	X, Y int // in the drawing's units
	On   bool
}

func viewOf(p gatehouse.FloorPlan, gates []gateView) planView {
	v := planView{FloorPlan: p, Tall: max(1000*p.Height/max(p.Width, 1), 1)}
	for _, g := range gates {
		spot, on := p.Spots[g.ID]
		v.Marks = append(v.Marks, planMark{gateView: g, Spot: spot, X: spot.X, Y: spot.Y * v.Tall / 1000, On: on})
	}
	return v
}

// planViews are the plans of the gates' page.
func (c *Console) planViews(r *http.Request) (views []planView, err error) {
	all, err := c.o.Plans.List(r.Context())
	gates := c.gateViews(r)
	for _, p := range all {
		v := viewOf(p, gates)
		v.Marks = slices.DeleteFunc(v.Marks, func(m planMark) bool { return !m.On })
		views = append(views, v)
	}
	return views, err
}

// planBody is the page on which a plan is made and gates are placed.
type planBody struct {
	Problem string
	New     bool
	ID      string // as somebody typed it
	Title   string
	Plan    planView
}

func (c *Console) plan(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("id") == newPart {
		c.render(w, r, http.StatusOK, "plan", "plan.title", "gates", planBody{New: true})
		return
	}
	c.showPlan(w, r, http.StatusOK, "")
}

func (c *Console) showPlan(w http.ResponseWriter, r *http.Request, status int, problem string) {
	all, err := c.o.Plans.List(r.Context())
	if err != nil {
		c.fail(w, r, err)
		return
	}
	for _, p := range all {
		if string(p.ID) == r.PathValue("id") {
			var gates []gateView
			for _, g := range c.o.Gates { // who arranges them sees where they are, and no more
				gates = append(gates, gateView{Gate: g, State: "unknown", Camera: "none"})
			}
			c.render(w, r, status, "plan", "plan.title", "gates", planBody{Problem: problem, ID: string(p.ID), Title: p.Title, Plan: viewOf(p, gates)})
			return
		}
	}
	c.fail(w, r, gatehouse.Errorf("store.not_found", "", "there is no such plan"))
}

// planPicture serves what the vision process made of an upload.
func (c *Console) planPicture(w http.ResponseWriter, r *http.Request) {
	b, err := c.o.Plans.Picture(r.Context(), gatehouse.FloorPlanID(r.PathValue("id")))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	jpeg(w, b)
}

// drawPlan takes a picture. It goes from the request to the vision process through memory
// alone.
func (c *Console) drawPlan(w http.ResponseWriter, r *http.Request) {
	id, title, picture, err := planIn(w, r)
	if err == nil {
		err = c.o.Plans.Draw(r.Context(), who(r).Operator, gatehouse.FloorPlanID(id), title, picture)
	}
	if err == nil {
		http.Redirect(w, r, localPath("/plans/"+id), http.StatusSeeOther)
		return
	}
	var e *gatehouse.Error
	family, _, _ := strings.Cut(gatehouse.ErrorCode(err), ".")
	if errors.As(err, &e) && slices.Contains([]string{"plan", "image", "form", "vision"}, family) {
		c.render(w, r, http.StatusUnprocessableEntity, "plan", "plan.title", "gates", planBody{New: true, ID: id, Title: title, Problem: errorText(languageOf(w, r), e)})
		return
	}
	c.fail(w, r, err)
}

// planIn reads the form part by part: the usual way would put a large one on disk.
func planIn(w http.ResponseWriter, r *http.Request) (id, title string, picture []byte, err error) {
	malformed := gatehouse.Errorf("form.malformed", "", "the form was not filled in")
	r.Body = http.MaxBytesReader(w, r.Body, plan.MaxPicture+4096)
	form, err := r.MultipartReader()
	if err != nil {
		return "", "", nil, malformed
	}
	for {
		var part *multipart.Part
		if part, err = form.NextPart(); errors.Is(err, io.EOF) {
			return strings.TrimSpace(id), title, picture, nil
		} else if err != nil {
			return id, title, nil, malformed
		}
		b, err := io.ReadAll(part)
		if err != nil {
			return id, title, nil, gatehouse.Errorf("image.too_big", "", "the picture is too big")
		}
		switch part.FormName() {
		case "id":
			id = string(b)
		case "title":
			title = string(b)
		case "picture":
			picture = b
		}
	}
}

// arrangePlan places the gates: x-GATE and y-GATE are per cent of the picture, with one
// digit behind the point; empty ones are not on it.
func (c *Console) arrangePlan(w http.ResponseWriter, r *http.Request) {
	err := formIn(w, r, maxRuleForm)
	spots := map[gatehouse.GateID]gatehouse.Spot{}
	for _, g := range c.o.Gates {
		x, y := r.PostForm.Get("x-"+string(g.ID)), r.PostForm.Get("y-"+string(g.ID))
		if err != nil || x == "" && y == "" {
			continue
		}
		var spot gatehouse.Spot
		if spot.X, err = thousandths(x); err == nil {
			spot.Y, err = thousandths(y)
		}
		spots[g.ID] = spot
	}
	if err == nil {
		err = c.o.Plans.Arrange(r.Context(), who(r).Operator, gatehouse.FloorPlanID(r.PathValue("id")), spots)
	}
	switch code := gatehouse.ErrorCode(err); {
	case err == nil:
		http.Redirect(w, r, "/gates", http.StatusSeeOther)
	case code == "plan.spot":
		c.showPlan(w, r, http.StatusUnprocessableEntity, text(languageOf(w, r), "code.plan.spot"))
	default:
		c.fail(w, r, err)
	}
}

// thousandths reads per cent.
func thousandths(s string) (int, error) {
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || !(f >= 0 && f <= 100) {
		return 0, gatehouse.Errorf("plan.spot", "", "this is no place on the picture")
	}
	return int(f*10 + 0.5), nil
}
