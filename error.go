package gatehouse

import (
	"errors"
	"fmt"
	"strings"
)

// Error is what went wrong, for three readers: a Code that programs compare
// (lower case, dotted, stable, for example "image.truncated"), a Message for
// people, and a Hint that says what to do. None of them may hold personal data.
type Error struct {
	Code    string
	Message string
	Hint    string
	Err     error // the cause; for logs, never shown to a device
}

// Errorf makes an Error. A %w in the format keeps the cause.
func Errorf(code, hint, format string, args ...any) *Error {
	wrapped := fmt.Errorf(format, args...)
	return &Error{Code: code, Message: wrapped.Error(), Hint: hint, Err: errors.Unwrap(wrapped)}
}

func (e *Error) Error() string {
	s := e.Code + ": " + e.Message
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// Public returns the message as others may read it: without the words of a cause
// that came from outside this vocabulary, which may name files and addresses.
func (e *Error) Public() string {
	if e.Err == nil {
		return e.Message
	}
	words := ""
	var cause *Error
	if errors.As(e.Err, &cause) {
		words = cause.Public()
	}
	return strings.TrimRight(strings.ReplaceAll(e.Message, e.Err.Error(), words), " :,")
}

// Is makes errors.Is compare codes, so that a test can ask for &Error{Code: "x"}.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// ErrorCode returns the code of the first Error in err's chain, "" for none.
func ErrorCode(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
