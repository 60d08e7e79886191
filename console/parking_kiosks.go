package console

import (
	"net/http"
	"slices"
	"time"

	"gatehouse"
)

// kiosksBody is the page of the screens at lanes.
type kiosksBody struct {
	List  listing
	None  bool
	Rows  []gatehouse.ParkingKiosk
	Lanes []gatehouse.GateID
}

func (c *Console) kiosksPage(w http.ResponseWriter, r *http.Request) error {
	all := c.o.Parking.Kiosks()
	b := kiosksBody{List: listingOf(r), None: len(all) == 0}
	for _, o := range c.o.Parking.Occupancies() {
		b.Lanes = append(b.Lanes, slices.Concat(o.CarPark.Entries, o.CarPark.Exits)...)
	}
	b.Rows = arrange(&b.List, all, func(k gatehouse.ParkingKiosk) []string { return []string{k.ID.String(), string(k.Gate)} },
		by("lane", func(k gatehouse.ParkingKiosk) string { return string(k.Gate) }), byTime("made", func(k gatehouse.ParkingKiosk) time.Time { return k.Made }),
		byTime("since", func(k gatehouse.ParkingKiosk) time.Time { return k.Since }))
	if b.List.File {
		var out [][]string
		for _, k := range b.Rows {
			out = append(out, []string{k.ID.String(), string(k.Gate), when(k.Made), when(k.Since)})
		}
		c.file(w, "kiosks", []string{"kiosk", "lane", "made", "since"}, out)
		return nil
	}
	c.render(w, r, http.StatusOK, "kiosks", "kiosks.title", "parking", b)
	return nil
}

// addKiosk shows the code once.
func (c *Console) addKiosk(w http.ResponseWriter, r *http.Request) error {
	_, code, err := c.o.Parking.AddKiosk(r.Context(), gatehouse.GateID(asked(r, "gate")), who(r).Operator)
	return c.showLink(w, r, "/pay/screen", code, "/parking/kiosks", "kiosks.title", err)
}

// removeKiosk ends what a screen may do at once.
func (c *Console) removeKiosk(w http.ResponseWriter, r *http.Request) error {
	err := c.o.Parking.RemoveRight(r.Context(), gatehouse.KioskItem, r.PathValue("id"), who(r).Operator)
	return c.back(w, r, "/parking/kiosks", err)
}
