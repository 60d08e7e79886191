package vault

import (
	"testing"

	"gatehouse"
)

// notForwarded are the vault process's calls that no gate on another machine may make,
// and why.
var notForwarded = map[string]string{
	methodInit:            "it brings the files' keys, which lie at the vault's machine",
	methodUnbundle:        "it takes a credential of the vault",
	methodUnseal:          "it takes a credential of the vault; MethodClaim takes up the lease",
	methodLetterbox:       "its key is for a credential of the vault, which belongs at the vault's machine",
	methodBeginRebuild:    "it takes a credential of the vault; MethodClaimRebuild takes it up",
	methodAddSlot:         "it takes a credential of the vault",
	methodRemoveSlot:      "it takes a credential of the vault",
	methodSplit:           "it takes a credential of the vault, and gives shares of its key",
	methodRotate:          "it takes a credential of the vault",
	methodRotateBatch:     "it belongs to rotate",
	methodPrepareRotation: "it takes a credential of the vault",
	methodPinned:          "the machine asks it of all its sites",
	methodRetire:          "the machine asks it of all its sites",
	methodSetLimits:       "it takes a credential of the vault",
	methodAddOperator:     "it takes a credential of the vault",
	methodEndOperator:     "it takes a credential of the vault",
	methodPlant:           "it takes a credential of the vault",
	methodCanaries:        "it takes a credential of the vault",
	methodExport:          "it gives the wrapped private keys",
	methodAuditRotate:     "no gate asks for it, and witnesses would have to be told each new key",
	methodRewrite:         "it brings a file's key, which the machine makes: MethodRewriteFile",
}

// TestForwarded judges every call of the vault process: one that is new belongs either
// to forwarded or to notForwarded. If it takes a credential, or gives wrapped private
// keys, it belongs to the latter.
func TestForwarded(t *testing.T) {
	all := (&service{}).handlers()
	if len(all) < 70 {
		t.Fatalf("only %d calls were found", len(all))
	}
	for method := range all {
		err := Forwarded(method)
		switch _, refused := notForwarded[method]; {
		case refused && gatehouse.ErrorCode(err) != "vault.elsewhere":
			t.Errorf("%s may be called from another machine (%v), but %s", method, err, notForwarded[method])
		case !refused && err != nil:
			t.Errorf("nobody has judged whether a gate on another machine may call %s", method)
		}
	}
	for method := range forwarded {
		if all[method] == nil {
			t.Errorf("%s is on the list, and the vault process has no such call", method)
		}
	}
	for method := range notForwarded {
		if all[method] == nil {
			t.Errorf("%s was judged, and the vault process has no such call", method)
		}
	}
	// What the machine answers itself shadows no call of the process.
	for _, method := range []string{MethodClaim, MethodClaimRebuild, MethodRewriteFile} {
		if all[method] != nil || Forwarded(method) == nil {
			t.Errorf("%s is a call of the vault process, too", method)
		}
	}
	for method := range atDesk {
		if all[method] == nil || AtDesk(method) != nil {
			t.Errorf("%s is what people at the vault may ask for, and the vault process has no such call", method)
		}
	}
	for _, method := range []string{methodInit, methodUnbundle, methodUnseal, methodRewrite, methodAppend, methodOpen, "no-such-call"} {
		if gatehouse.ErrorCode(AtDesk(method)) != "request.unknown" {
			t.Errorf("people at the vault's machine may call %s", method)
		}
	}
	if gatehouse.ErrorCode(Forwarded("no-such-call")) != "vault.elsewhere" {
		t.Error("a call that nobody knows is let through")
	}
}
