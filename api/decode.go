package api

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"

	"gatehouse"
)

// decode reads one JSON object into v and refuses what v does not know. What was
// sent is not quoted in the error: it may be personal.
func decode(w http.ResponseWriter, r *http.Request, limit int64, v any) error {
	if t, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); t != "application/json" {
		return gatehouse.Errorf("request.type", "send Content-Type: application/json", "the request is not announced as JSON")
	}
	body, err := read(w, r, limit)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return gatehouse.Errorf("request.malformed", "compare the request with the documentation: unknown fields are refused", "the request is not the JSON object that this route takes")
	}
	if _, err := d.Token(); err != io.EOF {
		return gatehouse.Errorf("request.malformed", "send one object", "something follows the JSON object")
	}
	return nil
}
