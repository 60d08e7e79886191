package imaging

import "gatehouse"

// Codes of the errors that Decode returns.
const (
	CodeEmpty       = "image.empty"       // no bytes at all
	CodeTooLarge    = "image.too_large"   // more bytes or pixels than the limits allow
	CodeUnsupported = "image.unsupported" // not a JPEG or PNG, or a rare variant of them
	CodeTruncated   = "image.truncated"   // the file ends before the picture does
	CodeDamaged     = "image.damaged"     // the bytes contradict themselves
)

func fail(code, hint, format string, args ...any) error {
	return gatehouse.Errorf(code, hint, format, args...)
}
