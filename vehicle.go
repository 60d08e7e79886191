package gatehouse

import (
	"log/slog"
	"strings"
	"time"
	"unicode"
)

// VehicleRecord is what a site may hold about a vehicle: archive data, sealed. The
// plate stands in the working set as well, as long as it is allowed somewhere.
type VehicleRecord struct {
	Plate      string    `json:"plate"`
	Region     string    `json:"region,omitempty"` // cn, eu, us, br
	Class      string    `json:"class,omitempty"`  // car, truck, bus, motorbike
	Colour     string    `json:"colour,omitempty"`
	Owner      string    `json:"owner,omitempty"` // a person's id or a tenant's name
	ValidFrom  time.Time `json:"valid_from,omitzero"`
	ValidUntil time.Time `json:"valid_until,omitzero"`
}

// LogValue redacts the record.
func (VehicleRecord) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// NormalizePlate gives the form in which plates are compared: upper case, full
// width folded to ASCII, and only letters and digits, so that spaces, hyphens and
// the middle dot do not count.
func NormalizePlate(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r >= '！' && r <= '～' {
			r -= '！' - '!'
		}
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(unicode.ToUpper(r))
		}
	}
	return b.String()
}
