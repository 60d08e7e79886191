package api

import (
	"context"
	"net/http"
	"slices"

	"gatehouse"
	"gatehouse/api/wire"
	"gatehouse/auth"
)

// Parking is what callers see and change of car parks. Stays come under opaque ids; who
// changes something is the caller that ctx carries.
type Parking interface {
	ParkingDrivers
	CarParks(ctx context.Context) (wire.CarParksResponse, error)
	Stays(ctx context.Context, q wire.StaysQuery) (wire.StaysResponse, error)
	// Stay explains its charge in lang ("zh", otherwise English): parking.unknown_stay.
	Stay(ctx context.Context, id gatehouse.ID, lang string) (wire.StayDetail, error)
	// CorrectPlate: parking.unknown_stay, parking.no_mark, parking.plate.
	CorrectPlate(ctx context.Context, id gatehouse.ID, r wire.PlateRequest) (wire.Stay, error)
	// EndStay: parking.unknown_stay, parking.attached.
	EndStay(ctx context.Context, id gatehouse.ID) (wire.Stay, error)
	// LoseTicket: parking.unknown_stay, parking.attached, parking.does_not_fit.
	LoseTicket(ctx context.Context, id gatehouse.ID, r wire.LostTicketRequest) (wire.Stay, error)
	// ValidateStay: parking.unknown_stay, parking.validation, parking.no_tariff.
	ValidateStay(ctx context.Context, id gatehouse.ID, r wire.ValidationRequest) (wire.Right, error)
	// Exits gives those that wait for a person; Exit one: parking.unknown_exit.
	Exits(ctx context.Context, q wire.StaysQuery) (wire.ExitsResponse, error)
	Exit(ctx context.Context, id gatehouse.ID) (wire.Exit, error)
	// ExitCandidates: parking.unknown_exit, parking.attached.
	ExitCandidates(ctx context.Context, id gatehouse.ID) (wire.StaysResponse, error)
	// AttachExit: the same, parking.unknown_stay, parking.does_not_fit.
	AttachExit(ctx context.Context, id gatehouse.ID, r wire.AttachRequest) (wire.StayDetail, error)
	DismissExit(ctx context.Context, id gatehouse.ID) (wire.Exit, error)
	// Ticket: gate.unknown, parking.not_admitted, and those of a passage.
	Ticket(ctx context.Context, r wire.TicketRequest) (wire.TicketResponse, error)
	// CountCarPark: parking.unknown_park, parking.count.
	CountCarPark(ctx context.Context, r wire.CountRequest) (wire.CarPark, error)
	Tariffs(ctx context.Context) (wire.TariffsResponse, error)
	// TariffHistory: parking.unknown_tariff.
	TariffHistory(ctx context.Context, name string) (wire.TariffsResponse, error)
	// PutTariff: parking.tariff, parking.currency, parking.changed.
	PutTariff(ctx context.Context, r wire.TariffRequest) (wire.TariffRevision, error)
	Rights(ctx context.Context) (wire.RightsResponse, error)
	// PutPass, PutReservation, PutQuota and Deny: parking.right, parking.vehicle,
	// parking.too_many, schedule.malformed.
	PutPass(ctx context.Context, r wire.PassRequest) (wire.Right, error)
	PutReservation(ctx context.Context, r wire.ReservationRequest) (wire.Right, error)
	PutQuota(ctx context.Context, r wire.QuotaRequest) (wire.Right, error)
	Deny(ctx context.Context, r wire.DenyRequest) (wire.Right, error)
	// RemoveRight: parking.unknown_right.
	RemoveRight(ctx context.Context, kind gatehouse.ParkingItemKind, id string) error
}

const tagParking = "Parking"

// maxTariff bounds a tariff's file in a request.
const maxTariff = 1 << 20

func (a *API) parkingOperations() []operation {
	see := auth.Needs(gatehouse.SeeParking).OrToken().OrSocket()
	handle := auth.Needs(gatehouse.HandleStays).OrToken().OrSocket()
	manage := auth.Needs(gatehouse.ManageParking).OrToken().OrSocket()
	stayInPath := parameter{name: "id", about: "The stay.", like: gatehouse.ID{}, required: true}
	exitInPath := parameter{name: "id", about: "The exit: its passage's id.", like: gatehouse.ID{}, required: true}
	aCarPark := parameter{name: "car_park", about: "Of this car park only.", like: ""}
	aLanguage := parameter{name: "lang", about: "The language of the lines.", like: "", enum: []string{"en", "zh"}}
	unknown := []string{"id.malformed", "parking.unknown_stay"}
	unknownExit := []string{"id.malformed", "parking.unknown_exit", "parking.attached"}
	wrong := []string{"parking.right", "parking.vehicle", "parking.too_many", "store.full"}
	all := []operation{{
		Route: auth.Route{Pattern: "GET /api/v1/parking", Policy: see, Handler: a.carParks},
		id:    "listCarParks", summary: "How full the car parks are", tagged: true,
		about:   "Those with a lane that the caller may see.",
		replies: answers(http.StatusOK, wire.CarParksResponse{}, "The car parks."),
	}, {
		Route: auth.Route{Pattern: "GET /api/v1/parking/stays", Policy: see, Handler: a.stays},
		id:    "listStays", summary: "List stays, newest first", tagged: true,
		about: "Facts only: no plate. A page may hold fewer rows than its limit, also none: the last has no next.",
		query: []parameter{aCarPark, {name: "state", about: "In this state only; inside is all that have not ended, unpaid those that left and owe something.", like: "",
			enum: []string{"inside", "open", "waiting", "ambiguous", "left", "lost", "withdrawn", "unpaid"}}, aBefore, aLimit},
		replies:  answers(http.StatusOK, wire.StaysResponse{}, "One page."),
		problems: []string{"request.malformed", "id.malformed"},
	}, {
		Route: auth.Route{Pattern: "GET /api/v1/parking/stays/{id}", Policy: see, Handler: a.stay},
		id:    "getStay", summary: "One stay, and how its charge comes about",
		path: []parameter{stayInPath}, query: []parameter{aLanguage},
		replies:  answers(http.StatusOK, wire.StayDetail{}, "The stay: what it costs now, or did when it left."),
		problems: unknown,
	}, {
		Route: auth.Route{Pattern: "POST /api/v1/parking/stays/{id}/plate", Policy: handle, Handler: onStay(a, gatehouse.HandleStays, Resources.CorrectPlate)},
		id:    "correctPlate", summary: "Correct the plate of a stay that is open", keyed: true, most: maxSmall,
		about: "What the camera read is kept beside it, sealed, with who corrected it.",
		path:  []parameter{stayInPath}, request: inJSON(wire.PlateRequest{}),
		replies:  answers(http.StatusOK, wire.Stay{}, "The stay."),
		problems: append([]string{"parking.no_mark", "parking.plate", "sealing.unavailable", "store.full"}, unknown...),
	}, {
		Route: auth.Route{Pattern: "POST /api/v1/parking/stays/{id}/end", Policy: handle, Handler: a.endStay},
		id:    "endStay", summary: "End a stay whose vehicle is gone, without a charge", keyed: true, most: maxSmall,
		path:     []parameter{stayInPath},
		replies:  answers(http.StatusOK, wire.Stay{}, "The stay."),
		problems: append([]string{"parking.attached", "store.full"}, unknown...),
	}, {
		Route: auth.Route{Pattern: "POST /api/v1/parking/stays/{id}/lost-ticket", Policy: handle, Handler: onStay(a, gatehouse.HandleStays, Resources.LoseTicket)},
		id:    "loseTicket", summary: "Note that a driver who waits at an exit has lost the ticket", keyed: true, most: maxSmall,
		about: "What the tariff asks for a lost ticket is owed, too; once nothing is owed the exit opens.",
		path:  []parameter{stayInPath}, request: inJSON(wire.LostTicketRequest{}),
		replies:  answers(http.StatusOK, wire.Stay{}, "The stay."),
		problems: append([]string{"parking.attached", "parking.does_not_fit", "store.full"}, unknown...),
	}, {
		Route: auth.Route{Pattern: "POST /api/v1/parking/stays/{id}/validations", Policy: handle, Handler: onStay(a, gatehouse.HandleStays, Resources.ValidateStay)},
		id:    "validateStay", summary: "Give a stay what a shop gives", keyed: true, most: maxSmall,
		path: []parameter{stayInPath}, request: inJSON(wire.ValidationRequest{}),
		replies:  answers(http.StatusOK, wire.Right{}, "The validation."),
		problems: append([]string{"parking.validation", "parking.no_tariff", "parking.times", "parking.too_many", "money.malformed", "money.currency", "money.too_large", "store.full"}, unknown...),
	}, {
		Route: auth.Route{Pattern: "GET /api/v1/parking/exits", Policy: see, Handler: a.exits},
		id:    "listExits", summary: "List the exits that wait for a person, newest first", tagged: true,
		query:    []parameter{aCarPark, aBefore, aLimit},
		replies:  answers(http.StatusOK, wire.ExitsResponse{}, "One page."),
		problems: []string{"request.malformed", "id.malformed"},
	}, {
		Route: auth.Route{Pattern: "GET /api/v1/parking/exits/{id}/candidates", Policy: see, Handler: a.candidates},
		id:    "listCandidates", summary: "The stays that an exit may have ended, the likeliest first",
		path:     []parameter{exitInPath},
		replies:  answers(http.StatusOK, wire.StaysResponse{}, "The stays."),
		problems: unknownExit,
	}, {
		Route: auth.Route{Pattern: "POST /api/v1/parking/exits/{id}/attach", Policy: handle, Handler: a.attach},
		id:    "attachExit", summary: "End a stay with an exit that waits for a person", keyed: true, most: maxSmall,
		about: "What the stay cost is computed anew.",
		path:  []parameter{exitInPath}, request: inJSON(wire.AttachRequest{}),
		replies:  answers(http.StatusOK, wire.StayDetail{}, "The stay."),
		problems: append([]string{"parking.unknown_stay", "parking.does_not_fit", "store.full"}, unknownExit...),
	}, {
		Route: auth.Route{Pattern: "POST /api/v1/parking/exits/{id}/dismiss", Policy: handle, Handler: a.dismiss},
		id:    "dismissExit", summary: "Note that no entry belongs to an exit", keyed: true, most: maxSmall,
		path:     []parameter{exitInPath},
		replies:  answers(http.StatusOK, wire.Exit{}, "The exit."),
		problems: append([]string{"store.full"}, unknownExit...),
	}, {
		Route: auth.Route{Pattern: "POST /api/v1/parking/tickets", Policy: handle, Handler: a.ticket},
		id:    "takeTicket", summary: "Let a vehicle without a plate in, with a ticket", keyed: true, most: maxSmall,
		about:   "The entry opens. The code is shown this once; as a QR code it opens the exit.",
		request: inJSON(wire.TicketRequest{}), replies: answers(http.StatusCreated, wire.TicketResponse{}, "The ticket."),
		problems: []string{"gate.unknown", "parking.not_admitted", "parking.class", "sealing.unavailable", "store.full"},
	}, {
		Route: auth.Route{Pattern: "GET /api/v1/parking/tariffs", Policy: see, Handler: func(w http.ResponseWriter, r *http.Request) { show(a, w, r, a.o.Resources.Tariffs) }},
		id:    "listTariffs", summary: "List the tariffs", tagged: true,
		replies: answers(http.StatusOK, wire.TariffsResponse{}, "Each tariff's newest revision, without its file."),
	}, {
		Route: auth.Route{Pattern: "GET /api/v1/parking/tariffs/{name}", Policy: see, Handler: func(w http.ResponseWriter, r *http.Request) {
			tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.TariffsResponse, error) {
				return a.o.Resources.TariffHistory(ctx, r.PathValue("name"))
			})
		}},
		id: "getTariff", summary: "A tariff's revisions, with their files, the newest first",
		path:     []parameter{{name: "name", about: "The tariff.", like: "", required: true}},
		replies:  answers(http.StatusOK, wire.TariffsResponse{}, "The revisions. A stay is charged by the one that was the newest when it began."),
		problems: []string{"parking.unknown_tariff"},
	}, {
		Route: auth.Route{Pattern: "PUT /api/v1/parking/counts", Policy: handle, Handler: a.countCarPark},
		id:    "countCarPark", summary: "Say how many vehicles were counted in a car park", keyed: true, most: maxSmall,
		about:   "The difference to what is known is added from then on, until what was missed is known: a stay that ends unseen, an exit whose entry nobody saw.",
		request: inJSON(wire.CountRequest{}), replies: answers(http.StatusOK, wire.CarPark{}, "The car park as it stands now."),
		problems: []string{"parking.unknown_park", "parking.count", "parking.too_many", "store.full"},
	}, {
		Route: auth.Route{Pattern: "PUT /api/v1/parking/tariffs", Policy: manage, Handler: func(w http.ResponseWriter, r *http.Request) {
			carry(a, w, r, http.StatusOK, a.o.Resources.PutTariff)
		}},
		id: "putTariff", summary: "Put a tariff's file", keyed: true, most: maxTariff,
		about:   "It is refused whole where something is wrong with it. Stays that began before keep the revision that they have.",
		request: inJSON(wire.TariffRequest{}), replies: answers(http.StatusOK, wire.TariffRevision{}, "The revision that it is."),
		problems: []string{"parking.tariff", "parking.currency", "parking.changed", "store.full"},
	}, {
		Route: auth.Route{Pattern: "GET /api/v1/parking/rights", Policy: manage, Handler: func(w http.ResponseWriter, r *http.Request) { show(a, w, r, a.o.Resources.Rights) }},
		id:    "listRights", summary: "List passes, reservations, quotas, the list of the denied, and validations", tagged: true,
		replies: answers(http.StatusOK, wire.RightsResponse{}, "By kind and id."),
	}, {
		Route: auth.Route{Pattern: "DELETE /api/v1/parking/rights/{kind}/{id}", Policy: manage, Handler: func(w http.ResponseWriter, r *http.Request) {
			a.done(w, r, a.o.Resources.RemoveRight(r.Context(), gatehouse.ParkingItemKind(r.PathValue("kind")), r.PathValue("id")))
		}},
		id: "removeRight", summary: "Take a pass, reservation, quota, list entry or validation away",
		path:     []parameter{{name: "kind", about: "What it is.", like: "", required: true, enum: []string{"pass", "reservation", "quota", "denied", "validation", "order", "account", "account_vehicle", "shop", "kiosk"}}, {name: "id", about: "Its id, or a quota's group.", like: "", required: true}},
		replies:  []reply{{status: http.StatusNoContent, about: "It is gone."}},
		problems: []string{"parking.unknown_right", "store.full"},
	}}
	for _, o := range []struct {
		pattern, id, summary string
		request              any
		handler              http.HandlerFunc
		problems             []string
	}{
		{"POST /api/v1/parking/passes", "putPass", "Give a vehicle a pass", wire.PassRequest{}, giving(a, Resources.PutPass), []string{"schedule.malformed", "schedule.window"}},
		{"POST /api/v1/parking/reservations", "putReservation", "Reserve a space for a vehicle", wire.ReservationRequest{}, giving(a, Resources.PutReservation), nil},
		{"PUT /api/v1/parking/quotas", "putQuota", "Say how many spaces a group has", wire.QuotaRequest{}, giving(a, Resources.PutQuota), nil},
		{"POST /api/v1/parking/denied", "denyVehicle", "Keep a vehicle out", wire.DenyRequest{}, giving(a, Resources.Deny), nil},
	} {
		all = append(all, operation{Route: auth.Route{Pattern: o.pattern, Policy: manage, Handler: o.handler}, id: o.id, summary: o.summary, keyed: true, most: maxSmall,
			request: inJSON(o.request), replies: answers(http.StatusOK, wire.Right{}, "What it is now."), problems: slices.Concat(wrong, o.problems)})
	}
	all = append(all, a.driverOperations()...)
	for i := range all {
		all[i].tag = tagParking
		all[i] = a.about(all[i])
	}
	return all
}

// giving carries out a change that gives a right.
func giving[Q any](a *API, do func(Resources, context.Context, Q) (wire.Right, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		carry(a, w, r, http.StatusOK, func(ctx context.Context, q Q) (wire.Right, error) { return do(a.o.Resources, ctx, q) })
	}
}

// parksOf are the car parks with a lane at which the caller has the permission.
func (a *API) parksOf(ctx context.Context, p gatehouse.Permission) (wire.CarParksResponse, error) {
	all, err := a.o.Resources.CarParks(ctx)
	mine := auth.Gates(ctx, p)
	out := wire.CarParksResponse{CarParks: []wire.CarPark{}}
	for _, c := range all.CarParks {
		if slices.ContainsFunc(slices.Concat(c.Entries, c.Exits), mine.Has) {
			out.CarParks = append(out.CarParks, c)
		}
	}
	return out, err
}

// within fails where the caller has no permission at a car park: what is there is not
// there for them.
func (a *API) within(ctx context.Context, p gatehouse.Permission, park string, none error) error {
	mine, err := a.parksOf(ctx, p)
	if err == nil && !slices.ContainsFunc(mine.CarParks, func(c wire.CarPark) bool { return c.ID == park }) {
		err = none
	}
	return err
}

func unknownStay() error {
	return gatehouse.Errorf("parking.unknown_stay", "GET /api/v1/parking/stays lists them", "there is no such stay")
}

func unknownExit() error {
	return gatehouse.Errorf("parking.unknown_exit", "GET /api/v1/parking/exits lists them", "there is no such exit")
}

func (a *API) carParks(w http.ResponseWriter, r *http.Request) {
	show(a, w, r, func(ctx context.Context) (wire.CarParksResponse, error) { return a.parksOf(ctx, gatehouse.SeeParking) })
}

func (a *API) countCarPark(w http.ResponseWriter, r *http.Request) {
	carry(a, w, r, http.StatusOK, func(ctx context.Context, q wire.CountRequest) (wire.CarPark, error) {
		if err := a.within(ctx, gatehouse.HandleStays, q.CarPark, gatehouse.Errorf("parking.unknown_park", "GET /api/v1/parking lists them", "there is no such car park")); err != nil {
			return wire.CarPark{}, err
		}
		return a.o.Resources.CountCarPark(ctx, q)
	})
}

func staysQuery(r *http.Request) (q wire.StaysQuery, err error) {
	q = wire.StaysQuery{CarPark: r.URL.Query().Get("car_park"), State: r.URL.Query().Get("state")}
	if q.Limit, err = limitOf(r); err == nil {
		q.Before, err = cursorOf(r, "before")
	}
	if err == nil && !slices.Contains([]string{"", "inside", "open", "waiting", "ambiguous", "left", "lost", "withdrawn", "unpaid"}, q.State) {
		err = gatehouse.Errorf("request.malformed", "see the API's document", "there is no such state")
	}
	return q, err
}

func (a *API) stays(w http.ResponseWriter, r *http.Request) {
	q, err := staysQuery(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	show(a, w, r, func(ctx context.Context) (wire.StaysResponse, error) {
		mine, err := a.parksOf(ctx, gatehouse.SeeParking)
		if err != nil {
			return wire.StaysResponse{}, err
		}
		page, err := a.o.Resources.Stays(ctx, q)
		page.Stays = slices.DeleteFunc(page.Stays, func(s wire.Stay) bool { return !has(mine, s.CarPark) })
		return page, err
	})
}

func has(mine wire.CarParksResponse, park string) bool {
	return slices.ContainsFunc(mine.CarParks, func(c wire.CarPark) bool { return c.ID == park })
}

func (a *API) exits(w http.ResponseWriter, r *http.Request) {
	q, err := staysQuery(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	show(a, w, r, func(ctx context.Context) (wire.ExitsResponse, error) {
		mine, err := a.parksOf(ctx, gatehouse.SeeParking)
		if err != nil {
			return wire.ExitsResponse{}, err
		}
		page, err := a.o.Resources.Exits(ctx, q)
		page.Exits = slices.DeleteFunc(page.Exits, func(e wire.Exit) bool { return !has(mine, e.CarPark) })
		return page, err
	})
}

// seenStay reads a stay of a car park where the caller has the permission.
func (a *API) seenStay(ctx context.Context, r *http.Request, p gatehouse.Permission) (wire.StayDetail, error) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil {
		return wire.StayDetail{}, err
	}
	s, err := a.o.Resources.Stay(ctx, id, r.URL.Query().Get("lang"))
	if err != nil {
		return wire.StayDetail{}, err
	}
	return s, a.within(ctx, p, s.Stay.CarPark, unknownStay())
}

func (a *API) seenExit(ctx context.Context, r *http.Request, p gatehouse.Permission) (wire.Exit, error) {
	id, err := gatehouse.ParseID(r.PathValue("id"))
	if err != nil {
		return wire.Exit{}, err
	}
	e, err := a.o.Resources.Exit(ctx, id)
	if err != nil {
		return wire.Exit{}, err
	}
	return e, a.within(ctx, p, e.CarPark, unknownExit())
}

func (a *API) stay(w http.ResponseWriter, r *http.Request) {
	tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.StayDetail, error) {
		s, err := a.seenStay(ctx, r, gatehouse.SeeParking)
		if err != nil {
			return wire.StayDetail{}, err
		}
		return s, nil
	})
}

// onStay carries out a change of a stay where the caller has the permission.
func onStay[Q, A any](a *API, p gatehouse.Permission, do func(Resources, context.Context, gatehouse.ID, Q) (A, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		carry(a, w, r, http.StatusOK, func(ctx context.Context, q Q) (none A, err error) {
			s, err := a.seenStay(ctx, r, p)
			if err != nil {
				return none, err
			}
			return do(a.o.Resources, ctx, s.Stay.ID, q)
		})
	}
}

func (a *API) endStay(w http.ResponseWriter, r *http.Request) {
	tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.Stay, error) {
		s, err := a.seenStay(ctx, r, gatehouse.HandleStays)
		if err != nil {
			return wire.Stay{}, err
		}
		return a.o.Resources.EndStay(ctx, s.Stay.ID)
	})
}

func (a *API) candidates(w http.ResponseWriter, r *http.Request) {
	tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.StaysResponse, error) {
		e, err := a.seenExit(ctx, r, gatehouse.SeeParking)
		if err != nil {
			return wire.StaysResponse{}, err
		}
		return a.o.Resources.ExitCandidates(ctx, e.ID)
	})
}

func (a *API) attach(w http.ResponseWriter, r *http.Request) {
	carry(a, w, r, http.StatusOK, func(ctx context.Context, q wire.AttachRequest) (wire.StayDetail, error) {
		e, err := a.seenExit(ctx, r, gatehouse.HandleStays)
		if err != nil {
			return wire.StayDetail{}, err
		}
		return a.o.Resources.AttachExit(ctx, e.ID, q)
	})
}

func (a *API) dismiss(w http.ResponseWriter, r *http.Request) {
	tell(a, w, r, http.StatusOK, func(ctx context.Context) (wire.Exit, error) {
		e, err := a.seenExit(ctx, r, gatehouse.HandleStays)
		if err != nil {
			return wire.Exit{}, err
		}
		return a.o.Resources.DismissExit(ctx, e.ID)
	})
}

func (a *API) ticket(w http.ResponseWriter, r *http.Request) {
	carry(a, w, r, http.StatusCreated, func(ctx context.Context, q wire.TicketRequest) (wire.TicketResponse, error) {
		if mine := auth.Gates(ctx, gatehouse.HandleStays); !mine.Has(q.Gate) {
			return wire.TicketResponse{}, gatehouse.Errorf("gate.unknown", "name an entry of a car park", "there is no such entry")
		}
		return a.o.Resources.Ticket(ctx, q)
	})
}
