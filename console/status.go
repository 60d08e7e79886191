package console

import (
	"errors"
	"net/http"
	"strings"

	"gatehouse"
)

// askers are the families of codes whose fault is what somebody filled in.
var askers = map[string]bool{"account": true, "audit": true, "backup": true, "budget": true, "camera": true, "canary": true, "consent": true, "device": true,
	"erase": true, "grant": true, "hold": true, "job": true, "name": true, "release": true, "request": true, "retention": true, "setting": true, "subject": true, "token": true, "webhook": true,
	"hours": true, "correction": true, "leave": true, "period": true, "shift": true, "date": true, "holidays": true, "attendance": true, "export": true, "wages": true, "swap": true, "pay": true, "money": true}

// askerStatus is the status of an error that is whoever asked's to set right; 0 for others.
func askerStatus(code string) int {
	switch code {
	case "vault.held", "vault.rotation", "backup.running", "audit.verifying", "job.running", "erase.unfinished":
		return http.StatusConflict
	case "vault.erase_limit":
		return http.StatusTooManyRequests
	case "vault.reason", "vault.duration":
		return http.StatusUnprocessableEntity
	case "audit.not_found", "release.unknown", "token.unknown", "webhook.unknown", "webhook.message":
		return http.StatusNotFound
	}
	if family, _, _ := strings.Cut(code, "."); askers[family] {
		return http.StatusUnprocessableEntity
	}
	return 0
}

// plainError is what people are told of an error beside other things of a page.
func plainError(lang string, err error) string {
	var e *gatehouse.Error
	if errors.As(err, &e) {
		return errorText(lang, e)
	}
	return text(lang, "error.title")
}
