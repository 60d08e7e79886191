package auditlog

import (
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"gatehouse"
)

// Field is one thing that a leaf says.
type Field struct{ Name, Value string }

// Entry is a leaf in words. It holds opaque ids, numbers and digests, as the leaf does.
type Entry struct {
	Kind   gatehouse.LeafKind
	At     time.Time
	Fields []Field
}

// parts names the parts of the leaves that have a shape of their own; a star marks the
// name that all further ones have. Organization and site are passed over: every leaf of
// a log has the same.
var parts = map[gatehouse.LeafKind]string{
	gatehouse.PassageLeafKind:    "- - id gate device direction by reason rule detail evidence*",
	gatehouse.OutcomeLeafKind:    "- - id outcome",
	gatehouse.SubjectLeafKind:    "- - kind record photo*",
	gatehouse.StatusLeafKind:     "- - record status",
	gatehouse.ConsentLeafKind:    "- - purpose state reference notice guardian by",
	gatehouse.DeviceLeafKind:     "- - device kind gate operator change key",
	gatehouse.AccountLeafKind:    "event - - account by with*",
	gatehouse.SignInLeafKind:     "event - - account session",
	gatehouse.RuleLeafKind:       "event - - by version part name content member*",
	gatehouse.AlarmLeafKind:      "event - - alarm by",
	gatehouse.RequestLeafKind:    "event - - id kind operator outcome due note answer contact",
	gatehouse.SettingLeafKind:    "event - - setting value operator",
	gatehouse.PlanLeafKind:       "event - - plan by picture",
	gatehouse.ParkingLeafKind:    "event - - id by content",
	gatehouse.HoursLeafKind:      "event - - by with*",
	gatehouse.BookLeafKind:       "event - - entry content",
	gatehouse.DisclosureLeafKind: "id operator role purpose - units item*",
}

// Describe puts a leaf into words. It fails with audit.malformed.
func Describe(leaf []byte) (Entry, error) {
	kind, at, values, err := gatehouse.LeafParts(leaf)
	e := Entry{Kind: kind, At: at}
	if err != nil {
		return e, err
	}
	shape, ok := parts[kind]
	if !ok {
		shape = "event with*"
	}
	names := strings.Fields(shape)
	for i, value := range values {
		name := names[min(i, len(names)-1)]
		if i >= len(names) && !strings.HasSuffix(name, "*") {
			break
		}
		if text := words(strings.TrimSuffix(name, "*"), value); name != "-" && text != "" {
			e.Fields = append(e.Fields, Field{strings.TrimSuffix(name, "*"), text})
		}
	}
	return e, nil
}

// words shows text as it is, and ids, digests and numbers as such.
func words(name string, value []byte) string {
	switch {
	case name == "units" && len(value) == 4:
		return strconv.FormatUint(uint64(value[0])<<24|uint64(value[1])<<16|uint64(value[2])<<8|uint64(value[3]), 10)
	case name == "id" && len(value) == 16:
		return hex.EncodeToString(value)
	}
	for _, c := range value {
		if c < 0x20 || c > 0x7e {
			return hex.EncodeToString(value[:min(len(value), 8)])
		}
	}
	return string(value)
}

// String is the entry on one line.
func (e Entry) String() string {
	var b strings.Builder
	for _, f := range e.Fields {
		if b.Len() > 0 {
			b.WriteString("  ")
		}
		b.WriteString(f.Name + " " + f.Value)
	}
	return b.String()
}
