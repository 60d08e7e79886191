package httprelay

import (
	"encoding/json"
	"io"
	"strconv"
	"strings"

	"gatehouse"
)

// maxAnswer bounds what is read of a relay's answer.
const maxAnswer = 64 << 10

// value picks the field out of a JSON answer, as text. Errors: relay.bad_answer.
func value(r io.Reader, field string) (string, error) {
	bad := gatehouse.Errorf("relay.bad_answer", "check the status address and field", "a relay's answer does not hold the value that was asked for")
	b, err := io.ReadAll(io.LimitReader(r, maxAnswer+1))
	if err != nil || len(b) > maxAnswer {
		return "", bad
	}
	d := json.NewDecoder(strings.NewReader(string(b)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return "", bad
	}
	if field != "" {
		for name := range strings.SplitSeq(field, ".") {
			switch at := v.(type) {
			case map[string]any:
				next, ok := at[name]
				if !ok {
					return "", bad
				}
				v = next
			case []any:
				i, err := strconv.Atoi(name)
				if err != nil || i < 0 || i >= len(at) {
					return "", bad
				}
				v = at[i]
			default:
				return "", bad
			}
		}
	}
	switch v := v.(type) {
	case string:
		return v, nil
	case json.Number:
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	}
	return "", bad
}
