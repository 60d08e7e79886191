package console

import (
	"context"
	"net/http"
	"strings"

	"gatehouse"
	"gatehouse/flow/timesheet"
)

// swaps are those of a query as somebody sees them.
func (c *Console) swaps(ctx context.Context, by timesheet.Actor, q gatehouse.TimesQuery) (out []swapView, err error) {
	list, err := c.o.Hours.Swaps(ctx, q)
	for _, x := range list {
		one := swapView{StoredSwap: x, Own: by.Person == x.First || by.Person == x.Second, MayAgree: by.Person == x.Second && x.Agreed[1].IsZero()}
		one.Labels.First, one.Labels.Second = c.hoursLabel(x.First), c.hoursLabel(x.Second)
		out = append(out, one)
	}
	return out, err
}

func (c *Console) askSwap(w http.ResponseWriter, r *http.Request) {
	c.onOwn(w, r, func(by timesheet.Actor) error {
		colleague, err := c.findPerson(strings.TrimSpace(r.PostForm.Get("colleague")))
		if err != nil { // whether there is such a label is not theirs to know
			return gatehouse.Errorf("swap.colleague", "ask somebody of your own team", "they are not in your team then")
		}
		_, err = c.o.Hours.AskSwap(r.Context(), by, gatehouse.Date(r.PostForm.Get("mine")), colleague, gatehouse.Date(r.PostForm.Get("theirs")))
		return err
	})
}

func (c *Console) answerSwap(w http.ResponseWriter, r *http.Request) {
	c.onOwn(w, r, func(by timesheet.Actor) error {
		id, err := gatehouse.ParseID(r.PathValue("id"))
		if err == nil {
			_, err = c.o.Hours.AnswerSwap(r.Context(), by, id, r.PostForm.Get("answer") == "agree")
		}
		return err
	})
}

func (c *Console) decideSwap(w http.ResponseWriter, r *http.Request) {
	c.decide(w, r, func(id gatehouse.ID, approve bool) error {
		_, err := c.o.Hours.DecideSwap(r.Context(), actor(r), id, approve)
		return err
	})
}
