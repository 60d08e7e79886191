package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"gatehouse"
	"gatehouse/api/wire"
)

// statuses maps the codes of gatehouse.Error to HTTP. A code that is not here goes
// by its family (the part before the dot), and else is a fault of the server's.
var statuses = map[string]int{
	"auth.session_needed":  http.StatusUnauthorized,
	"auth.loopback_only":   http.StatusForbidden,
	"auth.forbidden":       http.StatusForbidden,
	"auth.again":           http.StatusForbidden,
	"auth.passkey_needed":  http.StatusForbidden,
	"auth.set_up":          http.StatusForbidden,
	"auth.cross_origin":    http.StatusForbidden,
	"auth.host":            http.StatusMisdirectedRequest,
	"auth.too_many":        http.StatusTooManyRequests,
	"token.refused":        http.StatusUnauthorized,
	"token.scope":          http.StatusForbidden,
	"token.unknown":        http.StatusNotFound,
	"token.exists":         http.StatusConflict,
	"webhook.unknown":      http.StatusNotFound,
	"webhook.exists":       http.StatusConflict,
	"webhook.message":      http.StatusNotFound,
	"device.refused":       http.StatusUnauthorized,
	"device.known":         http.StatusConflict,
	"device.key_needed":    http.StatusUnauthorized,
	"device.proof":         http.StatusUnauthorized,
	"device.proof_time":    http.StatusUnauthorized,
	"device.proof_again":   http.StatusUnauthorized,
	"device.code":          http.StatusForbidden,
	"server.not_running":   http.StatusServiceUnavailable,
	"device.kind":          http.StatusForbidden,
	"pin.too_many":         http.StatusTooManyRequests,
	"request.too_large":    http.StatusRequestEntityTooLarge,
	"request.malformed":    http.StatusBadRequest,
	"request.type":         http.StatusUnsupportedMediaType,
	"request.content_type": http.StatusUnsupportedMediaType,
	"image.type":           http.StatusUnsupportedMediaType,
	"image.too_big":        http.StatusRequestEntityTooLarge,
	"request.key_reused":   http.StatusUnprocessableEntity,
	"request.in_progress":  http.StatusConflict,
	"request.unfinished":   http.StatusConflict,
	"request.changed":      http.StatusPreconditionFailed,
	"request.streams":      http.StatusTooManyRequests,
	"request.not_served":   http.StatusNotFound,
	"request.no_route":     http.StatusNotFound,
	"request.method":       http.StatusMethodNotAllowed,
	"image.empty":          http.StatusBadRequest,
	"request.slow":         http.StatusRequestTimeout,
	"image.too_large":      http.StatusRequestEntityTooLarge,
	"face.known":           http.StatusConflict,
	"plate.known":          http.StatusConflict,
	"store.not_found":      http.StatusNotFound,
	"audit.verifying":      http.StatusConflict,
	"audit.not_found":      http.StatusNotFound,
	"audit.unknown_log":    http.StatusNotFound,
	"audit.signature":      http.StatusForbidden,
	"audit.rolled_back":    http.StatusUnprocessableEntity,
	"store.full":           http.StatusInsufficientStorage,
	"vault.sealed":         http.StatusConflict,
	"vault.forbidden":      http.StatusForbidden,
	"vault.passphrase":     http.StatusForbidden,
	"vault.too_many":       http.StatusTooManyRequests,
	"vault.budget":         http.StatusTooManyRequests,
	"vault.canary":         http.StatusLocked,
	"vault.altered":        http.StatusLocked,
	"operator.passphrase":  http.StatusForbidden,
	"operator.signature":   http.StatusForbidden,
	"operator.unknown":     http.StatusNotFound,
	"operator.exists":      http.StatusConflict,
	"operator.agreement":   http.StatusForbidden,
	"operator.young":       http.StatusForbidden,
	"canary.involved":      http.StatusForbidden,
	"release.written":      http.StatusConflict,
	"release.unknown":      http.StatusNotFound,
	"vault.busy":           http.StatusTooManyRequests,
	"vault.unavailable":    http.StatusServiceUnavailable,
	"vault.duration":       http.StatusBadRequest,
	"vault.reason":         http.StatusBadRequest,
	"vault.held":           http.StatusConflict,
	"vault.erase_limit":    http.StatusTooManyRequests,
	"erase.money":          http.StatusConflict,
	"erase.unfinished":     http.StatusServiceUnavailable,
	"erase.stopped":        http.StatusConflict,
	"hold.unfinished":      http.StatusServiceUnavailable,
	"index.opening":        http.StatusServiceUnavailable,
	"index.damaged":        http.StatusServiceUnavailable,
	"vision.unavailable":   http.StatusServiceUnavailable,
	"sealing.unavailable":  http.StatusServiceUnavailable,
	"server.busy":          http.StatusServiceUnavailable,
	"server.not_ready":     http.StatusServiceUnavailable,

	"hours.unknown": http.StatusNotFound, "hours.exists": http.StatusConflict, "hours.changed": http.StatusConflict, "hours.in_use": http.StatusConflict, "hours.own": http.StatusForbidden,
	"correction.own": http.StatusForbidden, "correction.not_yours": http.StatusForbidden, "correction.decided": http.StatusConflict, "correction.period": http.StatusConflict,
	"period.unknown": http.StatusNotFound, "period.state": http.StatusConflict, "period.overlap": http.StatusConflict, "period.waiting": http.StatusConflict, "period.two_people": http.StatusForbidden, "export.unknown": http.StatusNotFound, "export.two_people": http.StatusForbidden, "export.approved": http.StatusConflict, "leave.step": http.StatusForbidden, "swap.own": http.StatusForbidden, "swap.not_yours": http.StatusForbidden, "swap.approved": http.StatusConflict, "swap.agreed": http.StatusConflict, "wages.unknown": http.StatusNotFound, "wages.no_slip": http.StatusNotFound, "wages.own": http.StatusForbidden, "wages.two_people": http.StatusForbidden,
	"wages.waiting": http.StatusConflict, "wages.approved": http.StatusConflict, "wages.done": http.StatusConflict, "wages.scheme": http.StatusConflict, "wages.none": http.StatusServiceUnavailable, "subject.unknown": http.StatusNotFound,

	"books.closed": http.StatusConflict, "books.changed": http.StatusConflict, "books.day": http.StatusConflict, "books.nothing_due": http.StatusConflict, "books.unbalanced": http.StatusInternalServerError,
	"pay.unavailable": http.StatusServiceUnavailable, "pay.not_set_up": http.StatusServiceUnavailable, "pay.unknown": http.StatusNotFound, "pay.under_way": http.StatusConflict, "pay.malformed": http.StatusBadGateway,

	"gate.no_actuator": http.StatusConflict, "gate.unknown": http.StatusNotFound, "rules.unknown": http.StatusNotFound, "rules.exists": http.StatusConflict, "rules.changed": http.StatusConflict, "rules.in_use": http.StatusConflict,
	"account.unknown": http.StatusNotFound, "account.exists": http.StatusConflict, "account.last_administrator": http.StatusConflict, "account.last_credential": http.StatusConflict,
	"vault.credential": http.StatusForbidden, "vault.no_slot": http.StatusNotFound, "vault.last_slot": http.StatusConflict,
	"vault.slot_in_use": http.StatusConflict, "vault.slots_full": http.StatusConflict, "vault.rotation": http.StatusConflict,
	"parking.unknown_stay": http.StatusNotFound, "parking.unknown_park": http.StatusNotFound, "parking.unknown_exit": http.StatusNotFound, "parking.unknown_tariff": http.StatusNotFound, "parking.unknown_right": http.StatusNotFound, "parking.unknown_account": http.StatusNotFound, "parking.unknown_shop": http.StatusNotFound, "parking.not_found": http.StatusNotFound,
	"parking.attached": http.StatusConflict, "parking.not_admitted": http.StatusConflict, "parking.changed": http.StatusConflict, "parking.no_mark": http.StatusConflict, "parking.no_tariff": http.StatusConflict, "parking.too_many": http.StatusConflict,
	"vault.label": http.StatusBadRequest, "vault.passphrase_short": http.StatusBadRequest, "secret.unknown": http.StatusNotFound,
}

// families are the codes whose fault is the caller's input.
var families = map[string]int{
	"id": http.StatusBadRequest, "name": http.StatusBadRequest, "request": http.StatusBadRequest,
	"image": http.StatusUnprocessableEntity, "face": http.StatusUnprocessableEntity, "plate": http.StatusUnprocessableEntity,
	"label": http.StatusUnprocessableEntity, "consent": http.StatusUnprocessableEntity, "grant": http.StatusUnprocessableEntity,
	"operator": http.StatusUnprocessableEntity, "canary": http.StatusUnprocessableEntity, "release": http.StatusUnprocessableEntity, "budget": http.StatusUnprocessableEntity,
	"enroll": http.StatusUnprocessableEntity, "device": http.StatusUnprocessableEntity, "vehicle": http.StatusUnprocessableEntity,
	"person": http.StatusUnprocessableEntity, "card": http.StatusUnprocessableEntity, "search": http.StatusUnprocessableEntity, "pin": http.StatusUnprocessableEntity,
	"shares": http.StatusUnprocessableEntity, "custody": http.StatusUnprocessableEntity, "secret": http.StatusUnprocessableEntity,
	"account": http.StatusUnprocessableEntity, "rules": http.StatusUnprocessableEntity, "schedule": http.StatusUnprocessableEntity, "date": http.StatusUnprocessableEntity, "why": http.StatusUnprocessableEntity, "open": http.StatusUnprocessableEntity, "token": http.StatusUnprocessableEntity, "webhook": http.StatusUnprocessableEntity,
	"parking": http.StatusUnprocessableEntity, "money": http.StatusUnprocessableEntity,
	"hours": http.StatusUnprocessableEntity, "correction": http.StatusUnprocessableEntity, "leave": http.StatusUnprocessableEntity, "period": http.StatusUnprocessableEntity, "attendance": http.StatusUnprocessableEntity, "holidays": http.StatusUnprocessableEntity,
	"pay": http.StatusUnprocessableEntity, "wages": http.StatusUnprocessableEntity, "swap": http.StatusUnprocessableEntity, "export": http.StatusUnprocessableEntity,
	"books": http.StatusUnprocessableEntity,
	"erase": http.StatusUnprocessableEntity, "hold": http.StatusUnprocessableEntity,
}

// Status is the HTTP status of an error.
func Status(err error) int {
	c := code(err)
	if s, ok := statuses[c]; ok {
		return s
	}
	family, _, _ := strings.Cut(c, ".")
	if s, ok := families[family]; ok {
		return s
	}
	return http.StatusInternalServerError
}

func code(err error) string {
	if c := gatehouse.ErrorCode(err); c != "" {
		return c
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return "request.slow"
	}
	return "server.failed"
}

// notServed is said of a route that this server is not set up for.
func notServed() error {
	return gatehouse.Errorf("request.not_served", "see gatehouse.yml", "this server does not do that")
}

// ProblemOf is what a caller is told of err: code, message and hint of a
// gatehouse.Error, never its cause; nothing of any other error.
func ProblemOf(err error) wire.Problem {
	status := Status(err)
	p := wire.Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: code(err)}
	var e *gatehouse.Error
	if errors.As(err, &e) {
		p.Detail, p.Hint = e.Public(), e.Hint
	} else {
		p.Detail, p.Hint = "the server could not do this", "look at the server's log"
	}
	return p
}

// fail answers with a problem and logs what is the server's own fault.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	p := ProblemOf(err)
	if p.Status >= 500 {
		a.o.Log.Error("request failed", "route", r.Pattern, "code", p.Code, "err", err)
	}
	writeProblem(w, p)
}

// Refuse is the auth.Refuse of the API's routes, and of a listener.
func (a *API) Refuse(w http.ResponseWriter, r *http.Request, err error) { refuse(w, r, err) }

func refuse(w http.ResponseWriter, _ *http.Request, err error) { writeProblem(w, ProblemOf(err)) }

func writeProblem(w http.ResponseWriter, p wire.Problem) {
	b, _ := json.Marshal(p) // strings and a number: cannot fail
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(b, '\n'))
}
